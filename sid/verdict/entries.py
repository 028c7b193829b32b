"""The sections of `claims.yaml`: protocols, criteria, subjects and what is stated of them."""

import difflib
from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from sid.config import Name, Strict

Kind = Literal["checkpoint", "retraining", "ranking", "fall", "power-law", "faster"]
# What a published value is: a mean of ten evaluations, one value, the least of three, or not known.
Of = Literal["mean of 10", "single", "minimum of 3", "unknown"]

# Metrics that are known without importing them.
OF_THE_SUITE = ("frechet_distance", "inception_score", "precision", "recall")


class Protocol(Strict):
    """How a number is measured; records of another protocol are never compared with it.

    Attributes:
        metric: name of the metric.
        number: its name in `results.csv`; empty where no published number is of this protocol.
        implementation: whose value decides.
        extractor: name; empty for whichever one the records have.
        n_images: of each draw; without it (0) whichever one number the records have.
        draws: K, of each generator.
        reference: file of `files.csv` that images are compared with, where it is not the data set
            itself: published moments, or images; `{dataset}` stands for the subject's.
        of: what kind of value a published number of this protocol is.
        labels: the rule by which classes are drawn: `data set`, as often as it has them, or
            `uniform`; empty for whichever one the records have.
        selection: which snapshot of a run is judged; published numbers are of the best.
    """

    metric: str
    number: str = ""
    implementation: str
    extractor: str = ""
    n_images: int = 0
    draws: PositiveInt
    reference: str = ""
    of: Of = "unknown"
    labels: Literal["", "data set", "uniform"] = ""
    selection: Literal["best", "last"] = "best"

    @field_validator("metric")
    @classmethod
    def _known(cls, metric: str) -> str:
        if metric in OF_THE_SUITE:
            return metric
        from sid.evaluate.metrics import METRICS  # Packages may bring others; it imports slowly.

        if metric not in METRICS:
            near = difflib.get_close_matches(metric, METRICS, n=1)
            mend = f"did you mean {near[0]}?" if near else f"known are {', '.join(METRICS)}"
            raise ValueError(f"is no metric; {mend}")
        return metric

    @field_validator("n_images")
    @classmethod
    def _some(cls, n_images: int) -> int:
        if n_images < 1:
            raise ValueError("expected 1 or more; drop the key for whichever number is measured")
        return n_images


class Criterion(Strict):
    """When a claim of a kind is kept.

    Attributes:
        text: in words.
        bound: margin as a share, or factor.
        level: confidence of the interval that decides, as a share.
        constants: further ones that the rule depends on.
        fixed: commit at which text, constants or rule last changed. A change cannot name its own
            commit: the next one does.
        changed: what changed after an outcome of it had been committed, and what that did.
    """

    text: str
    bound: PositiveFloat
    level: PositiveFloat = Field(lt=1)
    constants: dict[str, float | list[float]] = Field(default_factory=dict)
    fixed: str = Field(pattern="^([0-9a-f]{7})?$")
    changed: str = ""


class Subject(Strict):
    """What claims are about: a recipe, under the name that its records have.

    Attributes:
        title: for people, as in the papers' tables.
        method: as in `results.csv`; empty for what no paper has.
        dataset: as in the records.
        published: columns of `results.csv` that its numbers have, `method` and `nfe` apart.
        quoted: columns laid over these, of rows that print the same numbers under other names.
        weights: the published checkpoint, as in `files.csv`.
        kimg: images of training after which its publisher measured it, in thousands; that of
            `checkpoints.csv` where it has the weights; 0: not known.
        start: the recipe that it starts from, whose images come before its own.
        before: the recipe from which it differs in one option, in an ablation that goes from recipe
            to recipe.
        change: that option, in words.
        nfe: network evaluations of an image.
        checkpoint: protocols by which the published checkpoint is judged.
        retraining: protocols by which runs of the recipe are judged.
    """

    title: str
    method: str = ""
    dataset: str
    published: dict[str, str] = Field(default_factory=dict)
    quoted: list[dict[str, str]] = Field(default_factory=list)
    weights: str = ""
    kimg: float = Field(default=0, ge=0)
    start: str = ""
    before: str = ""
    change: str = ""
    nfe: PositiveInt = 1
    checkpoint: list[Name] = Field(default_factory=list)
    retraining: list[Name] = Field(default_factory=list)


class Stated(Strict):
    """A claim that is no published number: about two recipes, or about a curve.

    Attributes:
        kind: which rule judges it.
        criterion: which criterion of the file.
        protocol: which protocol of the file.
        statement: what is claimed, a sentence; `{subject}` and `{against}` stand for titles,
            `{dataset}` for the data set, `{bound}` for the criterion's.
        subject: the recipe; if empty, what comes before the slash in the claim's name.
        against: another recipe, `teacher`, or `start` for what the subject starts from.
        source: where the original stands, and what of it is ours.
        evidence: grade of that source.
    """

    kind: Literal["ranking", "fall", "power-law", "faster"]
    criterion: Name
    protocol: Name
    statement: str
    subject: str = ""
    against: str = ""
    source: str
    evidence: str = "primary"


class ClaimsFile(Strict):
    """`claims.yaml`; its sections by name.

    Attributes:
        bases: what entries of the other sections are laid over, by their `base`.
    """

    bases: dict[str, dict[str, Any]] = Field(default_factory=dict)
    protocols: dict[str, Protocol]
    criteria: dict[str, Criterion]
    subjects: dict[str, Subject]
    claims: dict[str, Stated] = Field(default_factory=dict)
