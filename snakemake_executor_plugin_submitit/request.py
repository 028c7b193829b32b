"""What a job asks of the cluster: from Snakemake's resources to submitit's parameters."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.settings import ExecutorSettings, sbatch_options
from snakemake_executor_plugin_submitit.words import whole

HOUR = 60


@dataclass(frozen=True)
class Shape:
    """How a job lies on the nodes; all nodes get the same.

    Attributes:
        nodes: their number.
        tasks: of a node.
        gpus: of a node.
        cpus: of a task.
    """

    nodes: int
    tasks: int
    gpus: int
    cpus: int


def shape(resources: Mapping[str, Any], threads: int, parallel: bool) -> Shape:
    """The shape that `nodes`, `tasks`, `gpu`, `cpus_per_task` and `cpus_per_gpu` ask for.

    `gpu` and `tasks` are of the whole job. A callable gets a task for each GPU unless `tasks`,
    `tasks_per_node` or `tasks_per_gpu` says otherwise, and one for each node where there is no GPU.

    Args:
        resources: of the job, from `words.settled`.
        threads: of the rule.
        parallel: whether the rule has a callable; an ordinary rule is one task on one node.

    Raises:
        WorkflowError: the numbers do not go together.
    """
    nodes, gpus = whole(resources, "nodes", 1), whole(resources, "gpu", 0)
    tasks = _tasks(resources, nodes, gpus, (gpus or nodes) if parallel else 1)
    if not parallel and max(nodes, tasks) > 1:
        word = "nodes" if nodes > 1 else "tasks"
        raise WorkflowError(f'{word} > 1 needs a callable: params: submitit="module:Class"')
    if nodes < 1 or tasks < 1:
        raise WorkflowError("nodes and tasks must be at least 1")
    for name, number in (("gpu", gpus), ("tasks", tasks)):
        if number % nodes:
            raise WorkflowError(f"{name}={number} cannot be spread evenly over nodes={nodes}")
    cpus = whole(resources, "cpus_per_task", threads)
    if gpus and "cpus_per_gpu" in resources:
        cpus = -(-whole(resources, "cpus_per_gpu", 1) * gpus // tasks)
    return Shape(nodes, tasks // nodes, gpus // nodes, max(1, cpus))


def _tasks(resources: Mapping[str, Any], nodes: int, gpus: int, default: int) -> int:
    of = {"tasks": 1, "tasks_per_node": nodes, "tasks_per_gpu": gpus}
    given = [name for name in of if name in resources]
    if len(given) > 1:
        raise WorkflowError(f"resources {' and '.join(given)}: give one of them")
    for name in given:
        if not of[name]:
            raise WorkflowError(f"resource {name}={resources[name]}: the rule asks for no GPU")
        return whole(resources, name, default) * of[name]
    return default


def parameters(
    settings: ExecutorSettings, resources: Mapping[str, Any], form: Shape, name: str, folder: Path
) -> dict[str, Any]:
    """The arguments of submitit's `AutoExecutor.update_parameters`.

    Args:
        settings: of the executor; resources win over them.
        resources: of the job. `runtime` in minutes, `mem_mb` of a node.
        form: of the job.
        name: of the job.
        folder: of this submission.

    Raises:
        WorkflowError: a resource or an option has a wrong value.
    """
    chosen: dict[str, Any] = {
        "name": name,
        "timeout_min": whole(resources, "runtime", HOUR, least=1),  # To Slurm 0 is no limit.
        "nodes": form.nodes,
        "tasks_per_node": form.tasks,
        "gpus_per_node": form.gpus or None,
        "cpus_per_task": form.cpus,
        "stderr_to_stdout": True,
    }
    if settings.cluster == "local":  # One machine stands for all nodes.
        chosen |= {"nodes": 1, "tasks_per_node": form.nodes * form.tasks}
        chosen |= {"gpus_per_node": form.nodes * form.gpus}
        return chosen
    for option in ("partition", "account"):
        chosen[f"slurm_{option}"] = resources.get(f"slurm_{option}", getattr(settings, option))
    for option in ("qos", "constraint"):
        chosen[f"slurm_{option}"] = resources.get(option, getattr(settings, option))
    if "mem_mb_per_cpu" in resources:
        chosen["slurm_mem_per_cpu"] = f"{whole(resources, 'mem_mb_per_cpu', 0)}MB"
    elif "mem_mb" in resources:
        chosen["slurm_mem"] = f"{whole(resources, 'mem_mb', 0)}MB"
    more: dict[str, Any] = {}
    if form.gpus and resources.get("gpu_model"):
        more["gpus-per-node"] = f"{resources['gpu_model']}:{form.gpus}"
    if "gres" in resources:
        more["gres"] = resources["gres"]
    more |= sbatch_options(settings.extra) | sbatch_options(resources.get("slurm_extra"))
    # One dead task ends its job: the others would wait for it for ever. Since Slurm 22.05 srun does
    # not take the number of CPUs from sbatch. The rest it would take from variables of the user.
    srun = ["--kill-on-bad-exit=1", f"--cpus-per-task={form.cpus}", "--export=ALL"]
    srun += [f"--nodes={form.nodes}", f"--ntasks={form.nodes * form.tasks}"]
    if "%" in str(folder):  # Slurm replaces %x in names of logs; submitit's own must remain.
        place = str(folder).replace("%", "%%")
        more["output"] = f"{place}/%j_0_log.out"
        srun += ["--output", f"{place}/%j_%t_log.out"]
    chosen |= {
        "slurm_additional_parameters": more or None,
        "slurm_signal_delay_s": settings.signal_delay,
        "slurm_srun_args": srun,
        "slurm_setup": setup(folder),
    }
    for name, value in [*chosen.items(), *more.items()]:
        if "\n" in str(value) and name != "slurm_setup":
            raise WorkflowError(f"{name.removeprefix('slurm_')}={value!r}: has a line break")
    return chosen


def check_folder(folder: Path, cluster: str) -> None:
    """See that no layer below reads something else in the name of the executor's folder.

    Raises:
        WorkflowError: submitit replaces a part of it, or Slurm cannot be told of it.
    """
    odd = ["%j", "%t", "%a", "%A"] + (["\\", "\n"] if cluster == "slurm" else [])
    for part in odd:
        if part in str(folder):
            raise WorkflowError(
                f"{str(folder)!r}: logs and results cannot lie in a folder with {part!r} in its"
                " name, which submitit or Slurm reads otherwise; give another by --submitit-folder"
            )


def setup(folder: Path) -> list[str]:
    """Shell lines that run before the tasks, also after a requeue.

    submitit names the pickle after the job once sbatch has told it the id. If Snakemake dies
    before that, the job names it itself. What a checkpoint that was cut off left would make the
    next one fail.
    """
    place, unnamed = shlex.quote(str(folder)), "?" * 32 + ".pkl"
    return [
        f"rm -f {place}/*.save_tmp",
        f"for pickle in {place}/{unnamed}; do",
        f'  ln "$pickle" {place}/"$SLURM_JOB_ID"_submitted.pkl 2>/dev/null || true',
        "done",
    ]
