"""Verdicts as `sid verdict` wrote them."""

from pathlib import Path

import pandas as pd

from sid.errors import UserError
from sid.files import read_table
from sid.verdict.verdict import Verdict


def read_verdicts(folder: Path) -> pd.DataFrame:
    """One row a verdict, with the fields of `Verdict`.

    Args:
        folder: written by `sid verdict`.

    Raises:
        UserError: `verdicts.csv` is missing there, or lacks a column.
    """
    path, mend = folder / "verdicts.csv", "make it with `sid verdict`"
    fields = Verdict.model_fields
    numbers = {name: [""] for name, field in fields.items() if field.annotation is float}
    table = read_table(path, mend, na_values=numbers)
    missing = [name for name in fields if name not in table.columns]
    if missing:
        raise UserError(f"{path}: has no column {missing[0]}; {mend}")
    return table
