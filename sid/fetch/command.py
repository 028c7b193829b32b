"""`sid fetch`: what later runs need where there is no internet."""

from pathlib import Path
from typing import Annotated

import typer

from sid.errors import UserError
from sid.experiment import load_experiment
from sid.fetch.cache import cache_path, fetch
from sid.fetch.catalogue import NEEDED, File, FileKind, catalogue, file_at, find
from sid.fetch.download import is_url
from sid.options import Quiet
from sid.recipes.listing import aligned
from sid.shipped import located


def fetch_command(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, addresses, or teacher, detector, reference, generator for all."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="What the experiments need; generators only by name.")
    ] = False,
    experiment: Annotated[
        str | None, typer.Option(help="What this experiment of config/ needs.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Get files into $SID_CACHE (by default ~/.cache/sid-bench), or list them where none is named.

    What is there and right is not fetched again. A checksum that nobody published is that of the
    first fetch from then on.

    Example: sid fetch --experiment cifar10
    """
    wanted = [file for name in names or [] for file in files_named(name)]
    if every:
        wanted += [file for file in catalogue().values() if file.kind in NEEDED]
    if experiment:
        wanted += needed(experiment, located(Path("config")))
    elif not wanted:
        print("\n".join(listing()))
        return
    for file in dict.fromkeys(wanted):
        done = fetch(file, quiet=quiet)
        state = f"{done.moved} bytes fetched" if done.moved else "was there"
        known = "as it should be" if done.known else "noted, nothing to compare it with"
        print(f"{done.path}: {state}; SHA-256 {done.sha256}, {known}", flush=True)
    if not wanted:
        print(f"{experiment}: needs nothing from the web")


def files_named(name: str) -> list[File]:
    """The file of that name or at that address, or all of that kind."""
    if is_url(name):
        return [file_at(name)]
    if name in list(FileKind):
        return [file for file in catalogue().values() if file.kind == name]
    return [find(name)]


def needed(name: str, folder: Path) -> list[File]:
    """What an experiment with an imported teacher needs: its weights, FID's network and statistics.

    Raises:
        UserError: there is no such experiment.
    """
    if not (folder / "demo.yaml").is_file():
        raise UserError("--experiment: no config/ here; run it at the top of the repository")
    plan = load_experiment(name, folder)
    if plan.experiment.teacher_from != "import":
        return []
    files = [file for file in catalogue().values() if file.kind == FileKind.detector]
    files += [f for f in catalogue().values() if f.name == f"{plan.experiment.data.name}.npz"]
    weights = str(plan.teacher.weights)
    return [file_at(weights, plan.teacher.sha256), *files] if is_url(weights) else files


def listing() -> list[str]:
    """The known files, whether they are here, and what they are for."""
    rows = [["file", "kind", "here", "for"]]
    for file in catalogue().values():
        here = "yes" if cache_path(file.name).exists() else "-"
        rows.append([file.name, file.kind, here, file.purpose])
    return aligned(rows)


def register(cli: typer.Typer) -> None:
    """Put this on the command line."""
    cli.command("fetch")(fetch_command)
