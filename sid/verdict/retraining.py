"""Does training again reach the published number? Runs of a recipe, at the publisher's snapshot.

*Reached* is a limit of our mean. *Not reached* is a limit of a new run, since the published number
is itself that of one run. Below the publisher's images it is only ever *reached*, or left open.
"""

import math
from typing import NamedTuple

import numpy as np

from sid.verdict.claim import Claim
from sid.verdict.design import Estimate, beyond, crossed
from sid.verdict.evidence import Records, logs, shared, sign
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
    scope_of,
    spreads,
    unsure,
)
from sid.verdict.side import LackingError, Side
from sid.verdict.verdict import Outcome


class Beside(NamedTuple):
    """Fresh draws of runs beside the published value.

    Attributes:
        side: the runs.
        seeds, draws: those that count.
        found: their logarithms.
        ratio: reproduced over published.
        worse: the same, turned so that above 0 is worse than published.
        flaws: why nothing is decided, of what concerns one run too.
    """

    side: Side
    seeds: list[int]
    draws: list[float]
    found: Estimate
    ratio: Ratio
    worse: Ratio
    flaws: list[str]

    def within(self, bound: float) -> bool:
        """Whether the upper limit is within so much of the published value; a margin as a share."""
        return self.worse.value + self.worse.half < math.log1p(bound)


def beside_published(records: Records, claim: Claim) -> Beside:
    """Fresh draws of the selected snapshots, as far as the claim asks for them, beside its number.

    Raises:
        LackingError: the records have none.
    """
    if claim.number is None:
        raise LackingError("the claim has no published number")
    side = records.final(claim, claim.subject)
    draws, short = shared([side], claim.protocol.draws)
    seeds = sorted(side.values)
    found = crossed(logs(side, seeds, draws))
    difference = found.mean - math.log(claim.number.value)
    level = claim.criterion.level
    ratio = ratio_of(difference, found.variance, found.new_variance, found.freedom, level)
    worse = Ratio(sign(claim.protocol.metric) * difference, ratio.half, ratio.new)
    flaws = list(filter(None, (side.flaw, short, unsure(claim))))
    return Beside(side, seeds, draws, found, ratio, worse, flaws)


def retraining(records: Records, claim: Claim) -> Judged:
    """Compare fresh draws of the selected snapshots with the published value, one-sided.

    Raises:
        LackingError: the records decide nothing.
    """
    side, seeds, draws, found, ratio, worse, flaws = beside = beside_published(records, claim)
    assert claim.number
    bound = claim.criterion.bound
    budget = records.budget(claim.subject, seeds)
    early = budget < claim.about.kimg or claim.about.kimg == 0
    flaws = list(filter(None, (*flaws, _single(found))))
    outcome: Outcome = "undecided" if flaws else _outcome(beside, bound, early)
    scope = scope_of(found.runs) + (f", at {budget:,.0f} kimg" if early else "")
    verdict = compared(measured(begin(claim), [side], seeds, draws, found), ratio, outcome, scope)
    at = sorted({side.kimg[seed] for seed in seeds})
    where = f"{at[0]:,.6g}" if len(at) == 1 else f"{at[0]:,.6g} to {at[-1]:,.6g}"
    told = (
        f"reads {math.exp(found.mean):.4g} at {where} kimg over {spreads(found)}, published is "
        f"{claim.number.text}: ratio {verdict.value:.4g}, {limits(verdict)}, of a new run "
        f"{verdict.new_low:.4g} to {verdict.new_high:.4g}, margin {per_cent(bound)}"
    )
    failing = beyond(worse.value - math.log1p(bound), found.new_variance, found.freedom)
    return Judged(
        verdict.model_copy(
            update={
                "figure": "reproduced / published",
                "reproduced": math.exp(found.mean),
                "needed_margin": math.expm1(worse.value + worse.half),
                "p_value": math.nan if flaws or early else failing,
                "reason": "; ".join([told, *flaws, *_early(claim, budget, early), *side.notes]),
                "changes": _changes(claim, outcome, worse, found, early),
            }
        )
    )


def _single(found: Estimate) -> str:
    """A flaw where nothing can be said of training."""
    if found.runs == 1:
        return "one run, which says nothing of training again"
    return "" if found.decides() else "its runs have no spread to judge by"


def _early(claim: Claim, budget: float, early: bool) -> list[str]:
    if not early:
        return []
    known = f"{claim.about.kimg:,.0f}" if claim.about.kimg else "a number that is not known"
    return [f"after {budget:,.0f} of the publisher's {known} kimg it is reached or left open"]


def _outcome(beside: Beside, bound: float, early: bool) -> Outcome:
    if beside.within(bound):
        return "reached"
    if early:
        return "undecided"
    beyond_it = beside.worse.value - beside.worse.new > math.log1p(bound)
    return "not reached" if beyond_it else "inconclusive"


def _changes(claim: Claim, outcome: Outcome, worse: Ratio, found: Estimate, early: bool) -> str:
    """What would change the verdict, in words."""
    if unsure(claim):
        return "the published value checked against the paper"
    needed = per_cent(math.expm1(worse.value + worse.half))
    if outcome == "undecided" and found.runs == 1:
        return "a second training seed at least; see docs/verdicts.md for how many"
    if outcome == "undecided" and early:
        return f"training on to the publisher's images, or a margin of {needed}"
    if outcome == "undecided":
        return f"{claim.protocol.draws} draws of each run by the published protocol"
    if outcome != "inconclusive":
        return f"a margin on the other side of {needed}, or another published value"
    margin = math.log1p(claim.criterion.bound)
    more = more_runs(found, worse.value, margin, claim.criterion.level)
    if more:
        return from_start(found.runs + more, "runs")
    return f"a margin of {needed}; runs alone would not do, as the published one is one run"


def more_runs(found: Estimate, value: float, margin: float, level: float) -> int:
    """How many more runs would decide, with the mean and the spreads as they are; 0 for none.

    Args:
        found: the runs.
        value: log ratio, above 0 where it is worse than published.
        margin: on the same scale.
        level: of the interval.
    """
    runs = np.arange(1.0, MANY + 1)
    draws_part = found.variance - found.run_sd**2 / found.runs
    t = many_t(level)
    half = t * np.sqrt(found.run_sd**2 / runs + draws_part)
    new = t * np.sqrt(found.run_sd**2 * (1 + 1 / runs) + draws_part)
    return max(0, first_enough((value + half < margin) | (value - new > margin)) - found.runs)
