"""`sid distill`: make one-step generators."""

from pathlib import Path
from typing import Annotated

import typer

from sid.config import recipe_path
from sid.distill.recipe import load_recipe
from sid.distill.tiny import Inputs, tiny_inputs, tiny_recipe
from sid.distill.train import distill
from sid.errors import UserError
from sid.options import (
    Budget,
    Device,
    Out,
    Quiet,
    Restart,
    Seed,
    Threads,
    same_command,
    set_up_device,
)
from sid.runs.folder import RunFolder
from sid.runs.loop import StoppedError
from sid.runs.world import join

Named = Annotated[str, typer.Option(help="A YAML file, or a name that `sid recipes` lists.")]
Data = Annotated[Path | None, typer.Option(help="The data set, a zip in EDM's layout.")]
Teacher = Annotated[Path | None, typer.Option(help="The teacher's run folder or weights file.")]
Start = Annotated[
    Path | None, typer.Option(help="Run or weights of the generator to start from (SiD2A).")
]
Kimg = Annotated[
    float | None, typer.Option(help="Thousands of images, in place of the recipe's.", min=1e-3)
]
Leg = Annotated[
    int | None, typer.Option(help="End at this snapshot, in images; the next call goes on.")
]
Tiny = Annotated[
    bool, typer.Option("--tiny", help="A few updates of a small random network, to try it.")
]


def distill_command(
    context: typer.Context,
    recipe: Named,
    out: Out,
    data: Data = None,
    teacher: Teacher = None,
    start: Start = None,
    seed: Seed = 0,
    kimg: Kimg = None,
    budget: Budget = 1.0,
    leg: Leg = None,
    tiny: Tiny = False,
    threads: Threads = 1,
    device: Device = "auto",
    restart: Restart = False,
    quiet: Quiet = False,
) -> None:
    """Distil a teacher into a one-step generator, or go on where the run in --out stopped.

    On several GPUs: torchrun --nproc-per-node 4 -m sid distill ... (the recipe is the same).

    Example: sid distill --recipe config/recipes/digits/sid.yaml --data results/data/digits.zip
    --teacher results/teacher/digits --out results/distill/sid/seed0
    """
    world, where = join(set_up_device(device, threads))
    path = recipe_path(recipe)
    chosen = load_recipe(path, kimg).scaled(budget)
    if tiny:
        if data or teacher or start:
            raise UserError("--tiny makes its own data, teacher and start; drop those options")
        chosen = tiny_recipe(chosen)
        inputs = tiny_inputs(chosen, seed, out.with_name(f"{out.name}.inputs"))
        world.wait()
    else:
        if not data or not teacher:
            raise UserError(f"--{'teacher' if data else 'data'} is missing (or try --tiny)")
        inputs = Inputs(data, teacher, start)
    quiet = quiet or not world.main
    try:
        distill(
            *(chosen, *inputs, out),
            seed=seed,
            device=where,
            world=world,
            restart=restart,
            quiet=quiet,
            leg=leg,
        )
    except StoppedError as stop:
        again = same_command(context) if world.size == 1 else "the same command"
        raise UserError(
            f"{stop}. To go on all the same, write `{stop.problem.key}: null` under `gates:` in "
            f"{path} and run: {again}"
        ) from stop
    if world.main:
        done = (RunFolder(out).standing().images / 1000) if leg else chosen.kimg
        print(f"{out}: distilled for {done:g} kimg")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.command("distill")(distill_command)
