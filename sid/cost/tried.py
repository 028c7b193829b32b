"""What a small try did, and what the real run will ask for."""

from collections.abc import Mapping

from sid.cost.plan import summary
from sid.errors import UserError
from sid.experiment import Allocation, Plan
from sid.runs.schedule import groups


def told(real: Plan, jobs: Mapping[str, int], executor: str) -> list[str]:
    """The lines at the end of a small try.

    Args:
        real: what was tried, in full.
        jobs: of the try, how many by rule.
        executor: that of Snakemake which they went through.
    """
    counts = ", ".join(f"{count} {rule}" for rule, count in sorted(jobs.items()))
    return [f"Tried on {executor}: {counts}", *asking(real)]


def asking(plan: Plan) -> list[str]:
    """What a whole experiment will ask a cluster for, and what it costs where that is known."""
    seeds, cluster = len(plan.experiment.seeds), plan.experiment.cluster
    legs, measured = 0, 2  # The teacher and the real images are measured too.
    for recipe in plan.recipes.values():
        ends = recipe.leg_ends(plan.experiment.leg_kimg)
        legs += seeds * len(ends)
        # The last group is left to the evaluation of the run.
        size = plan.experiment.evaluation.group
        measured += seeds * len(groups(recipe.times(), ends, size))
    lines = [
        f"The real run asks for {legs:,} trainings of {of(cluster.distill)}, one after another in "
        f"each of {seeds * len(plan.recipes)} runs, and {measured:,} evaluations of "
        f"{of(cluster.evaluate)}"
    ]
    try:
        return lines + summary(plan, [name for name in plan.recipes for _ in range(seeds)])
    except UserError:  # A small network has the size of its data.
        return lines


def of(asked: Allocation) -> str:
    """What a job asks for, in words."""
    number, name = (asked.gpus, "GPU") if asked.gpus else (asked.tasks, "task")
    much = f"{number} {name}{'s' * (number != 1)}"
    return f"{much} for at most {asked.hours:g} hour{'s' * (asked.hours != 1)} at a time"
