"""Each published number with the verdicts of the claims that cite it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

import pandas as pd

from sid.verdict.claim import Claim, Claims
from sid.verdict.published import GRADES, load_published
from sid.verdict.verdict import Verdict

ADDED = ("may_decide", "claims", "verdict", "reason")
NO_CLAIM = "no claim"


def cited(claims: Claims, verdicts: Sequence[Verdict]) -> pd.DataFrame:
    """The rows of `results.csv` with what was found about each.

    Args:
        claims: with the numbers that they cite.
        verdicts: on some of them; the others are not run.

    Returns:
        The rows and the columns `ADDED`: whether the row's grade may decide anything; the claims
        that cite it, its value or another print of the same number; their verdicts and reasons, in
        that order, with semicolons between; `no claim` and why where none does.

    Raises:
        UserError: the table cannot be used.
    """
    results = load_published(claims.path.parent / "results.csv")
    citing: dict[int, list[Claim]] = defaultdict(list)
    for claim in claims.claims.values():
        for row in claim.number.rows if claim.number else ():
            citing[row].append(claim)
    judged = {verdict.claim: verdict for verdict in verdicts}
    added = [
        _of_claims(citing[row], judged) if row in citing else ("", NO_CLAIM, _why(claims, *asked))
        for row, *asked in results[["dataset", "method", "metric"]].itertuples()
    ]
    may_decide = results["evidence"].map(GRADES)
    table = pd.DataFrame(added, columns=ADDED[1:], index=results.index)
    return results.assign(may_decide=may_decide).join(table)


def _of_claims(citing: Sequence[Claim], judged: Mapping[str, Verdict]) -> tuple[str, str, str]:
    """Names, verdicts and reasons."""
    found = [judged.get(claim.name) for claim in citing]
    reasons = [
        verdict.reason if verdict else f"the records have nothing of {claim.subject}"
        for claim, verdict in zip(citing, found, strict=True)
    ]
    return (
        "; ".join(claim.name for claim in citing),
        "; ".join(verdict.verdict if verdict else "not run" for verdict in found),
        "; ".join(dict.fromkeys(reasons)),
    )


def _why(claims: Claims, dataset: str, method: str, metric: str) -> str:
    """Why no claim cites a row."""
    if dataset not in {about.published.get("dataset") for about in claims.subjects.values()}:
        return f"no recipe here is of {dataset}"
    if method not in {about.method for about in claims.subjects.values()}:
        return f"{method} is not run here: shown beside the claims, and judged by none"
    if metric not in {claim.protocol.number for claim in claims.claims.values()}:
        return f"no claim here is about {metric}"
    return "of a setting that no claim is about, or that the source does not tell"
