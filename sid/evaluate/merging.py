"""`sid merge`: the records of several evaluations, machines or people as one table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from sid.errors import UserError, say
from sid.evaluate.records import (
    Record,
    described,
    load_table,
    measurements,
    read_records,
    record_of,
)
from sid.files import write_atomic

SHOWN = 20  # Conflicts that are printed; of more their number.


def read_files(paths: Sequence[Path]) -> pd.DataFrame:
    """Every row of several files: records of evaluations (JSON) and merged tables (CSV).

    Args:
        paths: the files; one that is named twice is read once.

    Returns:
        The rows, in the order of the files' names, with a further column `file`.

    Raises:
        UserError: a file is missing or damaged.
    """
    rows: list[dict[str, Any]] = []
    for path in sorted(set(paths)):
        if path.suffix.lower() == ".csv":
            table = load_table(path)[list(Record.model_fields)].astype(object)
            rows += [
                {**record_of(row, path).model_dump(), "file": str(path)}
                for row in table.where(table.notna(), None).to_dict("records")
            ]
        else:
            rows += [{**one.model_dump(), "file": str(path)} for one in read_records(path)]
    return pd.DataFrame(rows, columns=[*Record.model_fields, "file"])


def merged(paths: Sequence[Path], prefer: Path | None = None) -> pd.DataFrame:
    """The records of several files as one table, each measurement once.

    A record is recognised by what was measured and its value. Time, device, versions and the
    path of what was measured may differ: of such rows the first is kept.

    Args:
        paths: JSON of evaluations, and merged CSVs; their order changes nothing.
        prefer: the one of `paths` whose value stands where others have another one.

    Raises:
        UserError: a file cannot be used, or one measurement has two values.
    """
    if prefer and prefer not in paths:
        raise UserError(f"--prefer {prefer}: none of the files to merge; name it among them too")
    table = read_files(paths)
    keys = measurements(table)
    which = keys.groupby(list(keys), dropna=False).ngroup()
    preferred = table["file"] == str(prefer)
    unsettled = ~which.isin(which[preferred])
    _refuse_conflicts(table[unsettled], which[unsettled])
    first = which[preferred.sort_values(ascending=False, kind="stable").index].drop_duplicates()
    return table.loc[first.sort_index().index].drop(columns="file").reset_index(drop=True)


def merge_records(paths: Sequence[Path], out: Path, prefer: Path | None = None) -> pd.DataFrame:
    """Write the table of `merged` as a CSV, whole or not at all; the table."""
    table = merged(paths, prefer)
    write_atomic(out, lambda temporary: table.to_csv(temporary, index=False))
    return table


def _refuse_conflicts(table: pd.DataFrame, which: pd.Series) -> None:
    """Show every measurement that has two values, with where each comes from."""
    conflicts = [
        rows
        for _, rows in table[which.duplicated(keep=False)].groupby(which)
        if rows["value"].nunique() > 1
    ]
    for rows in conflicts[:SHOWN]:
        say(f"conflict: {described(rows.iloc[0].to_dict())}")
        for row in rows.to_dict("records"):
            made = f"{row['device']}, torch {row['torch']}, git {row['git'][:12]}"
            say(f"  {row['value']!r} in {row['file']} ({made})")
    if len(conflicts) > SHOWN:
        say(f"... and {len(conflicts) - SHOWN} more")
    if conflicts:
        files = ", ".join(sorted({name for rows in conflicts for name in rows["file"]}))
        raise UserError(
            f"{len(conflicts)} measurements have two values ({files}); leave one file out, or "
            "name the one that is right by `sid merge ... --prefer FILE`"
        )


def merge(
    files: Annotated[
        list[Path], typer.Argument(help="Records: JSON of evaluations, or merged CSVs.")
    ],
    out: Annotated[Path, typer.Option(help="The table to write.")] = Path("results/records.csv"),
    prefer: Annotated[
        Path | None, typer.Option(help="The file whose value stands where another differs.")
    ] = None,
) -> None:
    """Merge records of several evaluations, machines or people into one table.

    Example: sid merge ours/records.csv theirs/records.csv --out records.csv
    """
    print(f"{out}: {len(merge_records(files, out, prefer))} values of {len(set(files))} files")


def register(cli: typer.Typer) -> None:
    """Put this command on the command line."""
    cli.command()(merge)
