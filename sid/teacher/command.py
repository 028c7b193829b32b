"""`sid teacher`: train diffusion models, or import official ones."""

from typing import Annotated

import typer

from sid.config import recipe_path
from sid.options import Budget, Data, Device, Out, Quiet, Restart, Seed, Threads, set_up_device
from sid.runs.world import join
from sid.teacher.importing import NetworkKind, import_official
from sid.teacher.recipe import load_teacher
from sid.teacher.train import train_teacher

app = typer.Typer(no_args_is_help=True, help="Train or import diffusion models to distil.")


@app.command()
def train(
    recipe: Annotated[str, typer.Option(help="A YAML file, or a name that `sid recipes` lists.")],
    data: Data,
    out: Out,
    seed: Seed = 0,
    budget: Budget = 1.0,
    threads: Threads = 2,
    device: Device = "auto",
    restart: Restart = False,
    quiet: Quiet = False,
) -> None:
    """Train a teacher, or go on where the run in --out stopped.

    On several GPUs: torchrun --nproc-per-node 8 -m sid teacher train ... (the recipe is the same).

    Example: sid teacher train --recipe config/recipes/digits/digits.yaml
    --data results/data/digits.zip --out results/teacher/digits
    """
    world, where = join(set_up_device(device, threads))
    chosen = load_teacher(recipe_path(recipe)).scaled(budget)
    quiet = quiet or not world.main
    train_teacher(
        chosen, data, out, seed=seed, device=where, world=world, restart=restart, quiet=quiet
    )
    if world.main:
        print(f"{out}: trained on {chosen.kimg:g} kimg")


@app.command("import")
def import_(
    source: Annotated[str, typer.Argument(help="An official network pickle, a file or a URL.")],
    out: Out,
    kind: Annotated[NetworkKind | None, typer.Option(help="Where the file does not tell.")] = None,
    sha256: Annotated[str | None, typer.Option(help="That the file must have.")] = None,
    quiet: Quiet = False,
) -> None:
    """Import an EDM teacher or a SiD, SiDA generator; no code in the file is run.

    Example: sid teacher import edm-cifar10-32x32-uncond-vp.pkl --out results/teacher
    """
    done = import_official(source, out, kind=kind, sha256=sha256, quiet=quiet)
    print(f"{done.path}: {done.kind}, {done.weights_held} weights; SHA-256 {done.sha256}")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="teacher")
