"""Does a distance fall as a power of the images seen? A straight line, and no bend that matters.

That no bend was found does not show that there is none: it *holds* where an interval shows that the
bend is small, which is a statement of equivalence.
"""

import math

import numpy as np

from sid.verdict.claim import Claim, constant
from sid.verdict.evidence import Records
from sid.verdict.fits import PowerLaw, bend, power_law
from sid.verdict.intervals import Interval, mean_interval
from sid.verdict.judged import (
    MORE_RUNS,
    begin,
    counted,
    curves_of,
    per_cent,
    scope_of,
    unsure,
)
from sid.verdict.parts import Part, beyond
from sid.verdict.side import LackingError, Side
from sid.verdict.verdict import Outcome, Verdict

POINTS = 4  # A parabola through three has no rest.


def follows_power_law(records: Records, claim: Claim) -> Verdict:
    """Fit a line and a parabola to each run's log distance over log images.

    Raises:
        LackingError: the records decide nothing.
    """
    side, begun = records.curves(claim, claim.subject), constant(claim, "from_kimg")
    seeds = sorted(side.values)
    fits = [_fit(side, seed, begun) for seed in seeds]
    level, bound = claim.criterion.level, claim.criterion.bound
    slope = mean_interval([each.slope for each in fits], level)
    bends = mean_interval([bend(each) for each in fits], level)
    flaws = [flaw for flaw in (side.flaw, unsure(claim), _single(slope, bends)) if flaw]
    outcome: Outcome = "undecided" if flaws else _outcome(slope, bends, bound)
    p = math.nan if flaws else _broken(fits, bound)
    notes = list(side.notes)
    if outcome == "does not hold" and p > (1 - level) / 2:
        outcome = "inconclusive"
        notes = [
            f"of the two ways to break it, p = {p:.2g} (Bonferroni) is above {(1 - level) / 2:.2g}",
            *notes,
        ]
    told = (
        f"{side.who}: slope {slope.value:.3g}{_limits(slope)}; bend {per_cent(bends.value)}"
        f"{_limits(bends, 100)}, at {per_cent(level)} over {counted(len(fits), 'run')} of "
        f"{fits[0].points} snapshots on one noise; margin of the bend {per_cent(bound)}"
    )
    verdict = curves_of(begin(claim), [side], seeds)
    return verdict.model_copy(
        update={
            "verdict": outcome,
            "scope": scope_of(len(seeds)) if len(seeds) > 1 else "this run",
            "figure": "log-log slope",
            "value": slope.value,
            "low": slope.low,
            "high": slope.high,
            "run_sd": _sd([each.slope for each in fits]),
            "needed_margin": max(abs(bends.low), abs(bends.high)),
            "p_value": p,
            "reason": "; ".join([told, *flaws, *notes]),
            "changes": "a second training seed at least" if len(seeds) == 1 else MORE_RUNS,
        }
    )


def _fit(side: Side, seed: int, begun: float) -> PowerLaw:
    points = sorted((kimg, value) for kimg, value in side.values[seed].items() if kimg >= begun)
    if len(points) < POINTS:
        raise LackingError(
            f"{side.who}: seed {seed} has not {POINTS} snapshots from {begun:g} kimg"
        )
    images, distances = np.array(points).T
    return power_law(images * 1000, distances)


def _single(slope: Interval, bends: Interval) -> str:
    if math.isnan(slope.low):
        return "one run; the points of one curve are no repetition"
    still = slope.low == slope.high or bends.low == bends.high
    return "the runs have no spread to judge by" if still else ""


def _outcome(slope: Interval, bends: Interval, bound: float) -> Outcome:
    if slope.high < 0 and -bound < bends.low and bends.high < bound:
        return "holds"
    return (
        "does not hold"
        if slope.low >= 0 or bends.low > bound or bends.high < -bound
        else ("inconclusive")
    )


def _broken(fits: list[PowerLaw], bound: float) -> float:
    """P of either way in which the claim may be broken, the smaller one twice (Bonferroni)."""
    bends, slopes = [bend(fit) for fit in fits], [fit.slope for fit in fits]
    of_bends, of_slopes = (
        [Part(_sd(values) ** 2 / len(fits), len(fits) - 1)] for values in (bends, slopes)
    )
    each = (
        beyond(abs(float(np.mean(bends))) - bound, of_bends),
        beyond(float(np.mean(slopes)), of_slopes),
    )
    return min(1.0, 2 * min(each))


def _sd(values: list[float]) -> float:
    return float(np.std(values, ddof=1)) if len(values) > 1 else math.nan


def _limits(interval: Interval, scale: float = 1) -> str:
    if math.isnan(interval.low):
        return ""
    return f" ({scale * interval.low:.3g} to {scale * interval.high:.3g})"
