"""What `sid cost` prints of evaluation, disk and whole experiments."""

from collections.abc import Sequence
from pathlib import Path

from sid.config import read_layers
from sid.cost.cost import number
from sid.cost.evaluation import Hours
from sid.cost.plan import RunCost, Total, gigabytes, run_cost, teacher_hours, total
from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.experiment import Plan, load_experiment, load_plan
from sid.recipes.listing import aligned
from sid.shipped import located
from sid.teacher.recipe import TeacherRecipe

FOLDER = Path("config")


def plan_with(recipe: Recipe | TeacherRecipe, experiment: str | None) -> Plan | None:
    """The experiment that trains a recipe: that of a name, or the first there is; None for none.

    Raises:
        UserError: the experiment of that name does not train it.
    """
    if isinstance(recipe, TeacherRecipe):
        return None
    if experiment:
        plan = load_experiment(experiment, located(FOLDER))
        if recipe.name not in plan.recipes:
            names = ", ".join(plan.recipes)
            raise UserError(f"--experiment {experiment}: has no {recipe.name}; it has {names}")
        return plan
    # Those without a base first: others that train it too are variants of them.
    for path in sorted(located(FOLDER).glob("*.yaml"), key=lambda p: "base:" in p.read_text()):
        values = read_layers(path)
        if any(Path(text).stem == recipe.name for text in values.get("recipes", [])):
            plan = load_plan(values)
            return plan if recipe.name in plan.recipes else None
    return None


def measuring_lines(plan: Plan, name: str, gpus: Sequence[str]) -> list[str]:
    """Evaluation and disk of one run of a recipe, with what they rest on."""
    costs = [run_cost(plan, name, gpu) for gpu in gpus]
    first = costs[0]
    asked = first.asked
    lines = [
        f"evaluation: {first.snapshots:,} snapshots of {asked.n_curve:,} images by "
        f"{' and '.join(asked.curve)}; 2 x {asked.draws} draws of {asked.n_final:,} by "
        f"{', '.join(asked.final)}"
    ]
    for one in costs:
        hours = one.evaluation
        share = hours.total / one.training.gpu_hours
        made, looked = hours.rates
        lines.append(
            f"{one.training.gpu}: {number(hours.total)} GPU-hours, {share:.1%} of the training's: "
            f"{number(hours.network)} generator at {number(made.images_per_second)} images/s, "
            f"{number(hours.extractor)} {asked.extractor} at {number(looked.images_per_second)}, "
            f"{number(hours.distances)} distances on the CPU meanwhile; {number(one.whole.total)} "
            f"if every implementation measured every snapshot ({said(one.evaluation)})"
        )
    return [*lines, disk_line(first)]


def said(hours: Hours) -> str:
    """What the rates rest on; one text where both rest on the same."""
    texts = [f"{rate.evidence}: {rate.basis}" for rate in hours.rates]
    return "; ".join(dict.fromkeys(texts))


def disk_line(one: RunCost) -> str:
    """Disk of a run in words."""
    return (
        f"disk of a run: at most {gigabytes(one.disk.peak)}, and {gigabytes(one.disk.end)} when it "
        f"is done (counted; {one.legs} {'legs' if one.legs > 1 else 'leg'})"
    )


def experiment_lines(name: str, gpus: Sequence[str]) -> list[str]:
    """An experiment, a line each recipe with all its seeds, and the sum."""
    plan = load_experiment(name, located(FOLDER))
    seeds = len(plan.experiment.seeds)
    head = ["recipe", "runs"]
    for gpu in gpus:
        head += [f"{gpu} hours", "evaluation", "before"]
    rows = [[*head, "disk", "at the end"]]
    for recipe in plan.recipes:
        costs = [run_cost(plan, recipe, gpu) for gpu in gpus]
        row = [recipe, str(seeds)]
        for one in costs:
            hours = (one.training.gpu_hours, one.evaluation.total, one.whole.total)
            row += [number(seeds * value) for value in hours]
        size = costs[0].disk.times(seeds)
        rows.append([*row, gigabytes(size.peak), gigabytes(size.end)])
    teacher = ["teacher", ""]
    for gpu in gpus:
        hours_of_teacher = number(teacher_hours(plan, gpu).total)
        teacher += ["", hours_of_teacher, hours_of_teacher]
    totals = [total(plan, dict.fromkeys(plan.recipes, seeds), gpu) for gpu in gpus]
    return [*aligned([*rows, [*teacher, "", ""], sum_row(totals)]), "", LEGEND]


def sum_row(totals: Sequence[Total]) -> list[str]:
    """The last row: everything, with the data and the teacher's weights on disk."""
    row = ["sum", str(totals[0].runs)]
    for one in totals:
        row += [number(one.training), number(one.evaluation), number(one.whole)]
    return [*row, gigabytes(totals[0].disk.peak), gigabytes(totals[0].disk.end)]


LEGEND = (
    "GPU-hours of training and of evaluation; before: with every implementation on every snapshot. "
    "Disk: at most, if all runs were trained at once. Sources: sid cost RECIPE, docs/scaling.md."
)
