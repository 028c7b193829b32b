"""By how much does a distance fall from the undistilled generator to the last snapshot?"""

import math

import numpy as np

from sid.verdict.claim import Claim
from sid.verdict.design import Array
from sid.verdict.evidence import Records, logs, shared
from sid.verdict.judged import (
    MORE_RUNS,
    Ratio,
    begin,
    compared,
    counted,
    curves_of,
    limits,
    ratio_of,
    scope_of,
    unsure,
)
from sid.verdict.parts import Part, beyond, known
from sid.verdict.side import LackingError, Side
from sid.verdict.verdict import Outcome, Verdict


def fall(records: Records, claim: Claim) -> Verdict:
    """Compare the first and the last point of each run's curve.

    All curves are of one noise. What another noise would change is taken from the fresh draws of
    the last snapshot, as the spread of the draws' means over the runs, and counts at both ends.

    Raises:
        LackingError: the records decide nothing.
    """
    side = records.curves(claim, claim.subject)
    seeds, steps = sorted(side.values), []
    for seed in seeds:
        curve = side.values[seed]
        if min(curve) > 0 or len(curve) < 2:
            raise LackingError(
                f"{side.who}: seed {seed} has no snapshot at image 0 and a later one"
            )
        steps.append(math.log(curve[min(curve)] / curve[max(curve)]))
    noise, runs = _noise(records, claim, side), len(seeds)
    spread = float(np.var(steps, ddof=1)) if runs > 1 else math.nan
    parts, new = [noise], [noise]
    if runs > 1:
        parts.append(Part(spread / runs, runs - 1))
        new.append(Part(spread * (1 + 1 / runs), runs - 1))
    ratio = ratio_of(float(np.mean(steps)), parts, new, claim.criterion.level)
    bound = math.log(claim.criterion.bound)
    flaws = [flaw for flaw in (side.flaw, unsure(claim), _single(runs, parts)) if flaw]
    outcome: Outcome = "undecided" if flaws else _outcome(ratio, bound)
    verdict = curves_of(begin(claim), [side], seeds)
    verdict = compared(verdict, ratio, outcome, scope_of(runs))
    told = (
        f"{side.who}: the distance falls by {verdict.value:.4g} times, {limits(verdict)}, over "
        f"{counted(runs, 'run')} on one noise; bound {claim.criterion.bound:g}"
    )
    return verdict.model_copy(
        update={
            "figure": "distance at image 0 / at the last",
            "run_sd": math.sqrt(spread),
            "p_value": math.nan if flaws else beyond(bound - ratio.value, parts),
            "reason": "; ".join([told, *flaws, *side.notes]),
            "changes": "a second training seed at least" if runs == 1 else MORE_RUNS,
        }
    )


def _noise(records: Records, claim: Claim, curves: Side) -> Part:
    """The variance of the logarithm of a ratio of two distances on one noise.

    The variance of a distance goes as one over the number of images.
    """
    fresh = records.final(claim, claim.subject)
    draws, _ = shared([fresh], claim.protocol.draws)
    y: Array = logs(fresh, sorted(fresh.values), draws)
    if len(draws) < 2:
        raise LackingError(f"{fresh.who}: one draw tells no spread", changes="more fresh draws")
    scale = fresh.about.n_images / curves.about.n_images
    return Part(2 * scale * float(y.mean(axis=0).var(ddof=1)), len(draws) - 1)


def _single(runs: int, parts: list[Part]) -> str:
    if runs == 1:
        return "one run, which says nothing of training again"
    return "" if known(parts) else "the runs have no spread to judge by"


def _outcome(ratio: Ratio, bound: float) -> Outcome:
    if ratio.low > bound:
        return "holds"
    return "does not hold" if ratio.high < bound else "inconclusive"
