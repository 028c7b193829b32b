"""A verdict: a claim, its criterion, the reproduced figure, the outcome, and what it is about."""

import math
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from sid.verdict.criteria import CRITERIA, LEVEL
from sid.verdict.distances import Array
from sid.verdict.intervals import Interval, difference_interval, mean_interval

Outcome = Literal[
    "reproduces",
    "differs",
    "reached",
    "not reached",
    "holds",
    "does not hold",
    "inconclusive",
    "undecided",
    "not run",
]
# What an outcome says of the claim; all others leave it open.
KEPT: tuple[Outcome, ...] = ("reproduces", "reached", "holds")
BROKEN: tuple[Outcome, ...] = ("differs", "not reached", "does not hold")
SID = "SiD, arXiv 2404.04057"
SIDA = "SiDA, arXiv 2410.14919"
README = "README of mingyuanzhou/SiD, branch sida"
FAST = {
    "sid": f"{SID}, abstract (exponentially fast reduction in FID)",
    "sida": f"{SIDA}; {README} (about ten times faster)",
}
MEETS = {
    "sid": f"{SID}; its README: FID 1.923 on CIFAR-10, where the teacher is published with 1.97",
    "sida": f"{SIDA}; {README} (surpasses the teacher)",
    "sid2a": f"{SIDA}; {README} (surpasses the teacher)",
}


class Verdict(BaseModel):
    """What the records say about one claim.

    Attributes:
        claim: id of the claim.
        statement: what is judged, in miniature: of one training run it speaks of this run.
        source: where the original is made, and what of the miniature is ours.
        criterion: when it holds.
        fixed: commit at which the criterion last changed (`sid.verdict.criteria`).
        changed: what of it changed after an outcome had been committed.
        verdict: the outcome. `inconclusive`: evidence of the right kind, and too little of it;
            `undecided`: evidence of a kind that cannot decide, such as one run about training, or
            an unverified number; `not run`: no evidence.
        scope: what it is about: `this checkpoint` (new noise for one trained generator), `this
            run` (one curve), or a number of training seeds.
        figure: what is reproduced.
        value, low, high: the figure, mostly a ratio (reproduced over published, or subject over
            `against`), and its confidence limits; nan where there is none.
        level: their confidence, as a share.
        reason: the numbers, in one sentence.
        kind, subject, against: of the claim (`sid.verdict.claim`).
        dataset, metric, extractor, implementation, n_images: of the records that it rests on.
        published: the published value, nan where there is none.
        published_text: as printed.
        published_of: what kind of value it is.
        evidence: grade of its source.
        reproduced: our value on the published one's scale.
        runs, draws: N training seeds and K draws of each; 0 where there are none.
        run_sd, redraw_sd: of the logarithm, over seeds and over draws; nan where not known.
        new_low, new_high: prediction interval of the figure of one new run or evaluation.
        needed_margin: the smallest margin, as a share, at which the claim would be kept.
        p_value, p_holm: of the test that the claim is broken, alone and among those of the page.
        records: which rows of the records it rests on.
        command: what makes these records.
        changes: what would change the verdict.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    statement: str
    source: str
    criterion: str
    fixed: str
    changed: str = ""
    verdict: Outcome = "not run"
    scope: str = ""
    figure: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = LEVEL
    reason: str
    kind: str = ""
    subject: str = ""
    against: str = ""
    dataset: str = ""
    metric: str = ""
    extractor: str = ""
    implementation: str = ""
    n_images: int = 0
    published: float = math.nan
    published_text: str = ""
    published_of: str = ""
    evidence: str = ""
    reproduced: float = math.nan
    runs: int = 0
    draws: int = 0
    run_sd: float = math.nan
    redraw_sd: float = math.nan
    new_low: float = math.nan
    new_high: float = math.nan
    needed_margin: float = math.nan
    p_value: float = math.nan
    p_holm: float = math.nan
    records: str = ""
    command: str = ""
    changes: str = ""

    @classmethod
    def of(cls, claim: str, statement: str, source: str, level: float = LEVEL) -> "Verdict":
        """A claim that is still to be judged, with the criterion of its kind."""
        text, _, fixed, changed = CRITERIA[claim.partition("/")[0]]
        return cls(
            claim=claim,
            statement=statement[:1].upper() + statement[1:],
            source=source,
            criterion=text,
            fixed=fixed,
            changed=changed,
            level=level,
            reason="",
        )

    def found(
        self, verdict: Outcome, scope: str, figure: str, interval: Interval, reason: str
    ) -> "Verdict":
        """This claim with its outcome."""
        return self.model_copy(
            update={
                "verdict": verdict,
                "scope": scope,
                "figure": figure,
                "value": interval.value,
                "low": interval.low,
                "high": interval.high,
                "reason": reason,
            }
        )

    def not_run(self, missing: str) -> "Verdict":
        """This claim where the records lack what it needs."""
        return self.model_copy(update={"reason": f"the records have no {missing}"})


def below(interval: Interval, bound: float) -> Outcome:
    """Whether the whole interval lies below `bound`; limits of nan decide nothing."""
    if interval.high < bound:
        return "holds"
    return "does not hold" if interval.low > bound else "inconclusive"


def above(interval: Interval, bound: float) -> Outcome:
    """Whether the whole interval lies above `bound`; limits of nan decide nothing."""
    if interval.low > bound:
        return "holds"
    return "does not hold" if interval.high < bound else "inconclusive"


def scope_of(seeds: int, one: str = "this checkpoint") -> str:
    """What a verdict is about: one training run says nothing of training again."""
    return f"{seeds} training seeds" if seeds > 1 else one


def called(name: str, seeds: int, one: str = "generator") -> str:
    """The method's name; of one training run only that run's, such as `this SiD generator`."""
    return f"this {name} {one}" if seeds == 1 else name


def limits(interval: Interval, level: float = LEVEL) -> str:
    """The interval in words."""
    if math.isnan(interval.low):
        return "no interval"
    return f"{level:.0%} interval {interval.low:.3g} to {interval.high:.3g}".replace("%", " %")


class Contrast(NamedTuple):
    """A ratio of distances, with what it repeats over."""

    ratio: Interval
    scope: str
    covers: str


def contrast(
    runs: dict[int, Array], baseline: dict[int, Array] | Array, level: float = LEVEL
) -> Contrast | None:
    """The ratio of geometric means, runs over baseline.

    With two or more training seeds the seeds are the units: against runs of the same seeds, pairs
    by seed; against the teacher, each seed's mean beside the teacher's draws. With one seed the
    draws are the units, and the interval says nothing about retraining. That both sides were drawn
    with the same noise is not used. Against a teacher the interval is given that teacher: that
    another training would have made another one is not in it.

    Args:
        runs: draws of each seed.
        baseline: the same of another recipe, or the teacher's draws.
        level: confidence, as a share.

    Returns:
        The contrast; None where a side is missing.
    """
    seeds = sorted(set(runs) & set(baseline)) if isinstance(baseline, dict) else sorted(runs)
    if not seeds or len(baseline) == 0:
        return None
    several, scope = len(seeds) > 1, scope_of(len(seeds))
    means = [float(np.log(runs[seed]).mean()) for seed in seeds]
    units = means if several else np.log(runs[seeds[0]]).tolist()
    if not isinstance(baseline, dict):
        ratio = difference_interval(units, np.log(baseline).tolist(), level)
        return Contrast(ratio.exp(), scope, _given_teacher(units, len(baseline), several))
    others = [float(np.log(baseline[seed]).mean()) for seed in seeds]
    if several:
        steps = [mean - other for mean, other in zip(means, others, strict=True)]
        return Contrast(mean_interval(steps, level).exp(), scope, f"over {scope}")
    draws = np.log(baseline[seeds[0]]).tolist()
    covers = f"over {len(units)} draws against {len(draws)} (redraw noise only)"
    return Contrast(difference_interval(units, draws, level).exp(), scope, covers)


def _given_teacher(units: list[float], draws: int, several: bool) -> str:
    kind = "training seeds" if several else "draws"
    noise = "" if several else "redraw noise only, "
    lone = f"lone draw, taken to scatter like these {kind}" if draws == 1 else f"{draws} draws"
    return f"over {len(units)} {kind} ({noise}given this teacher, by its {lone})"


def to_table(verdicts: list[Verdict]) -> pd.DataFrame:
    """One row a verdict."""
    rows = [verdict.model_dump() for verdict in verdicts]
    return pd.DataFrame(rows, columns=list(Verdict.model_fields))
