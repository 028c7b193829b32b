"""Is one generator better than another, or than the teacher? Differences paired by draw.

Runs are paired by their seed as well where both recipes have it. A teacher is one network, drawn
with the same noise; what is found is given this teacher: another training would have made another.
"""

import math

import numpy as np

from sid.verdict.claim import TEACHER, Claim
from sid.verdict.design import Array, Estimate, crossed, unpaired
from sid.verdict.evidence import Records, logs, shared, sign
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
    ratio_of,
    scope_of,
    spreads,
    unsure,
)
from sid.verdict.parts import beyond, known
from sid.verdict.retraining import more_runs
from sid.verdict.side import LackingError, Side
from sid.verdict.verdict import Outcome, Verdict


def ranking(records: Records, claim: Claim) -> Verdict:
    """Compare the subject with what the claim sets it against, by the ratio of their values.

    Raises:
        LackingError: the records decide nothing.
    """
    subject = _side(records, claim, claim.subject)
    against, fixed = _against(records, claim, subject)
    draws, short = shared([subject, against], claim.protocol.draws)
    found, seeds, paired = _difference(subject, against, draws, fixed)
    level, bound = claim.criterion.level, math.log(claim.criterion.bound)
    ratio = ratio_of(found.mean, found.parts, found.new, level)
    worse = ratio.worse(sign(claim.protocol.metric))
    flaws = [flaw for flaw in (subject.flaw, against.flaw, short, unsure(claim)) if flaw]
    flaws += [flaw for flaw in (_single(found, fixed),) if flaw]
    outcome: Outcome = "undecided" if flaws else _outcome(worse, bound)
    verdict = measured(begin(claim), [subject, against], seeds, draws, found)
    verdict = compared(verdict, ratio, outcome, scope_of(found.runs))
    told = (
        f"{subject.who} against {against.who}: ratio {verdict.value:.4g}, {limits(verdict)}, over "
        f"{spreads(found)}, {paired}; bound {claim.criterion.bound:g}"
    )
    notes = [*subject.notes, *against.notes, *records.bias(claim, subject)]
    failing, kept = (
        math.nan if flaws else beyond(away, found.parts)
        for away in (worse.value - bound, bound - worse.value)
    )
    return verdict.model_copy(
        update={
            "figure": f"{claim.subject} / {claim.against}",
            "needed_margin": math.expm1(worse.high),
            "p_value": failing,
            "p_kept": kept,
            "reason": "; ".join([told, *flaws, *notes]),
            "changes": _changes(claim, outcome, worse, found, fixed),
        }
    )


def _side(records: Records, claim: Claim, recipe: str) -> Side:
    """A recipe's runs, or a generator that was not trained here."""
    if records.rows("external", recipe) and not records.rows("final", recipe):
        return records.external(claim, recipe)
    return records.final(claim, recipe)


def _against(records: Records, claim: Claim, subject: Side) -> tuple[Side, bool]:
    """What the subject is set against, and whether that is a teacher."""
    if claim.against == TEACHER or records.rows("teacher", claim.against):
        return records.teacher(claim, subject), True
    side = _side(records, claim, claim.against)
    return side, side.about.role == "external" and side.about.nfe > 1


def _difference(
    subject: Side, against: Side, draws: list[float], fixed: bool
) -> tuple[Estimate, list[int], str]:
    """The differences, the seeds that they are of, and how they are paired."""
    mine, theirs = sorted(subject.values), sorted(against.values)
    if fixed:
        if len(theirs) > 1:
            raise LackingError(
                f"the records have {against.who} of several seeds", changes="one teacher"
            )
        steps = logs(subject, mine, draws) - logs(against, theirs, draws)
        return crossed(steps), mine, "paired by draw, given this teacher"
    both = sorted(set(mine) & set(theirs))
    if len(both) > 1 or min(len(mine), len(theirs)) == 1:
        a, b = (logs(s, both or t, draws) for s, t in ((subject, mine), (against, theirs)))
        steps = a - b if both else _means(a) - _means(b)
        return crossed(steps), both or mine, "paired by draw and seed" if both else "paired by draw"
    a, b = logs(subject, mine, draws), logs(against, theirs, draws)
    return unpaired(a, b), sorted({*mine, *theirs}), "paired by draw, runs of different seeds"


def _means(y: Array) -> Array:
    means: Array = np.mean(y, axis=0, keepdims=True)
    return means


def _single(found: Estimate, fixed: bool) -> str:
    """A flaw where nothing can be said of methods."""
    if found.runs == 1 and not fixed:
        return "one run of a side, which ranks no methods"
    return "" if known(found.parts) else "the differences have no spread to judge by"


def _outcome(worse: Ratio, bound: float) -> Outcome:
    if worse.high < bound:
        return "holds"
    return "does not hold" if worse.low > bound else "inconclusive"


def _changes(claim: Claim, outcome: Outcome, worse: Ratio, found: Estimate, fixed: bool) -> str:
    """What would change the verdict, in words."""
    if unsure(claim):
        return "its source checked against the paper"
    if outcome == "undecided" and found.runs == 1 and not fixed:
        return "a second training seed of both sides at least"
    if outcome == "undecided":
        return f"{claim.protocol.draws} draws of both sides, with the same numbers"
    if outcome != "inconclusive":
        edge = math.exp(worse.high if outcome == "holds" else worse.low)
        return f"a bound on the other side of {edge:.4g}, or other runs"
    bound, level = math.log(claim.criterion.bound), claim.criterion.level
    if found.runs == 1:
        have, what = found.draws, "draws of both sides"
        more = more_draws(found, worse.value, bound, level)
    else:
        have, what = found.runs, "runs"
        more = more_runs(found, worse.value, bound, level)
    return from_start(have + more, what) if more else f"an experiment of more {what}"


def more_draws(found: Estimate, value: float, bound: float, level: float) -> int:
    """How many more draws would decide, with the mean and the spread as they are; 0 for none."""
    half = many_t(level) * found.redraw_sd / np.sqrt(np.arange(1.0, MANY + 1))
    return max(0, first_enough(half < abs(value - bound)) - found.draws)
