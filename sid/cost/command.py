"""`sid cost`: GPU-hours, memory and days of the recipes."""

from typing import Annotated

import typer

from sid.config import recipe_files, recipe_path
from sid.cost.cost import GIB, Cost, cost, number
from sid.cost.listing import experiment_lines, measuring_lines, plan_with
from sid.cost.plan import GPUS
from sid.cost.rates import gpus
from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.recipes.listing import aligned, load
from sid.teacher.recipe import TeacherRecipe

SCRIPTS = 4  # GPUs of each of the authors' scripts (--nproc_per_node=4).
LEGEND = (
    "GiB a GPU: counted, without what CUDA and its libraries take. Days: on 4 GPUs, as in the "
    "authors' scripts, that lose nothing by being 4. Images are those of the whole budget; the "
    "published checkpoints were mostly taken before its end."
)


def cost_command(
    recipe: Annotated[
        str | None, typer.Argument(help="As `sid recipes` lists it, or YAML.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All published recipes.")] = False,
    experiment: Annotated[
        str | None, typer.Option(help="All of an experiment; with RECIPE, that which measures it.")
    ] = None,
    gpu: Annotated[str | None, typer.Option(help="a100, h100 ...; A100 and H100 without.")] = None,
    markdown: Annotated[bool, typer.Option(help="The table of docs/scaling.md.")] = False,
) -> None:
    """Print what training and evaluation cost on GPUs, and the disk that they take.

    Rates are measured, cited or estimated; which, is said with each.

    Example: sid cost cifar10-uncond-sid-alpha1.2 --gpu h100
    """
    chosen = (known(gpu),) if gpu else GPUS
    if bool(recipe or experiment) == every:
        raise UserError("sid cost: name a recipe, --experiment NAME, or --all")
    if recipe:
        found = load(recipe_path(recipe))
        print("\n".join(details([cost(found, name) for name in chosen])))
        plan = plan_with(found, experiment)
        if plan:
            print("\n".join(measuring_lines(plan, found.name, chosen)))
        return
    if experiment:
        print("\n".join(experiment_lines(experiment, chosen)))
        return
    rows = table([[cost(each, name) for name in chosen] for each in published()])
    if markdown:
        right = [
            "---:" if name not in ("recipe", "precision", "rate") else "---" for name in rows[0]
        ]
        print("\n".join(f"| {' | '.join(row)} |" for row in [rows[0], right, *rows[1:]]))
    else:
        print("\n".join([*aligned(rows), "", LEGEND]))


def known(gpu: str) -> str:
    """The name of a GPU as the table has it.

    Raises:
        UserError: it has no such GPU.
    """
    if gpu.upper() not in gpus():
        raise UserError(f"--gpu {gpu}: unknown; known are {', '.join(gpus()).lower()}")
    return gpu.upper()


def published() -> list[Recipe | TeacherRecipe]:
    """The recipes with official weights: teachers first, then what is distilled from them."""
    found = [load(path) for paths in recipe_files().values() for path in paths]
    teachers = [r for r in found if isinstance(r, TeacherRecipe) and r.weights]
    names = {teacher.name for teacher in teachers}
    distillations = [r for r in found if isinstance(r, Recipe) and r.teacher in names]
    return [*sorted(teachers, key=lambda r: r.name), *sorted(distillations, key=lambda r: r.name)]


def table(costs: list[list[Cost]]) -> list[list[str]]:
    """A row each recipe, with the GPUs beside one another."""
    rows = [["recipe", "Mimg", "precision", "GFLOP an image", "GiB a GPU"]]
    for one in costs[0]:
        rows[0] += [f"{one.gpu} hours", "days on 4"]
    rows[0] += ["rate"]
    for each in costs:
        first = each[0]
        row = [first.recipe, f"{first.kimg / 1000:,.12g}", first.precision]
        row.append(f"{first.operations / 1e9:,.0f}")
        row.append(f"{first.memory / GIB:.1f} at {first.micro} images")
        for one in each:
            row += [number(one.gpu_hours), number(one.days(SCRIPTS))]
        evidence = dict.fromkeys(one.rate.evidence for one in each)
        rows.append([*row, ", ".join(evidence)])
    return rows


def details(costs: list[Cost]) -> list[str]:
    """One recipe, with what its figures rest on."""
    first = costs[0]
    lines = [
        f"recipe {first.recipe}: {first.kimg / 1000:,.12g} Mimg in {first.precision}, "
        f"{first.operations / 1e9:,.0f} GFLOP an image (counted)",
        f"memory of a GPU: {first.memory / GIB:.1f} GiB (counted, without CUDA's own): "
        f"{first.held / GIB:.1f} weights, gradients, Adam and average, "
        f"{first.activations / GIB:.1f} activations of {first.micro} images",
    ]
    for one in costs:
        counts = [n for n in (1, 4, 8, 16, 32) if n <= one.most]
        days = ", ".join(f"{number(one.days(n))} days on {n}" for n in counts)
        lines.append(
            f"{one.gpu}: {number(one.gpu_hours)} GPU-hours at {number(one.rate.images_per_second)} "
            f"images/s a GPU; {days} ({one.rate.evidence}: {one.rate.basis})"
        )
    return lines


def register(cli: typer.Typer) -> None:
    """Put this on the command line."""
    cli.command("cost")(cost_command)
