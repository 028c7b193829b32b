"""Does one recipe reach the same distances after fewer images than another?

A threshold that a run does not reach is a bound on the images that it takes, not a missing value:
runs that start fast and end high are not judged by their start alone.
"""

import math
from typing import NamedTuple

import numpy as np

from sid.verdict.claim import Claim, constants
from sid.verdict.design import Array
from sid.verdict.evidence import Records, comparable
from sid.verdict.fits import images_bounds
from sid.verdict.judged import (
    MORE_RUNS,
    begin,
    counted,
    curves_of,
    per_cent,
    scope_of,
    unsure,
)
from sid.verdict.parts import Part, beyond, reach
from sid.verdict.side import LackingError, Side
from sid.verdict.verdict import Outcome, Verdict


class Bounds(NamedTuple):
    """Mean log ratio of images of each run, from below and above [N], and what was counted.

    Attributes:
        low, high: the same number where both sides reach every threshold.
        exact: thresholds that both sides reach, over all runs.
        bound: those that one side reaches.
        neither: those that no side reaches.
    """

    low: Array
    high: Array
    exact: int
    bound: int
    neither: int


def faster(records: Records, claim: Claim) -> Verdict:
    """Compare the images until each multiple of the teacher's distance, paired by seed.

    Raises:
        LackingError: the records decide nothing.
    """
    sides = [records.curves(claim, recipe) for recipe in (claim.subject, claim.against)]
    seeds = sorted(set(sides[0].values) & set(sides[1].values))
    who = f"{sides[0].who} and {sides[1].who}"
    if not seeds:
        raise LackingError(f"{who} share no seed", changes="runs of one seed")
    found = _bounds(sides, seeds, _levels(records, claim, sides))
    level, bound = claim.criterion.level, math.log(claim.criterion.bound)
    low, _ = _limit(found.low, -1, level)
    high, error = _limit(found.high, 1, level)
    exact = found.bound == 0
    flaws = [flaw for side in sides for flaw in (side.flaw,) if flaw]
    flaws += [flaw for flaw in (unsure(claim), _single(seeds, low, high)) if flaw]
    outcome: Outcome = "inconclusive"
    if low > bound or high < bound:
        outcome = "holds" if low > bound else "does not hold"
    above = float(np.mean(found.high))
    testable = not flaws and math.isfinite(above)
    value = math.exp(above) if exact else math.nan
    told = (
        f"images of {claim.against} over those of {claim.subject}: "
        f"{_times(found, low, high, level)}, {counted(len(seeds), 'run')} on one noise; "
        f"{found.exact} thresholds reached by both, "
        f"{found.bound} by one side and so bounds, {found.neither} by neither and left out"
    )
    verdict = curves_of(begin(claim), sides, seeds)
    return verdict.model_copy(
        update={
            "verdict": "undecided" if flaws else outcome,
            "scope": scope_of(len(seeds)) if len(seeds) > 1 else "this run",
            "figure": f"images of {claim.against} / images of {claim.subject}",
            "value": value,
            "low": math.exp(low),
            "high": math.exp(high),
            "p_value": beyond(bound - above, [error]) if testable else math.nan,
            "reason": "; ".join([told, *flaws, *sides[0].notes, *sides[1].notes]),
            "changes": "a second training seed of both at least"
            if len(seeds) == 1
            else f"{MORE_RUNS}, or of longer ones that reach the same thresholds",
        }
    )


def _levels(records: Records, claim: Claim, sides: list[Side]) -> list[float]:
    """The thresholds: multiples of the teacher's distance on the noise of the curves."""
    alike = claim.protocol.model_copy(update={"n_images": sides[0].about.n_images})
    asked = claim._replace(against="", protocol=alike)
    teacher = records.teacher(asked, sides[0], fresh=False)
    comparable([*sides, teacher])
    if len(teacher.values) > 1:
        raise LackingError(
            f"the records have {teacher.who} of several seeds", changes="one teacher"
        )
    (values,) = teacher.values.values()
    level = next(iter(values.values()))
    return [multiple * level for multiple in constants(claim, "multiples")]


def _bounds(sides: list[Side], seeds: list[int], levels: list[float]) -> Bounds:
    low, high, counts = [], [], {"exact": 0, "bound": 0, "neither": 0}
    for seed in seeds:
        steps = []
        for level in levels:
            fast, slow = (images_bounds(*_curve(side, seed), level) for side in sides)
            step = (slow[0] - fast[1], slow[1] - fast[0])
            finite = sum(map(math.isfinite, step))
            counts[("neither", "bound", "exact")[finite]] += 1
            steps += [step] if finite else []
        if not steps:
            raise LackingError(f"seed {seed}: no threshold is reached by either side")
        low.append(float(np.mean([step[0] for step in steps])))
        high.append(float(np.mean([step[1] for step in steps])))
    return Bounds(np.array(low), np.array(high), **counts)


def _curve(side: Side, seed: int) -> tuple[Array, Array]:
    points = sorted((kimg, value) for kimg, value in side.values[seed].items() if kimg > 0)
    if not points:
        raise LackingError(f"{side.who}: seed {seed} has no snapshot after image 0")
    images, distances = np.array(points).T
    return images, distances


def _limit(values: Array, way: int, level: float) -> tuple[float, Part]:
    """The mean's limit to one side, and the mean's variance; infinite if any value is."""
    runs, error = len(values), Part(math.nan, 0)
    if not np.isfinite(values).all():
        return way * math.inf, error
    if runs > 1:
        error = Part(float(values.var(ddof=1)) / runs, runs - 1)
    return float(values.mean()) + way * reach([error], level), error


def _single(seeds: list[int], low: float, high: float) -> str:
    if len(seeds) == 1:
        return "one run of each; the points of one curve are no repetition"
    return "the runs have no spread to judge by" if low == high else ""


def _times(found: Bounds, low: float, high: float, level: float) -> str:
    """The ratio in words, from one bound to the other where it is not known."""
    least, most = (math.exp(float(np.mean(each))) for each in (found.low, found.high))
    ratio = f"{least:.3g}" if least == most else f"{least:.3g} to {most:.3g}"
    if least == 0 and most == math.inf:
        return "not bounded from either side"
    if math.isnan(low):
        return ratio
    return f"{ratio}, {per_cent(level)} interval {math.exp(low):.3g} to {math.exp(high):.3g}"
