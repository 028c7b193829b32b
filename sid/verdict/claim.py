"""Claims as data: `claims.yaml` says what is claimed, by what protocol, and when it is kept."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, TypeVar

import pandas as pd
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from sid.config import Name, Strict, parse, read_yaml
from sid.errors import UserError
from sid.shipped import tables
from sid.verdict.published import Number, load_published, number_of

Kind = Literal["checkpoint", "retraining", "ranking", "fall", "power-law", "faster"]
# What a published value is: a mean of ten evaluations, one value, the least of three, or not known.
Of = Literal["mean of 10", "single", "minimum of 3", "unknown"]
Entry = TypeVar("Entry")
TEACHER = "teacher"  # As `against`: whatever the records have in the role of the teacher.


class Protocol(Strict):
    """How a number is measured; records of another protocol are never compared with it.

    Attributes:
        metric: name of the metric.
        number: its name in `results.csv`; empty where no published number is of this protocol.
        implementation: whose value decides.
        extractor: name; empty for whichever one the records have.
        n_images: of each draw; 0 for whichever one number the records have.
        draws: K, of each generator.
        of: what kind of value a published number of this protocol is.
        labels: the rule by which classes are drawn: `data set`, as often as it has them, or
            `uniform`; empty for whichever one the records have.
        selection: which snapshot of a run is judged; published numbers are of the best.
    """

    metric: str
    number: str = ""
    implementation: str
    extractor: str = ""
    n_images: NonNegativeInt = 0
    draws: PositiveInt
    of: Of = "unknown"
    labels: Literal["", "data set", "uniform"] = ""
    selection: Literal["best", "last"] = "best"


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
        published: columns of `results.csv` that its numbers have, `method` apart.
        weights: the published checkpoint, as in `files.csv`.
        kimg: images of training after which its publisher measured it, in thousands; 0: not known.
        start: the recipe that it starts from, whose images come before its own.
        nfe: network evaluations of an image.
        checkpoint: protocols by which the published checkpoint is judged.
        retraining: protocols by which runs of the recipe are judged.
    """

    title: str
    method: str = ""
    dataset: str
    published: dict[str, str] = Field(default_factory=dict)
    weights: str = ""
    kimg: float = Field(default=0, ge=0)
    start: str = ""
    nfe: PositiveInt = 1
    checkpoint: list[Name] = Field(default_factory=list)
    retraining: list[Name] = Field(default_factory=list)


class Stated(Strict):
    """A claim that is no published number: about two recipes, or about a curve.

    Attributes:
        kind: which rule judges it.
        criterion: which criterion of the file.
        protocol: which protocol of the file.
        statement: what is claimed, a sentence.
        subject: the recipe.
        against: another recipe, or `teacher`.
        source: where the original stands, and what of it is ours.
        evidence: grade of that source.
    """

    kind: Literal["ranking", "fall", "power-law", "faster"]
    criterion: Name
    protocol: Name
    statement: str
    subject: str
    against: str = ""
    source: str
    evidence: str = "primary"


class ClaimsFile(Strict):
    """`claims.yaml`; its sections by name."""

    protocols: dict[str, Protocol]
    criteria: dict[str, Criterion]
    subjects: dict[str, Subject]
    claims: dict[str, Stated] = Field(default_factory=dict)


class Claim(NamedTuple):
    """One claim, with everything that judging it needs.

    Attributes:
        name: `<subject>/<protocol>` of a published checkpoint, `<subject>/retrained-<protocol>` of
            a recipe trained again, else its key in the file.
        kind: which rule judges it.
        statement: a sentence.
        subject: the recipe.
        about: the subject's entry.
        against: another recipe, `teacher`, or empty.
        protocol: how the number is measured.
        criterion: when the claim is kept.
        source: where it is made.
        evidence: grade of the source (`sid.verdict.published.GRADES`).
        number: the published number, for checkpoints and retraining.
    """

    name: str
    kind: Kind
    statement: str
    subject: str
    about: Subject
    against: str
    protocol: Protocol
    criterion: Criterion
    source: str
    evidence: str
    number: Number | None = None


class Claims(NamedTuple):
    """All claims of a file.

    Attributes:
        path: the file.
        subjects: by name of the recipe, in the file's order, which is that of tables.
        claims: by name.
    """

    path: Path
    subjects: Mapping[str, Subject]
    claims: Mapping[str, Claim]


def load_claims(folder: Path | None = None) -> Claims:
    """The claims of a folder of published tables.

    Args:
        folder: with `claims.yaml` and `results.csv`; None for `sid.shipped.tables`.

    Raises:
        UserError: the file is missing, a key is wrong, or names what is not in it.
    """
    path = (folder or tables()) / "claims.yaml"
    file = parse(read_yaml(path) or {}, ClaimsFile, path)
    numbers = load_published(path.parent / "results.csv")
    found: list[Claim] = []
    for subject, about in file.subjects.items():
        found += _of_subject(path, file, numbers, subject, about)
    for name, stated in file.claims.items():
        where = f"{path}: claims.{name}"
        found.append(
            Claim(
                name,
                stated.kind,
                stated.statement,
                stated.subject,
                _entry(file.subjects, stated.subject, f"{where}.subject"),
                stated.against,
                _entry(file.protocols, stated.protocol, f"{where}.protocol"),
                _entry(file.criteria, stated.criterion, f"{where}.criterion"),
                stated.source,
                stated.evidence,
            )
        )
    return Claims(path, file.subjects, {claim.name: claim for claim in found})


def _of_subject(
    path: Path, file: ClaimsFile, numbers: pd.DataFrame, subject: str, about: Subject
) -> list[Claim]:
    """The claims of a subject's published numbers."""
    claims: list[Claim] = []
    kinds: tuple[tuple[Literal["checkpoint", "retraining"], str, list[str]], ...] = (
        ("checkpoint", "", about.checkpoint),
        ("retraining", "retrained-", about.retraining),
    )
    for kind, prefix, protocols in kinds:
        for short in protocols:
            where = f"{path}: subjects.{subject}.{kind}"
            protocol = _entry(file.protocols, short, where)
            asked = {"method": about.method, "metric": protocol.number, **about.published}
            number = number_of(numbers, asked, where)
            claims.append(
                Claim(
                    f"{subject}/{prefix}{short}",
                    kind,
                    f"{about.title} reads {protocol.number} {number.text} on {about.dataset}",
                    subject,
                    about,
                    "",
                    protocol,
                    _entry(file.criteria, kind, path),
                    number.source,
                    number.evidence,
                    number,
                )
            )
    return claims


def constants(claim: Claim, name: str) -> list[float]:
    """A constant of the claim's criterion, as a list.

    Raises:
        UserError: the criterion has none of this name.
    """
    found = claim.criterion.constants.get(name)
    if found is None:
        raise UserError(
            f"claims.yaml: claims.{claim.name}: its criterion has no constant {name}, which claims "
            f"of kind {claim.kind} need"
        )
    return found if isinstance(found, list) else [found]


def constant(claim: Claim, name: str) -> float:
    """The only value of a constant (see `constants`)."""
    return constants(claim, name)[0]


def _entry(section: Mapping[str, Entry], name: str, where: Path | str) -> Entry:
    if name not in section:
        raise UserError(f"{where}: {name} is none of {', '.join(section)}")
    return section[name]
