"""`sid verify`: does a published checkpoint give the published number?"""

from pathlib import Path
from typing import Annotated

import typer

from sid.errors import UserError, say
from sid.options import group, with_options
from sid.runs.world import placed
from sid.teacher.importing import imported_name
from sid.verdict.claim import Claim, Claims, load_claims
from sid.verify.asked import check_places, wanted
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
    "\n\nA published one: sid verify NAME (names: sid claims --kind checkpoint)."
    "\n\nA file at hand: sid verify weights.pkl --claim NAME."
    "\n\nBoth are short for `sid verify checkpoint ...`; options: sid verify checkpoint --help.",
)
RESULTS, REPORTS = Path("results/verify"), Path("reports/verify")
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
    out: Annotated[
        Path | None,
        typer.Option(help=f"Folder for records and verdicts; {RESULTS}, of a file {RESULTS}/FILE."),
    ] = None,
    reports: Annotated[
        Path | None,
        typer.Option(help=f"Folder for the page; {REPORTS}, of a file {REPORTS}/FILE."),
    ] = None,
) -> None:
    """Fetch, import, draw, measure, judge: from a name to a verdict, with records and a page.

    Killed, the same command goes on from what was drawn. On several GPUs: torchrun
    --nproc-per-node 4 -m sid verify ... (after `sid fetch` of the files).

    Example: sid verify cifar10-uncond-sid-alpha1.2

    Example: sid verify weights.pkl --claim cifar10-uncond-sid-alpha1.2
    """
    claims = load_claims()
    subjects, given = wanted(claims, names or [], claim, every, dataset)
    own = imported_name(str(given)) if given else ""  # So that no file is among published ones.
    out, reports = out or RESULTS / own, reports or REPORTS / own
    check_places(how, out, reports)
    quick = _quick(how, subjects)
    folder = out / quick
    try:
        failed = _each(claims, subjects, how, folder, out / "weights", given)
    except KeyboardInterrupt as stop:
        say("stopped; the same command goes on")
        raise typer.Exit(130) from stop
    if _is_other():
        return
    asked = [one.name for name, group in subjects.items() if name not in failed for one in group]
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
    weights: Annotated[Path, typer.Option(help="Folder for imported weights.")] = (
        RESULTS / "weights"
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


def _each(
    claims: Claims, subjects: Chosen, how: How, folder: Path, weights: Path, given: Path | None
) -> list[str]:
    """Measure one after another; those of several that could not be."""
    failed = []
    for subject in subjects:
        try:
            _measured(claims, subject, how, folder / f"{subject}.json", weights, given)
        except UserError as error:
            if len(subjects) == 1 or placed():
                raise
            say(f"error: {subject}: {error}")
            failed.append(subject)
    return failed


def _is_other() -> bool:
    """Whether this is one of several processes and not the first, which writes and speaks."""
    place = placed()
    return place is not None and place.rank > 0


def _quick(how: How, subjects: Chosen) -> str:
    """Folder of a quick look, whose records never lie among those that decide; empty for none."""
    counts = {claim.protocol.n_images for group in subjects.values() for claim in group}
    return f"n{how.n}" if how.n and counts != {how.n} else ""


def _measured(
    claims: Claims, subject: str, how: How, json: Path, weights: Path, given: Path | None
) -> None:
    every: list[Claim] = published(claims)[subject]
    measure(subject, every, how, json, weights, given)


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="verify")
