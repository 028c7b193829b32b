"""Does training again reach the published number? Runs of a recipe, at the publisher's snapshot.

*Reached* is a limit of our mean. *Not reached* is a limit of a new run, measured as the publisher
measured, since the published number is itself that of one run and of few draws. Below the
publisher's images it is only ever *reached*, or left open.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sid.verdict.claim import Claim
from sid.verdict.design import Estimate, crossed
from sid.verdict.evidence import Records, logs, shared, sign
from sid.verdict.gap import SHIFT, SPREAD
from sid.verdict.judged import (
    MANY,
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
    scope_of,
    spreads,
    unsure,
)
from sid.verdict.parts import Part, beyond, known, reach
from sid.verdict.published import Number
from sid.verdict.side import LackingError, Side
from sid.verdict.verdict import Outcome, Verdict


class Beside(NamedTuple):
    """Fresh draws of runs beside the published value.

    Attributes:
        side: the runs.
        seeds, draws: those that count.
        found: their logarithms.
        difference: of the logarithms of reproduced and published.
        flaws: why nothing is decided, of what concerns one run too.
    """

    side: Side
    seeds: list[int]
    draws: list[float]
    found: Estimate
    difference: float
    flaws: list[str]


def beside_published(records: Records, claim: Claim, number: Number) -> Beside:
    """Fresh draws of the selected snapshots, as far as the claim asks for them, beside its number.

    Raises:
        LackingError: the records have none.
    """
    side = records.final(claim, claim.subject)
    draws, short = shared([side], claim.protocol.draws)
    seeds = sorted(side.values)
    found = crossed(logs(side, seeds, draws))
    flaws = list(filter(None, (side.flaw, short, unsure(claim))))
    return Beside(side, seeds, draws, found, found.mean - math.log(number.value), flaws)


def retraining(records: Records, claim: Claim) -> Verdict:
    """Compare fresh draws of the selected snapshots with the published value, one-sided.

    Raises:
        LackingError: the records decide nothing.
    """
    if claim.number is None:
        raise LackingError("the claim has no published number")
    side, seeds, draws, found, difference, flaws = beside_published(records, claim, claim.number)
    level, bound = claim.criterion.level, claim.criterion.bound
    new, shift = _new(claim, claim.number, found)
    ratio = ratio_of(difference, found.parts, new, level)
    ratio = ratio._replace(new=ratio.new + shift)
    worse = ratio.worse(sign(claim.protocol.metric))
    budget = records.budget(claim.subject, seeds)
    early = budget < claim.about.kimg or claim.about.kimg == 0
    flaws = list(filter(None, (*flaws, _single(found))))
    outcome: Outcome = "undecided" if flaws else _outcome(worse, math.log1p(bound), early)
    scope = scope_of(found.runs) + (f", at {budget:,.0f} kimg" if early else "")
    verdict = compared(measured(begin(claim), [side], seeds, draws, found), ratio, outcome, scope)
    at = sorted({side.kimg[seed] for seed in seeds})
    where = f"{at[0]:,.6g}" if len(at) == 1 else f"{at[0]:,.6g} to {at[-1]:,.6g}"
    told = (
        f"reads {math.exp(found.mean):.4g} at {where} kimg over {spreads(found)}, published is "
        f"{claim.number.text}: ratio {verdict.value:.4g}, {limits(verdict)}, of a new run "
        f"{verdict.new_low:.4g} to {verdict.new_high:.4g}, margin {per_cent(bound)}"
    )
    failing = beyond(worse.value - shift - math.log1p(bound), new)
    return verdict.model_copy(
        update={
            "figure": "reproduced / published",
            "reproduced": math.exp(found.mean),
            "needed_margin": math.expm1(worse.high),
            "p_value": math.nan if flaws or early else failing,
            "reason": "; ".join([told, *flaws, *_early(claim, budget, early), *side.notes]),
            "changes": _changes(claim, outcome, worse, found, new, early),
        }
    )


def _new(claim: Claim, number: Number, found: Estimate) -> tuple[list[Part], float]:
    """The error of a new run's published number about our mean, and a minimum's expected shift.

    Draws of the publisher's scatter as ours do, and a printed number is rounded.
    """
    of, share, freedom = claim.protocol.of, number.rounding / number.value, found.draws - 1
    own = [Part(SPREAD[of] * found.redraw_sd**2, freedom), Part(share**2 / 3, freedom)]
    shift = SHIFT[of] * found.redraw_sd if SHIFT[of] else 0.0
    return [*found.new, *own], shift


def _single(found: Estimate) -> str:
    """A flaw where nothing can be said of training."""
    if found.runs == 1:
        return "one run, which says nothing of training again"
    return "" if known(found.parts) else "its runs have no spread to judge by"


def _early(claim: Claim, budget: float, early: bool) -> list[str]:
    if not early:
        return []
    full = f"{claim.about.kimg:,.0f}" if claim.about.kimg else "a number that is not known"
    return [f"after {budget:,.0f} of the publisher's {full} kimg it is reached or left open"]


def _outcome(worse: Ratio, margin: float, early: bool) -> Outcome:
    if worse.high < margin:
        return "reached"
    if early:
        return "undecided"
    return "not reached" if worse.value - worse.new > margin else "inconclusive"


def _changes(
    claim: Claim,
    outcome: Outcome,
    worse: Ratio,
    found: Estimate,
    new: Sequence[Part],
    early: bool,
) -> str:
    """What would change the verdict, in words."""
    if unsure(claim):
        return "the published value checked against the paper"
    needed = per_cent(math.expm1(worse.high))
    if outcome == "undecided" and found.runs == 1:
        return "a second training seed at least; see docs/verdicts.md for how many"
    if outcome == "undecided" and early:
        return f"training on to the publisher's images, or a margin of {needed}"
    if outcome == "undecided":
        return f"{claim.protocol.draws} draws of each run by the published protocol"
    if outcome != "inconclusive":
        return f"a margin on the other side of {needed}, or another published value"
    margin = math.log1p(claim.criterion.bound)
    more = more_runs(found, worse.value, margin, claim.criterion.level, new)
    if more:
        return from_start(found.runs + more, "runs")
    return f"a margin of {needed}; runs alone would not do, as the published one is one run"


def more_runs(
    found: Estimate, value: float, margin: float, level: float, new: Sequence[Part] = ()
) -> int:
    """How many more runs would decide, with the mean and the spreads as they are; 0 for none.

    Args:
        found: the runs.
        value: log ratio, above 0 where it is worse than published.
        margin: on the same scale.
        level: of the interval.
        new: parts of the error of a new run, the first that of runs, where the claim is broken by
            that; else it is broken by the mean.
    """
    runs = np.arange(1.0, MANY + 1)
    of_runs = (many_t(level) * found.run_sd) ** 2
    half = np.sqrt(of_runs / runs + reach(found.parts[-1:], level) ** 2)
    again = np.sqrt(of_runs * (1 + 1 / runs) + reach(new[1:], level) ** 2) if new else half
    return max(0, first_enough((value + half < margin) | (value - again > margin)) - found.runs)
