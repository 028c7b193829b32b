"""A verdict: a claim, the criterion declared beforehand, the reproduced figure, the outcome."""

import math
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from sid.verdict.distances import Array
from sid.verdict.intervals import Interval, difference_interval, mean_interval

Outcome = Literal["holds", "does not hold", "inconclusive", "not run"]
Scope = Literal["", "checkpoint verification", "training reproduction"]
SID = "SiD, arXiv 2404.04057"
SIDA = "SiDA, arXiv 2410.14919"
README = "README of mingyuanzhou/SiD, branch sida"


def fast_fall(recipe: str) -> str:
    """Where it is said that the distance falls fast and along a line in log-log."""
    sid = f"{SID}, abstract (exponentially fast reduction in FID); run_sid_v1.sh (log-log linear)"
    return sid if recipe == "sid" else f"{SIDA}; {README} (about ten times faster)"


def surpasses(recipe: str) -> str:
    """Where it is said that one step does as well as the teacher."""
    sid = f"{SID}; its README: FID 1.923 on CIFAR-10, where the teacher is published with 1.97"
    return sid if recipe == "sid" else f"{SIDA}; {README} (surpasses the teacher)"


class Verdict(BaseModel):
    """What the records say about one claim.

    Attributes:
        claim: id of the claim.
        statement: the claim, in miniature.
        source: where the original is made.
        criterion: when it holds, declared before any run.
        verdict: the outcome.
        scope: `checkpoint verification` covers redrawing noise for one trained run;
            `training reproduction` has two or more training seeds as its units.
        figure: what is reproduced.
        value, low, high: the figure and its confidence limits; nan where there is none.
        level: their confidence, as a share.
        reason: the numbers, in one sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    claim: str
    statement: str
    source: str
    criterion: str
    verdict: Outcome = "not run"
    scope: Scope = ""
    figure: str = ""
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    level: float = 0.95
    reason: str

    def found(
        self, verdict: Outcome, scope: Scope, figure: str, interval: Interval, reason: str
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


def scope_of(seeds: int) -> Scope:
    """Two or more training seeds reproduce the training, one verifies its checkpoint."""
    return "training reproduction" if seeds > 1 else "checkpoint verification"


def limits(interval: Interval, level: float = 0.95) -> str:
    """The interval in words."""
    if math.isnan(interval.low):
        return "no interval"
    return f"{level:.0%} interval {interval.low:.3g} to {interval.high:.3g}".replace("%", " %")


class Contrast(NamedTuple):
    """A ratio of distances, with what it repeats over."""

    ratio: Interval
    scope: Scope
    covers: str


def contrast(
    runs: dict[int, Array], baseline: dict[int, Array] | Array, level: float = 0.95
) -> Contrast | None:
    """The ratio of geometric means, runs over baseline.

    With two or more training seeds the seeds are the units: against runs of the same seeds, pairs
    by seed; against the teacher, each seed's mean beside the teacher's draws. With one seed the
    draws are the units, and the interval says nothing about retraining.

    Args:
        runs: draws of each seed.
        baseline: the same of another recipe, or the teacher's draws.
        level: confidence, as a share.

    Returns:
        The contrast; None where a side is missing.
    """
    paired = isinstance(baseline, dict)
    seeds = sorted(set(runs) & set(baseline)) if isinstance(baseline, dict) else sorted(runs)
    if not seeds or len(baseline) == 0:
        return None
    if len(seeds) > 1:
        means = [float(np.log(runs[seed]).mean()) for seed in seeds]
        covers = f"over {len(seeds)} training seeds"
        if isinstance(baseline, dict):
            steps = [
                mean - float(np.log(baseline[seed]).mean())
                for mean, seed in zip(means, seeds, strict=True)
            ]
            ratio = mean_interval(steps, level)
        else:
            ratio = difference_interval(means, np.log(baseline).tolist(), level)
        return Contrast(ratio.exp(), scope_of(len(seeds)), covers)
    ours = runs[seeds[0]]
    other = baseline[seeds[0]] if isinstance(baseline, dict) else baseline
    ratio = difference_interval(np.log(ours).tolist(), np.log(other).tolist(), level)
    whose = "" if paired else "the teacher's "
    alike = ", the lone draw taken to scatter like the others" if len(other) == 1 else ""
    covers = f"over {len(ours)} draws against {whose}{len(other)} (redraw noise only{alike})"
    return Contrast(ratio.exp(), scope_of(1), covers)


def to_table(verdicts: list[Verdict]) -> pd.DataFrame:
    """One row a verdict."""
    rows = [verdict.model_dump() for verdict in verdicts]
    return pd.DataFrame(rows, columns=list(Verdict.model_fields))
