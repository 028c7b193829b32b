"""What the verdicts of the rehearsal must be."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sid.errors import UserError
from sid.files import read_table


class Found(NamedTuple):
    """A row of `verdicts.csv`."""

    verdict: str
    reason: str


def check(folder: Path, planted: Mapping[str, str], names: Sequence[str]) -> list[str]:
    """Compare the verdicts with what was planted.

    Args:
        folder: of the rehearsal.
        planted: claim of `sid verify` -> what its verdict must be.
        names: the claims of the experiment.

    Returns:
        What was found, line by line.

    Raises:
        UserError: a verdict is another, or one of the experiment's claims has no evidence.
    """
    verified = read_verdicts(folder / "verify" / "verdict" / "verdicts.csv")
    judged = read_verdicts(folder / "cifar10" / "verdict" / "verdicts.csv")
    for claims, found in ((planted, verified), (names, judged)):
        missing = [claim for claim in claims if claim not in found]
        if missing:
            raise UserError(f"{missing[0]}: is not judged")
    for claim, wanted in planted.items():
        verdict, reason = verified[claim]
        if verdict != wanted:
            raise UserError(f"{claim}: {verdict}, and must be: {wanted} ({reason})")
    for claim in names:
        verdict, reason = judged[claim]
        if verdict == "not run" or not reason:
            raise UserError(f"{claim}: {verdict}: {reason or 'without a reason'}")
    shown = {claim: verified[claim] for claim in planted} | {name: judged[name] for name in names}
    return [f"{row.verdict:>14}  {claim}: {row.reason}" for claim, row in shown.items()]


def read_verdicts(path: Path) -> dict[str, Found]:
    """Verdicts by claim."""
    table = read_table(path, "run `make rehearsal` again", dtype=str)
    rows = zip(table["claim"], table["verdict"], table["reason"], strict=True)
    return {claim: Found(verdict, reason) for claim, verdict, reason in rows}
