"""Published numbers with their sources, and what may be decided by them."""

from pathlib import Path

import pandas as pd

from sid.errors import UserError
from sid.files import read_table

# Grade of evidence -> whether a value of it may ever decide a verdict.
GRADES = {
    "primary": True,
    "primary-mean-only": True,
    "primary-value": True,
    "secondary": True,
    "unverified": False,
}
COMMON = ("method", "dataset", "conditional", "nfe", "alpha", "params")
SOURCES = ("source", "source_locator", "note", "evidence")
COLUMNS = {
    "results.csv": (*COMMON, "metric", "value", "std", *SOURCES),
    "checkpoints.csv": (*COMMON, "kimg", *SOURCES),
}


def load_published(path: Path) -> pd.DataFrame:
    """One table of published numbers, all text as printed.

    Args:
        path: `results.csv` or `checkpoints.csv` of `baselines/published`.

    Returns:
        Its rows; columns as `COLUMNS[path.name]`.

    Raises:
        UserError: the file is missing, lacks a column or a source, or has an unknown grade.
    """
    if path.name not in COLUMNS:
        raise UserError(f"{path}: not one of {', '.join(COLUMNS)}")
    mend = "give the folder baselines/published of the repository with --published"
    table = read_table(path, mend, dtype=str)
    for name in COLUMNS[path.name]:
        if name not in table.columns:
            raise UserError(f"{path}: has no column {name}")
    for number, row in enumerate(table.to_dict("records"), start=2):
        if row["evidence"] not in GRADES:
            grades = ", ".join(GRADES)
            raise UserError(
                f"{path}: line {number}: evidence {row['evidence']!r} is none of {grades}"
            )
        if not row["source"]:
            raise UserError(f"{path}: line {number}: has no source")
    return table


def not_run(results: pd.DataFrame) -> pd.DataFrame:
    """Each published number with the verdict `not run`, which no record here can change.

    A number counts only against records of its own data set, image count and feature extractor.

    Args:
        results: `results.csv` as loaded.

    Returns:
        The same rows and the columns `may_decide`, `verdict` and `reason`.
    """
    may_decide = results["evidence"].map(GRADES)
    needs = "no records of " + results["dataset"] + " with the published extractor and image count"
    unchecked = "; the number itself is unverified and decides nothing"
    reason = needs + may_decide.map({True: "", False: unchecked})
    return results.assign(may_decide=may_decide, verdict="not run", reason=reason)
