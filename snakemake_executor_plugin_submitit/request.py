"""What a job asks of the cluster: from Snakemake's resources to submitit's parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.settings import ExecutorSettings, sbatch_options

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

    `gpu` and `tasks` are of the whole job. A callable gets a task for each GPU unless `tasks` says
    otherwise, and a task for each node where there is no GPU.

    Args:
        resources: of the job.
        threads: of the rule.
        parallel: whether the rule has a callable; an ordinary rule is one task on one node.

    Raises:
        WorkflowError: the numbers do not go together.
    """
    nodes, gpus = _whole(resources, "nodes", 1), _whole(resources, "gpu", 0)
    tasks = _whole(resources, "tasks", gpus or nodes) if parallel else 1
    if not parallel and nodes > 1:
        raise WorkflowError('nodes > 1 needs a callable: params: submitit="module:Class"')
    if nodes < 1 or tasks < 1:
        raise WorkflowError("nodes and tasks must be at least 1")
    for name, number in (("gpu", gpus), ("tasks", tasks)):
        if number % nodes:
            raise WorkflowError(f"{name}={number} cannot be spread evenly over nodes={nodes}")
    cpus = _whole(resources, "cpus_per_task", threads)
    if gpus and "cpus_per_gpu" in resources:
        cpus = -(-_whole(resources, "cpus_per_gpu", 1) * gpus // tasks)
    return Shape(nodes, tasks // nodes, gpus // nodes, max(1, cpus))


def parameters(
    settings: ExecutorSettings, resources: Mapping[str, Any], form: Shape
) -> dict[str, Any]:
    """The arguments of submitit's `AutoExecutor.update_parameters`.

    Args:
        settings: of the executor; resources win over them.
        resources: of the job. `runtime` in minutes, `mem_mb` of a node.
        form: of the job.

    Raises:
        WorkflowError: a resource or an option has a wrong value.
    """
    chosen: dict[str, Any] = {
        "timeout_min": _whole(resources, "runtime", HOUR, least=1),  # To Slurm 0 is no limit.
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
        chosen["slurm_mem_per_cpu"] = f"{_whole(resources, 'mem_mb_per_cpu', 0)}MB"
    elif "mem_mb" in resources:
        chosen["slurm_mem"] = f"{_whole(resources, 'mem_mb', 0)}MB"
    extra = sbatch_options(settings.extra) | sbatch_options(resources.get("slurm_extra"))
    return chosen | {
        "slurm_additional_parameters": extra or None,
        "slurm_signal_delay_s": settings.signal_delay,
        # One dead task ends its job: the others would wait for it for ever. And since Slurm 22.05
        # srun does not take the number of CPUs from sbatch.
        "slurm_srun_args": ["--kill-on-bad-exit=1", f"--cpus-per-task={form.cpus}"],
    }


def _whole(resources: Mapping[str, Any], name: str, default: int, least: int = 0) -> int:
    value = resources.get(name, default)
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise WorkflowError(f"resource {name}={value}: must be a whole number") from None
    if number < least:
        raise WorkflowError(f"resource {name}={value}: must be at least {least}")
    return number
