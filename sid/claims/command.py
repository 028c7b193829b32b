"""`sid claims`: what is claimed, by whom, and what would decide it."""

import csv
import io
import json as json_text
from typing import Annotated

import typer

from sid.claims.listing import listed, row, select
from sid.errors import UserError
from sid.recipes.listing import aligned
from sid.verdict.claim import load_claims


def claims_command(
    pattern: Annotated[
        str, typer.Argument(help="A claim, a part of names, or a pattern with *.")
    ] = "",
    dataset: Annotated[str, typer.Option(help="Only of this data set.")] = "",
    kind: Annotated[
        str, typer.Option(help="checkpoint, retraining, ranking, fall, power-law or faster.")
    ] = "",
    subject: Annotated[str, typer.Option(help="Only of this recipe.")] = "",
    json: Annotated[bool, typer.Option("--json", help="Everything, as JSON.")] = False,
    table: Annotated[bool, typer.Option("--csv", help="Everything, as CSV.")] = False,
) -> None:
    """List the claims, or print all of one: protocol, number, criterion, weights and command.

    The tables are those of the folder $SID_PUBLISHED, or those of the suite.

    Example: sid claims cifar10-uncond-sid-alpha1.2/fid
    """
    if json and table:
        raise UserError("--json: and --csv exclude each other; drop one of them")
    claims = load_claims()
    found = select(claims, pattern, dataset=dataset, kind=kind, subject=subject)
    if len(found) > 1 and not json and not table:
        print("\n".join(aligned(listed(found))))
        return
    rows = [row(claim) for claim in found]
    if json:
        print(json_text.dumps(rows, indent=1))
    elif table:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        print(text.getvalue(), end="")
    else:
        told = [[key, str(value)] for key, value in rows[0].items() if value not in ("", 0)]
        print("\n".join(aligned(told)))


def register(cli: typer.Typer) -> None:
    """Put the claims on the command line."""
    cli.command("claims")(claims_command)
