"""Converts a job's resources to the arguments of submitit's `AutoExecutor.update_parameters`."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.resources import integer
from snakemake_executor_plugin_submitit.settings import ExecutorSettings, sbatch_options


@dataclass(frozen=True)
class Allocation:
    """Nodes, tasks, GPUs and CPUs of a job; all nodes get the same."""

    nodes: int
    tasks_per_node: int
    gpus_per_node: int
    cpus_per_task: int


def allocation(resources: Mapping[str, Any], threads: int, parallel: bool) -> Allocation:
    """The allocation that `nodes`, `tasks`, `gpu`, `cpus_per_task` and `cpus_per_gpu` ask for.

    `gpu` and `tasks` count over the whole job. By default a callable gets one task for each GPU,
    or one for each node if there is no GPU.

    Args:
        resources: of the job, from `normalize`.
        threads: of the rule.
        parallel: whether the rule has a callable; an ordinary rule is one task on one node.

    Raises:
        WorkflowError: the numbers do not go together.
    """
    nodes, gpus = integer(resources, "nodes", 1), integer(resources, "gpu", 0)
    tasks = _tasks(resources, nodes, gpus, (gpus or nodes) if parallel else 1)
    if not parallel and max(nodes, tasks) > 1:
        word = "nodes" if nodes > 1 else "tasks"
        raise WorkflowError(f'{word} > 1 needs a callable: params: submitit="module:Class"')
    if nodes < 1 or tasks < 1:
        raise WorkflowError("nodes and tasks must be at least 1")
    for name, number in (("gpu", gpus), ("tasks", tasks)):
        if number % nodes:
            raise WorkflowError(f"{name}={number} cannot be spread evenly over nodes={nodes}")
    cpus = integer(resources, "cpus_per_task", threads)
    if gpus and "cpus_per_gpu" in resources:
        cpus = -(-integer(resources, "cpus_per_gpu", 1) * gpus // tasks)
    return Allocation(nodes, tasks // nodes, gpus // nodes, max(1, cpus))


def _tasks(resources: Mapping[str, Any], nodes: int, gpus: int, default: int) -> int:
    factors = {"tasks": 1, "tasks_per_node": nodes, "tasks_per_gpu": gpus}
    given = [name for name in factors if name in resources]
    if len(given) > 1:
        raise WorkflowError(f"resources {' and '.join(given)}: give one of them")
    for name in given:
        if not factors[name]:
            raise WorkflowError(f"resource {name}={resources[name]}: the rule asks for no GPU")
        return integer(resources, name, default) * factors[name]
    return default


def submitit_parameters(
    settings: ExecutorSettings,
    resources: Mapping[str, Any],
    wanted: Allocation,
    name: str,
    folder: Path,
) -> dict[str, Any]:
    """The arguments of submitit's `AutoExecutor.update_parameters`.

    Resources override settings; `runtime` is in minutes, `mem_mb` that of a node.

    Raises:
        WorkflowError: a resource or an option has a wrong value.
    """
    chosen: dict[str, Any] = {
        "name": name,
        "timeout_min": integer(resources, "runtime", 60, least=1),  # To Slurm 0 is no limit.
        "nodes": wanted.nodes,
        "tasks_per_node": wanted.tasks_per_node,
        "gpus_per_node": wanted.gpus_per_node or None,
        "cpus_per_task": wanted.cpus_per_task,
        "stderr_to_stdout": True,
    }
    if settings.cluster == "local":  # One machine stands for all nodes.
        chosen |= {"nodes": 1, "tasks_per_node": wanted.nodes * wanted.tasks_per_node}
        chosen |= {"gpus_per_node": wanted.nodes * wanted.gpus_per_node}
        return chosen
    for option in ("partition", "account"):
        chosen[f"slurm_{option}"] = resources.get(f"slurm_{option}", getattr(settings, option))
    for option in ("qos", "constraint"):
        chosen[f"slurm_{option}"] = resources.get(option, getattr(settings, option))
    if "mem_mb_per_cpu" in resources:
        chosen["slurm_mem_per_cpu"] = f"{integer(resources, 'mem_mb_per_cpu', 0)}MB"
    elif "mem_mb" in resources:
        chosen["slurm_mem"] = f"{integer(resources, 'mem_mb', 0)}MB"
    chosen |= _options(settings, resources, wanted, folder)
    more = chosen["slurm_additional_parameters"] or {}
    for name, value in [*chosen.items(), *more.items()]:
        if "\n" in str(value) and name != "slurm_setup":
            raise WorkflowError(f"{name.removeprefix('slurm_')}={value!r}: has a line break")
    return chosen


def _options(
    settings: ExecutorSettings, resources: Mapping[str, Any], wanted: Allocation, folder: Path
) -> dict[str, Any]:
    """Options of sbatch and srun that submitit has no parameter for."""
    more: dict[str, Any] = {}
    if wanted.gpus_per_node and resources.get("gpu_model"):
        more["gpus-per-node"] = f"{resources['gpu_model']}:{wanted.gpus_per_node}"
    if "gres" in resources:
        more["gres"] = resources["gres"]
    more |= sbatch_options(settings.extra) | sbatch_options(resources.get("slurm_extra"))
    # A dead task ends its job, since the others would wait for it. Since Slurm 22.05 srun does not
    # take the number of CPUs from sbatch. The rest it would take from variables of the user.
    srun = ["--kill-on-bad-exit=1", f"--cpus-per-task={wanted.cpus_per_task}", "--export=ALL"]
    srun += [f"--nodes={wanted.nodes}", f"--ntasks={wanted.nodes * wanted.tasks_per_node}"]
    if "%" in str(folder):  # Slurm replaces %x in names of logs, but for %%; submitit's must stay.
        place = str(folder).replace("%", "%%")
        more["output"] = f"{place}/%j_0_log.out"
        srun += ["--output", f"{place}/%j_%t_log.out"]
    return {
        "slurm_additional_parameters": more or None,
        "slurm_signal_delay_s": settings.signal_delay,
        "slurm_srun_args": srun,
        "slurm_setup": _setup(folder),
    }


def check_folder(folder: Path, cluster: str) -> None:
    """Check that submitit and Slurm can use the executor's folder by its name.

    Raises:
        WorkflowError: submitit replaces a part of the name, or Slurm cannot read it.
    """
    odd = ["%j", "%t", "%a", "%A"] + (["\\", "\n"] if cluster == "slurm" else [])
    for part in odd:
        if part in str(folder):
            raise WorkflowError(
                f"{str(folder)!r}: logs and results cannot lie in a folder with {part!r} in its"
                " name, which submitit or Slurm reads otherwise; give another by --submitit-folder"
            )


def _setup(folder: Path) -> list[str]:
    """Shell lines that run before the tasks, also after a requeue.

    They remove what an interrupted checkpoint left, at which the next one would fail. And they name
    the pickle after the job: submitit does so once sbatch has printed the job id, but Snakemake may
    die before that.
    """
    place, unnamed = shlex.quote(str(folder)), "?" * 32 + ".pkl"
    return [
        f"rm -f {place}/*.save_tmp",
        f"for pickle in {place}/{unnamed}; do",
        f'  ln "$pickle" {place}/"$SLURM_JOB_ID"_submitted.pkl 2>/dev/null || true',
        "done",
    ]
