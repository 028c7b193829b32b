"""The verdicts on claims: each by the rule of its kind, and all of a page together."""

import math
from collections.abc import Callable, Sequence

import pandas as pd

from sid.errors import UserError
from sid.verdict.checkpoint import checkpoint
from sid.verdict.claim import Claim, Claims
from sid.verdict.design import holm
from sid.verdict.entries import Kind
from sid.verdict.evidence import Records
from sid.verdict.fall import fall
from sid.verdict.faster import faster
from sid.verdict.judged import begin
from sid.verdict.power_law import follows_power_law
from sid.verdict.ranking import ranking
from sid.verdict.retraining import retraining
from sid.verdict.side import LackingError
from sid.verdict.verdict import BROKEN, Verdict

KINDS: dict[Kind, Callable[[Records, Claim], Verdict]] = {
    "checkpoint": checkpoint,
    "retraining": retraining,
    "ranking": ranking,
    "fall": fall,
    "power-law": follows_power_law,
    "faster": faster,
}


def judge(table: pd.DataFrame, claims: Claims, names: Sequence[str] | None = None) -> list[Verdict]:
    """What the records say of each claim.

    Args:
        table: records as of `sid.evaluate.records`.
        claims: as of `sid.verdict.claim.load_claims`.
        names: which of them; None for those whose subject is a recipe of the records.

    Returns:
        One verdict a claim, in the file's order, with Holm's correction over all of them.

    Raises:
        UserError: a name is no claim's.
    """
    unknown = [name for name in names or () if name not in claims.claims]
    if unknown:
        raise UserError(f"{claims.path}: has no claim {unknown[0]}; `sid claims` lists them")
    records = Records(table)
    chosen = [
        claim
        for name, claim in claims.claims.items()
        if (claim.subject in records.recipes if names is None else name in names)
    ]
    return together([_judged(records, claim) for claim in chosen])


def _judged(records: Records, claim: Claim) -> Verdict:
    try:
        return KINDS[claim.kind](records, claim)
    except LackingError as lack:
        update = {"verdict": lack.outcome, "reason": lack.reason, "changes": lack.changes}
        return begin(claim).model_copy(update=update)


def together(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Verdicts that are read together: those that Holm's correction does not keep are open again.

    All tests that could have broken a claim count, and among rankings also those that keep one.
    """
    broken = holm([each.p_value for each in verdicts])
    kept = holm([each.p_kept for each in verdicts])
    found = []
    for each, p, p_kept in zip(verdicts, broken, kept, strict=True):
        verdict = each.model_copy(update={"p_holm": p, "p_kept_holm": p_kept})
        least, outcome = (1 - verdict.level) / 2, verdict.verdict
        count, read = 0, math.nan
        if outcome in BROKEN and p > least:
            count, read = sum(not math.isnan(one) for one in broken), p
        if outcome == "holds" and p_kept > least:
            count, read = sum(not math.isnan(one) for one in kept), p_kept
        if count:
            update = {
                "verdict": "inconclusive",
                "reason": f"{verdict.reason}; alone it would be `{outcome}`, but of {count} tests "
                f"on this page Holm's correction gives p = {read:.2g}, above {least:.2g}",
                "changes": "an experiment of more draws or runs, fixed beforehand",
            }
            verdict = verdict.model_copy(update=update)
        found.append(verdict)
    return found
