"""`sid verdict`: what the records say about each claim."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sid.evaluate.records import load_table
from sid.files import write_atomic
from sid.verdict.cited import cited
from sid.verdict.claim import chosen, load_claims
from sid.verdict.claims import judge
from sid.verdict.given import held_against
from sid.verdict.verdict import Verdict, to_table

ClaimNames = Annotated[
    str | None, typer.Option(help="Names with commas; all about the records if not given.")
]


def named(claims: str | None) -> list[str] | None:
    """The names that the option `--claims` holds; None where it is not given."""
    return None if claims is None else [name.strip() for name in claims.split(",") if name.strip()]


def write_verdicts(records: Path, out: Path, names: Sequence[str] | None = None) -> list[Verdict]:
    """Write `verdicts.csv` and `published.csv` into a folder.

    Args:
        records: the merged records.
        out: the folder.
        names: claims, or subjects for those about their published files; None for all claims whose
            subject is in the records.

    Returns:
        The verdicts.

    Raises:
        UserError: the records or the published tables cannot be used, or a name is unknown.
    """
    table = load_table(records)
    claims = held_against(load_claims(), table)
    asked = None if names is None else chosen(claims, names, "--claims")
    found = judge(table, claims, asked)
    of_published = [one for one in found if not claims.claims[one.claim].given]
    verdicts, numbers = to_table(found), cited(claims, of_published)
    write_atomic(out / "verdicts.csv", lambda path: verdicts.to_csv(path, index=False))
    write_atomic(out / "published.csv", lambda path: numbers.to_csv(path, index=False))
    return found


def verdict(
    records: Annotated[Path, typer.Argument(help="Merged records, a CSV.")],
    claims: ClaimNames = None,
    out: Annotated[Path, typer.Option(help="Folder for verdicts.csv and published.csv.")] = Path(
        "results/verdict"
    ),
) -> None:
    """Judge the claims: each with its interval, and with what it is about.

    That is this checkpoint, this run, or so many training seeds. The tables are those of the folder
    $SID_PUBLISHED, or those of the suite.

    Example: sid verdict results/records.csv --out results/verdict
    """
    found = write_verdicts(records, out, named(claims))
    if not found:
        print("no claim is about a recipe of these records; `sid claims` lists all")
    for one in found:
        scope = f" ({one.scope})" if one.scope else ""
        print(f"{one.verdict:>13}  {one.claim}{scope}: {one.reason}")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.command("verdict")(verdict)
