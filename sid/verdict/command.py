"""`sid verdict`: what the records say about each claim."""

from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from sid.evaluate.records import load_table
from sid.files import write_atomic
from sid.shipped import TABLES
from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.published import load_published, not_run
from sid.verdict.verdict import to_table


def write_verdicts(records: Path, published: Path, out: Path) -> pd.DataFrame:
    """Write `verdicts.csv` and `published.csv` into a folder.

    Args:
        records: the merged records.
        published: folder with `results.csv` and `checkpoints.csv`.
        out: the folder.

    Returns:
        The verdicts, one a row.

    Raises:
        UserError: the records or the published numbers cannot be used.
    """
    numbers = not_run(load_published(published / "results.csv"))
    load_published(published / "checkpoints.csv")
    verdicts = to_table(judge(load_table(records), load_claims(published)))
    write_atomic(out / "verdicts.csv", lambda path: verdicts.to_csv(path, index=False))
    write_atomic(out / "published.csv", lambda path: numbers.to_csv(path, index=False))
    return verdicts


def verdict(
    records: Annotated[Path, typer.Argument(help="Merged records, a CSV.")],
    out: Annotated[Path, typer.Option(help="Folder for verdicts.csv and published.csv.")] = Path(
        "results/verdict"
    ),
    published: Annotated[Path, typer.Option(help="Folder of published numbers.")] = TABLES,
) -> None:
    """Judge each claim about a recipe of the records.

    A verdict says what it is about: this checkpoint, this run, or so many training seeds.

    Example: sid verdict results/records.csv --out results/verdict
    """
    for row in write_verdicts(records, published, out).itertuples():
        scope = f" ({row.scope!s})" if row.scope else ""
        print(f"{row.verdict:>13}  {row.claim}{scope}: {row.reason}")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.command("verdict")(verdict)
