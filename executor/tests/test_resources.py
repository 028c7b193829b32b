"""Resources as Snakemake's own Slurm plugin names them."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit import ExecutorSettings
from snakemake_executor_plugin_submitit.parameters import (
    Allocation,
    allocation,
    submitit_parameters,
)
from snakemake_executor_plugin_submitit.resources import normalize


def job(*parts: dict[str, Any]) -> Any:
    """A job, or a group of jobs that run beside each other, whose numbers Snakemake adds up."""
    resources = parts[0]
    if len(parts) > 1:
        of = {name: [p[name] for p in parts if name in p] for part in parts for name in part}
        resources = {name: n[0] if isinstance(n[0], str) else sum(n) for name, n in of.items()}
    jobs = [SimpleNamespace(resources=part) for part in parts]
    return SimpleNamespace(resources=resources, jobs=jobs, is_group=lambda: len(parts) > 1)


@pytest.mark.parametrize(
    ("resources", "parallel", "expected"),
    [
        ({}, False, Allocation(1, 1, 0, 3)),
        ({"gpu": 2}, False, Allocation(1, 1, 2, 3)),
        ({"gpu": 2}, True, Allocation(1, 2, 2, 3)),
        ({"nodes": 2}, True, Allocation(2, 1, 0, 3)),
        ({"nodes": 2, "tasks": 4, "cpus_per_task": 5}, True, Allocation(2, 2, 0, 5)),
        ({"gpu": 4, "tasks": 1, "cpus_per_gpu": 2}, True, Allocation(1, 1, 4, 8)),
        ({"nvidia_gpu": 2}, False, Allocation(1, 1, 2, 3)),
        ({"nvidia_gpu": 0, "gpu": 2}, False, Allocation(1, 1, 2, 3)),
        ({"gres": "gpu"}, False, Allocation(1, 1, 1, 3)),
        ({"gres": "gpu:2"}, True, Allocation(1, 2, 2, 3)),
        ({"gres": "gpu:2", "nodes": 2}, True, Allocation(2, 2, 2, 3)),
        ({"gres": "nvme:100G,gpu:3090:1"}, False, Allocation(1, 1, 1, 3)),
        ({"gpu_model": "a100"}, False, Allocation(1, 1, 1, 3)),
        ({"gpu_model": "a100", "gpu": 0}, False, Allocation(1, 1, 0, 3)),
        ({"nodes": 2, "tasks_per_node": 4}, True, Allocation(2, 4, 0, 3)),
        ({"gpu": 2, "tasks_per_gpu": 2}, True, Allocation(1, 4, 2, 3)),
        ({"tasks": 1, "mpi": ""}, False, Allocation(1, 1, 0, 3)),
    ],
)
def test_what_they_mean(resources: dict[str, Any], parallel: bool, expected: Allocation) -> None:
    assert allocation(normalize(job(resources)), threads=3, parallel=parallel) == expected


@pytest.mark.parametrize(
    ("resources", "parallel", "why"),
    [
        ({"nodes": 2}, False, "needs a callable"),
        ({"nodes": 2, "gpu": 3}, True, "gpu=3 cannot be spread"),
        ({"nodes": 2, "tasks": 3}, True, "tasks=3 cannot be spread"),
        ({"gpu": "many"}, True, "gpu=many: must be a whole number"),
        ({"tasks": 0}, True, "at least 1"),
        ({"gpu": -1}, True, "must be at least 0"),
        ({"mpi": "srun", "tasks": 4}, False, "resource mpi=srun: .*params.submitit"),
        ({"cluster": "other"}, True, "resource cluster=other: .*login node"),
        ({"slurm_cluster": "other"}, False, "resource slurm_cluster=other"),
        ({"tasks": 4}, False, "tasks > 1 needs a callable"),
        ({"tasks_per_node": 2}, False, "tasks > 1 needs a callable"),
        ({"tasks_per_gpu": 2}, True, "asks for no GPU"),
        ({"tasks": 4, "tasks_per_node": 2}, True, "tasks and tasks_per_node: give one"),
        ({"gres": "gpu:1", "gpu": 2}, False, "gpu=2 and gres=gpu:1 say the same"),
        ({"gpu": 1, "nvidia_gpu": 1}, False, "gpu=1 and nvidia_gpu=1 say the same"),
        ({"gres": "gpu:a:1", "gpu_model": "b"}, False, "gpu_model=b and gres=gpu:a:1 say the same"),
        ({"gres": "'gpu:1'"}, False, "resource gres='gpu:1': write name:number"),
        ({"gres": "gpu:many:2:3"}, False, "write name:number"),
    ],
)
def test_what_means_nothing_is_one_line(
    resources: dict[str, Any], parallel: bool, why: str
) -> None:
    with pytest.raises(WorkflowError, match=why) as caught:
        allocation(normalize(job(resources)), threads=1, parallel=parallel)
    assert "\n" not in str(caught.value)


def sent(resources: dict[str, Any]) -> dict[str, Any]:
    """What sbatch is told beside submitit's own parameters."""
    asked = normalize(job(resources))
    form = allocation(asked, 1, parallel=True)
    given = submitit_parameters(ExecutorSettings(), asked, form, "name", Path("/folder"))
    return {"gpus": given["gpus_per_node"], **(given["slurm_additional_parameters"] or {})}


def test_models_and_other_generic_resources_reach_sbatch() -> None:
    assert sent({"gres": "gpu:1"}) == {"gpus": 1}
    assert sent({"gres": "gpu:a100:2"}) == {"gpus": 2, "gpus-per-node": "a100:2"}
    assert sent({"gpu_model": "h100", "gpu": 4}) == {"gpus": 4, "gpus-per-node": "h100:4"}
    assert sent({"gres": "shard:2,gpu:1"}) == {"gpus": 1, "gres": "shard:2"}


def test_a_group_does_not_add_up_what_is_of_each_node_or_gpu() -> None:
    part = {"nodes": 1, "tasks": 1, "gpu": 1, "cpus_per_gpu": 8, "mem_mb": 100}
    asked = normalize(job(part, part, {"mem_mb": 100}))
    assert asked == {"nodes": 1, "tasks": 1, "gpu": 2, "cpus_per_gpu": 8, "mem_mb": 300}
    assert allocation(asked, threads=3, parallel=False) == Allocation(1, 1, 2, 16)
    mixed = normalize(job({"gpu": 1, "nodes": 1}, {"nvidia_gpu": 1, "nodes": 1}))
    assert mixed == {"gpu": 2, "nodes": 1}


def test_a_group_cannot_add_up_words() -> None:
    parts = [{"gres": "gpu:1"}, {"gres": "gpu:1"}]
    group = job(*parts, {})
    with pytest.raises(WorkflowError, match="resource gres=gpu:1: a group cannot add it up"):
        normalize(group)
