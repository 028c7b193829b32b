"""`sid teacher`: train diffusion models."""

from pathlib import Path
from typing import Annotated

import typer

from sid.config import parse, read_yaml
from sid.options import Budget, Data, Device, Out, Quiet, Restart, Seed, Threads, prepare
from sid.teacher.recipe import TeacherRecipe
from sid.teacher.train import train_teacher

app = typer.Typer(no_args_is_help=True, help="Train diffusion models to distil.")


@app.callback()
def group() -> None:
    """Keeps `train` a subcommand while it is the only one."""


@app.command()
def train(
    recipe: Annotated[Path, typer.Argument(help="A teacher's recipe, YAML.")],
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

    Example: sid teacher train config/recipes/digits/teacher.yaml --data results/data/digits.zip
    --out results/teacher/digits
    """
    where = prepare(device, threads)
    parsed = parse(read_yaml(recipe), TeacherRecipe, recipe).scaled(budget)
    train_teacher(parsed, data, out, seed=seed, device=where, restart=restart, quiet=quiet)
    print(f"{out}: trained on {parsed.kimg:g} kimg")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="teacher")
