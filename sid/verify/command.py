"""`sid verify`: does a published checkpoint give the published number?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from sid.errors import UserError, say
from sid.options import group, with_options
from sid.runs.world import placed
from sid.verdict.claim import Claim, Claims, load_claims
from sid.verify.judged import judged
from sid.verify.measure import measure
from sid.verify.subjects import Chosen, chosen, published
from sid.verify.summary import summary
from sid.verify.ways import How

app = typer.Typer(
    cls=group("checkpoint"),
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Measure published checkpoints by their protocol, and judge what was published of them."
    "\n\n`sid verify NAME` is short for `sid verify checkpoint NAME`.",
)
OneClaim = Annotated[
    str | None,
    typer.Option("--claim", help="What a file at hand claims to be: a subject or claim."),
]


@app.command()
@with_options
def checkpoint(
    how: How,
    names: Annotated[
        list[str] | None,
        typer.Argument(help="Subjects or claims that `sid claims` lists; with --claim, a file."),
    ] = None,
    claim: OneClaim = None,
    every: Annotated[bool, typer.Option("--all", help="Every published checkpoint.")] = False,
    dataset: Annotated[str | None, typer.Option(help="With --all, of this data set.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for records and verdicts.")] = Path(
        "results/verify"
    ),
    reports: Annotated[Path, typer.Option(help="Folder for the page.")] = Path("reports/verify"),
) -> None:
    """Fetch, import, draw, measure, judge: from a name to a verdict, with records and a page.

    Killed, the same command goes on from what was drawn. On several GPUs: torchrun
    --nproc-per-node 4 -m sid verify ... (after `sid fetch` of the files).

    Example: sid verify cifar10-uncond-sid-alpha1.2
    """
    claims = load_claims()
    wanted, given = _wanted(claims, names or [], claim, every, dataset)
    _check_places(how)
    quick, failed = _quick(how, wanted), []
    folder = out / quick
    for subject in wanted:
        try:
            _measured(claims, subject, how, folder / f"{subject}.json", out / "weights", given)
        except UserError as error:
            if len(wanted) == 1 or placed():
                raise
            say(f"error: {subject}: {error}")
            failed.append(subject)
    if _is_other():
        return
    asked = [one.name for name, group in wanted.items() if name not in failed for one in group]
    if asked:
        verdicts, table, page = judged(folder, reports / quick, claims, asked)
        print(summary([one for one in verdicts if one.claim in asked], table))
        if quick:
            print(f"A quick look: draws of {how.n:,} images decide nothing of the published value.")
        print(f"{page}: open it in a browser")
    if failed:
        raise UserError(f"not measured: {', '.join(failed)}; the same command tries them again")


@app.command("measure")
@with_options
def measure_command(
    how: How,
    subject: Annotated[str, typer.Argument(help="A subject that `sid claims` lists.")],
    json: Annotated[Path, typer.Option(help="Where to write the records.")],
    weights: Annotated[Path, typer.Option(help="Folder for imported weights.")] = Path(
        "results/verify/weights"
    ),
) -> None:
    """Draw and measure one checkpoint, and leave the verdict to others: a job of the workflow.

    Example: sid verify measure cifar10-uncond-sid-alpha1.2
    --json results/verify/cifar10-uncond-sid-alpha1.2.json
    """
    claims = load_claims()
    (name,) = chosen(claims, [subject])
    _measured(claims, name, how, json, weights, None)
    if not _is_other():
        print(f"{json}: {name} is measured")


def _check_places(how: How) -> None:
    """See that what is named is there, before anything is fetched.

    Raises:
        UserError: it is not.
    """
    for option, path in (
        ("from", how.folder),
        ("data", how.data),
        ("frequencies", how.frequencies),
    ):
        if path and not path.exists():
            raise UserError(f"--{option} {path}: is not there")


def _is_other() -> bool:
    """Whether this is one of several processes and not the first, which writes and speaks."""
    place = placed()
    return place is not None and place.rank > 0


def _wanted(
    claims: Claims, names: Sequence[str], claim: str | None, every: bool, dataset: str | None
) -> tuple[Chosen, Path | None]:
    """What is to be verified, and the file at hand, if one was given.

    Raises:
        UserError: nothing is named, or too much.
    """
    if every + (claim is not None) + (bool(names) and claim is None) != 1:
        raise UserError("name claims, or a file with --claim, or --all; `sid claims` lists them")
    if dataset and not every:
        raise UserError("--dataset: goes with --all; without it name the claims")
    if every:
        return published(claims, dataset), None
    if claim is None:
        if file := next((name for name in names if Path(name).is_file()), None):
            raise UserError(f"{file}: is a file; say with --claim what it claims to be")
        return chosen(claims, names), None
    if len(names) != 1:
        raise UserError(f"--claim {claim}: wants one file, and {len(names)} are given")
    given = Path(names[0])
    if not given.is_file():
        raise UserError(f"{given}: no such file")
    return chosen(claims, [claim]), given


def _quick(how: How, wanted: Chosen) -> str:
    """Folder of a quick look, whose records never lie among those that decide; empty for none."""
    counts = {claim.protocol.n_images for group in wanted.values() for claim in group}
    return f"n{how.n}" if how.n and counts != {how.n} else ""


def _measured(
    claims: Claims, subject: str, how: How, json: Path, weights: Path, given: Path | None
) -> None:
    every: list[Claim] = published(claims)[subject]
    measure(subject, every, how, json, weights, given)


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="verify")
