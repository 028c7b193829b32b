"""Does a published checkpoint give the published number? Draws of one generator against it."""

import math

import numpy as np

from sid.verdict.claim import Claim
from sid.verdict.design import Estimate, beyond, crossed, published_shift, published_variance
from sid.verdict.evidence import Records, logs, shared
from sid.verdict.judged import (
    MANY,
    Judged,
    Ratio,
    begin,
    compared,
    first_enough,
    from_start,
    limits,
    many_t,
    measured,
    per_cent,
    ratio_of,
    spreads,
    unsure,
)
from sid.verdict.published import Number
from sid.verdict.side import LackingError
from sid.verdict.verdict import Outcome

KINDS = {
    "mean of 10": "a mean of ten evaluations",
    "single": "one evaluation",
    "minimum of 3": "the least of three evaluations",
    "unknown": "counted as one evaluation, since of how many it is is not known",
}


def checkpoint(records: Records, claim: Claim) -> Judged:
    """Compare our draws with the published value, two-sided, within the margin.

    Raises:
        LackingError: the records decide nothing.
    """
    number, side = _number(claim), records.external(claim, claim.subject)
    draws, short = shared([side], claim.protocol.draws)
    found = crossed(logs(side, list(side.values), draws))
    share, of = number.rounding / number.value, claim.protocol.of
    add = published_shift(of, found.redraw_sd)
    error = published_variance(of, found.redraw_sd, np.array([found.draws]), share)
    variance = found.variance + float(error[0])
    level, margin = claim.criterion.level, math.log1p(claim.criterion.bound)
    ratio = ratio_of(
        found.mean - math.log(number.value) - add,
        variance,
        found.new_variance,
        found.freedom,
        level,
    )
    away = abs(ratio.value)
    flaws = list(filter(None, (side.flaw, short, unsure(claim), _still(found))))
    outcome: Outcome = "undecided" if flaws else _outcome(ratio, margin)
    verdict = measured(begin(claim), [side], list(side.values), draws, found)
    verdict = compared(verdict, ratio, outcome, "this checkpoint")
    least = " (of which the expectation counts)" if add else ""
    told = (
        f"reads {math.exp(found.mean):.4g} over {spreads(found)}, published is {number.text}, "
        f"{KINDS[claim.protocol.of]}{least}: ratio {verdict.value:.4g}, {limits(verdict)}, margin "
        f"{per_cent(claim.criterion.bound)}"
    )
    return Judged(
        verdict.model_copy(
            update={
                "figure": "reproduced / published",
                "reproduced": math.exp(found.mean),
                "needed_margin": math.expm1(away + ratio.half),
                "p_value": math.nan if flaws else beyond(away - margin, variance, found.freedom),
                "reason": "; ".join([told, *flaws, *side.notes]),
                "changes": _changes(claim, outcome, ratio, found, bool(unsure(claim))),
            }
        )
    )


def _number(claim: Claim) -> Number:
    if claim.number is None:
        raise LackingError("the claim has no published number")
    return claim.number


def _still(found: Estimate) -> str:
    """A flaw where draws do not scatter."""
    return "" if found.decides() else "its draws have no spread to judge by"


def _outcome(ratio: Ratio, margin: float) -> Outcome:
    away = abs(ratio.value)
    if away + ratio.half < margin:
        return "reproduces"
    return "differs" if away - ratio.half > margin else "inconclusive"


def _changes(
    claim: Claim, outcome: Outcome, ratio: Ratio, found: Estimate, unverified: bool
) -> str:
    """What would change the verdict, in words."""
    if unverified:
        return "the published value checked against the paper"
    if outcome == "undecided":
        return f"{claim.protocol.draws} draws of the published protocol, each of its own noise"
    if outcome != "inconclusive":
        needed = per_cent(math.expm1(abs(ratio.value) + ratio.half))
        return f"a margin on the other side of {needed}, or another published value"
    more = _more_draws(claim, ratio, found)
    if more:
        return from_start(found.draws + more, "draws")
    mean = "" if claim.protocol.of == "mean of 10" else "a published mean of ten, or "
    needed = per_cent(math.expm1(abs(ratio.value) + ratio.half))
    return f"{mean}a margin of {needed}; draws alone would not do"


def _more_draws(claim: Claim, ratio: Ratio, found: Estimate) -> int:
    """How many more draws would decide, with the mean and the spread as they are; 0 for none."""
    number, away = _number(claim), abs(ratio.value)
    draws = np.arange(1.0, MANY + 1)
    s, share = found.redraw_sd, number.rounding / number.value
    variance = s**2 / draws + published_variance(claim.protocol.of, s, draws, share)
    half = many_t(claim.criterion.level) * np.sqrt(variance)
    margin = math.log1p(claim.criterion.bound)
    return max(0, first_enough((away + half < margin) | (away - half > margin)) - found.draws)
