"""`sid distill`: make one-step generators."""

from pathlib import Path
from typing import Annotated

import typer

from sid.config import parse, read_yaml
from sid.distill.recipe import Recipe
from sid.distill.train import distill
from sid.options import Budget, Data, Device, Out, Quiet, Restart, Seed, Threads, prepare


def distill_command(
    recipe: Annotated[Path, typer.Argument(help="A recipe, YAML.")],
    data: Data,
    teacher: Annotated[Path, typer.Option(help="The teacher's run folder or weights file.")],
    out: Out,
    start: Annotated[
        Path | None, typer.Option(help="Run or weights of the generator to start from (SiD2A).")
    ] = None,
    seed: Seed = 0,
    budget: Budget = 1.0,
    threads: Threads = 1,
    device: Device = "auto",
    restart: Restart = False,
    quiet: Quiet = False,
) -> None:
    """Distil a teacher into a one-step generator, or go on where the run in --out stopped.

    Example: sid distill config/recipes/digits/sid.yaml --data results/data/digits.zip
    --teacher results/teacher/digits --out results/distill/sid/seed0
    """
    where = prepare(device, threads)
    parsed = parse(read_yaml(recipe), Recipe, recipe)
    parsed.build_method()  # A bad option of the method ends here, before anything is read.
    parsed = parsed.scaled(budget)
    distill(
        parsed, data, teacher, start, out, seed=seed, device=where, restart=restart, quiet=quiet
    )
    print(f"{out}: distilled for {parsed.kimg:g} kimg")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.command("distill")(distill_command)
