"""Does a published checkpoint give the published number? Draws of one generator against it."""

import math
from bisect import bisect_left
from pathlib import Path

from sid.verdict.claim import Claim
from sid.verdict.design import Estimate, crossed
from sid.verdict.evidence import Records, logs, shared
from sid.verdict.gap import SHIFT, Gap
from sid.verdict.judged import (
    MANY,
    Ratio,
    begin,
    compared,
    from_start,
    limits,
    measured,
    per_cent,
    spreads,
    unsure,
)
from sid.verdict.parts import known, reach
from sid.verdict.published import Number
from sid.verdict.side import LackingError
from sid.verdict.verdict import Outcome, Verdict

KINDS = {
    "mean of 10": "a mean of ten evaluations",
    "single": "one evaluation",
    "minimum of 3": "the least of three evaluations",
    "unknown": "counted as one evaluation, since of how many it is is not known",
}


def checkpoint(records: Records, claim: Claim) -> Verdict:
    """Compare our draws with the published value, two-sided, within the margin.

    Raises:
        LackingError: the records decide nothing.
    """
    number, side = _number(claim), records.external(claim, claim.subject)
    draws, short = shared([side], claim.protocol.draws)
    found = crossed(logs(side, list(side.values), draws))
    level, margin = claim.criterion.level, math.log1p(claim.criterion.bound)
    gap = _gap(claim, number, found)
    ratio = Ratio(gap.value, *gap.limits(found.draws, level), reach(found.new, level))
    flaws = list(filter(None, (side.flaw, short, unsure(claim), _still(found))))
    outcome: Outcome = "undecided" if flaws else _outcome(gap, found.draws, margin, level)
    verdict = measured(begin(claim), [side], list(side.values), draws, found)
    scope = f"the file {Path(claim.given).name}" if claim.given else "this checkpoint"
    verdict = compared(verdict, ratio, outcome, scope)
    least = " (of which the expectation counts)" if SHIFT[claim.protocol.of] else ""
    told = (
        f"reads {math.exp(found.mean):.4g} over {spreads(found)}, published is {number.text}, "
        f"{KINDS[claim.protocol.of]}{least}: ratio {verdict.value:.4g}, {limits(verdict)}, margin "
        f"{per_cent(claim.criterion.bound)}"
    )
    return verdict.model_copy(
        update={
            "figure": "reproduced / published",
            "reproduced": math.exp(found.mean),
            "needed_margin": _needed(ratio),
            "p_value": math.nan if flaws else gap.beyond(found.draws, margin),
            "reason": "; ".join([told, *flaws, *side.notes]),
            "changes": _changes(claim, number, outcome, ratio, found, gap),
        }
    )


def _number(claim: Claim) -> Number:
    if claim.number is None:
        raise LackingError("the claim has no published number")
    return claim.number


def _still(found: Estimate) -> str:
    """A flaw where draws do not scatter."""
    return "" if known(found.parts) else "its draws have no spread to judge by"


def _gap(claim: Claim, number: Number, found: Estimate) -> Gap:
    """The log ratio, of a minimum with its expected shift."""
    of, s = claim.protocol.of, found.redraw_sd
    shift = SHIFT[of] * s if SHIFT[of] else 0.0
    value = found.mean - math.log(number.value) - shift
    return Gap(value, s, of, number.rounding / number.value)


def _needed(ratio: Ratio) -> float:
    """The smallest margin, as a share, at which the claim would be kept."""
    return math.expm1(max(-ratio.low, ratio.high))


def _outcome(gap: Gap, draws: int, margin: float, level: float) -> Outcome:
    low, high = gap.limits(draws, level)
    if -margin < low and high < margin:
        return "reproduces"
    beyond = low > margin or high < -margin
    if beyond and gap.beyond(draws, margin) <= (1 - level) / 2:
        return "differs"
    return "inconclusive"


def _changes(
    claim: Claim, number: Number, outcome: Outcome, ratio: Ratio, found: Estimate, gap: Gap
) -> str:
    """What would change the verdict, in words."""
    needed = per_cent(_needed(ratio))
    if unsure(claim):
        return "the published value checked against the paper"
    if outcome == "undecided":
        return f"{claim.protocol.draws} draws of the published protocol, each of its own noise"
    if outcome != "inconclusive":
        return _other_values(number, outcome, ratio, claim.criterion.bound)
    enough = _enough_draws(claim, gap, found.draws)
    if enough:
        return from_start(enough, "draws")
    mean = "" if claim.protocol.of == "mean of 10" else "a published mean of ten, or "
    return f"{mean}a margin of {needed}; draws alone would not do"


def _other_values(number: Number, outcome: Outcome, ratio: Ratio, bound: float) -> str:
    """The published values, in words, with which these draws would not give this outcome."""
    low, high = number.value * math.exp(ratio.low), number.value * math.exp(ratio.high)
    if outcome == "reproduces":
        return f"a published value outside {high / (1 + bound):.4g} to {low * (1 + bound):.4g}"
    return f"a published value between {low / (1 + bound):.4g} and {high * (1 + bound):.4g}"


def _enough_draws(claim: Claim, gap: Gap, have: int) -> int:
    """How many draws would decide, with the mean and the spread as they are; 0 for none."""
    level, margin = claim.criterion.level, math.log1p(claim.criterion.bound)

    def decide(draws: int) -> bool:
        return _outcome(gap, draws, margin, level) != "inconclusive"

    enough = bisect_left(range(MANY + 1), True, lo=have, key=decide)
    return enough if enough <= MANY else 0
