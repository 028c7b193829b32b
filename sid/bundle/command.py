"""`sid bundle`: records and all that follows from them in one file, and its check."""

from pathlib import Path
from typing import Annotated

import typer

from sid.bundle.bundle import check_bundle, make_bundle
from sid.options import group
from sid.verdict.command import ClaimNames, named

app = typer.Typer(
    cls=group("make"),
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Put records, verdicts, tables, figures and page in one file to hand in, or check one.\n\n"
    "`sid bundle RECORDS ...` is short for `sid bundle make RECORDS ...`.",
)


@app.command()
def make(
    records: Annotated[
        list[Path], typer.Argument(help="Records: JSON of evaluations, or merged CSVs.")
    ],
    out: Annotated[Path, typer.Option(help="A new folder, or a file that ends in .tar.gz.")] = Path(
        "bundle.tar.gz"
    ),
    claims: ClaimNames = None,
    experiment: Annotated[
        str | None, typer.Option(help="Of config/, to put its configuration in.")
    ] = None,
) -> None:
    """Write a bundle: what was measured, what follows from it, and what made it.

    Example: sid bundle results/records.csv --experiment demo --out bundle.tar.gz
    """
    make_bundle(records, out, named(claims), experiment)
    print(f"{out}: made; summary.md in it has places that are for you to fill")


@app.command()
def check(
    bundle: Annotated[Path, typer.Argument(help="A bundle: its folder or its archive.")],
) -> None:
    """Make verdicts, tables, figures and page again from a bundle's records; compare the bytes.

    Example: sid bundle check bundle.tar.gz
    """
    print(f"{bundle}: {check_bundle(bundle)} files made again, the same to the last byte")


def register(cli: typer.Typer) -> None:
    """Put this command on the command line."""
    cli.add_typer(app, name="bundle")
