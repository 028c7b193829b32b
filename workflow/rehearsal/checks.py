"""What the verdicts of the rehearsal must be."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sid.errors import UserError
from sid.files import read_table

MEND = "run `make rehearsal` again"


def check(folder: Path, planted: dict[str, str], names: Sequence[str]) -> list[str]:
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
    for claim, wanted in planted.items():
        found = verified.loc[claim, "verdict"] if claim in verified.index else "missing"
        if found != wanted:
            raise UserError(f"{claim}: {found}, and must be: {wanted}")
    judged = read_verdicts(folder / "cifar10" / "verdict" / "verdicts.csv")
    for claim in names:
        if claim not in judged.index:
            raise UserError(f"{claim}: is not judged")
        found, reason = judged.loc[claim, ["verdict", "reason"]].astype(str)
        if found == "not run" or not reason:
            raise UserError(f"{claim}: {found}: {reason or 'without a reason'}")
    rows = [*verified.loc[list(planted)].iterrows(), *judged.loc[list(names)].iterrows()]
    return [f"{row['verdict']:>14}  {claim}: {row['reason']}" for claim, row in rows]


def read_verdicts(path: Path) -> pd.DataFrame:
    """Verdicts by claim."""
    return read_table(path, MEND).set_index("claim")
