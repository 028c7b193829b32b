"""Reads the names in `resources:` that Snakemake's own Slurm plugin defines."""

import os
import re
from collections.abc import Mapping
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

# Snakemake adds resources up over a group. Of these a group needs the largest.
LARGEST = {"nodes", "tasks", "cpus_per_gpu", "mem_mb_per_cpu", "tasks_per_node", "tasks_per_gpu"}
UNSUPPORTED = {
    "mpi": "an ordinary rule is one task here; run it in parallel by a callable, params.submitit",
    **dict.fromkeys(
        ("cluster", "clusters", "slurm_cluster"),
        "jobs are watched on one cluster alone; start Snakemake on a login node of the other",
    ),
}
# name, name:number, name:type or name:type:number
GRES = re.compile(r"(?P<name>\w+)(:(?P<type>(?!\d+[KMGT]?$)[\w.-]+))?(:(?P<number>\d+[KMGT]?))?")


def normalize(job: Any) -> dict[str, Any]:
    """The resources of a job, each under one name.

    GPUs of `gres` and `nvidia_gpu` become `gpu`, which counts over the whole job.

    Raises:
        WorkflowError: a resource is not supported, is malformed, or repeats another.
    """
    asked = {name: value for name, value in job.resources.items() if value is not None}
    group = job.is_group()
    for name in LARGEST & asked.keys() if group else ():
        values = [member.resources.get(name) for member in job.jobs]
        asked[name] = max((n for n in values if isinstance(n, int)), default=asked[name])
    if group and sum("gpu" in str(member.resources.get("gres")) for member in job.jobs) > 1:
        raise WorkflowError(f"resource gres={asked['gres']}: a group cannot add it up; write gpu=1")
    for name, why in UNSUPPORTED.items():
        if asked.get(name):
            raise WorkflowError(f"resource {name}={asked[name]}: {why}, or leave it out")
    if not group:
        _check_once(asked, "gpu", "nvidia_gpu")
    given = [integer(asked, name, 0) for name in ("gpu", "nvidia_gpu") if name in asked]
    asked.pop("nvidia_gpu", None)
    if given:  # In a group one rule may say gpu and another nvidia_gpu.
        asked["gpu"] = sum(given)
    _move_gpus_from_gres(asked)
    if asked.get("gpu_model"):
        asked.setdefault("gpu", 1)
    if any(name.startswith("SBATCH_MEM_PER_") for name in os.environ) and not _has_memory(job):
        asked.pop("mem_mb", None)  # The user's environment overrides Snakemake's own default.
    return asked


def _has_memory(job: Any) -> bool:
    """Whether the rule, the profile or the command line sets the memory of a job."""
    settings = job.dag.workflow.resource_settings
    given = {name for name, value in settings._parsed_default_resources.items() if value.raw}
    for member in job.jobs if job.is_group() else [job]:
        given |= set(settings.overwrite_resources.get(member.rule.name, ()))
        of_rule = member.rule.ruleinfo.resources
        given |= set(of_rule[1] if of_rule else ())
    return any(name in given for name in ("mem", "mem_mb", "mem_mib", "mem_mb_per_cpu"))


def _move_gpus_from_gres(asked: dict[str, Any]) -> None:
    """Replace GPUs in `gres`, which counts on each node, by `gpu` and `gpu_model`."""
    others = []
    for word in str(asked.pop("gres", None) or "").split(","):
        found = GRES.fullmatch(word.removeprefix("gres/")) if word else None
        if word and found is None:
            raise WorkflowError(f"resource gres={word}: write name:number or name:type:number")
        if found and found["name"] == "gpu":
            _check_once(asked, "gpu", "gres", gres=word)
            if found["type"]:
                _check_once(asked, "gpu_model", "gres", gres=word)
                asked["gpu_model"] = found["type"]
            number = integer({"gres": found["number"] or 1}, "gres", 1)
            asked["gpu"] = number * integer(asked, "nodes", 1)
        elif word:
            others.append(word)
    if others:
        asked["gres"] = ",".join(others)


def integer(resources: Mapping[str, Any], name: str, default: int, least: int = 0) -> int:
    """A resource as an integer.

    Raises:
        WorkflowError: it is not an integer, or is smaller than `least`.
    """
    value = resources.get(name, default)
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise WorkflowError(f"resource {name}={value}: must be a whole number") from None
    if number < least:
        raise WorkflowError(f"resource {name}={value}: must be at least {least}")
    return number


def _check_once(asked: Mapping[str, Any], *names: str, **more: Any) -> None:
    given = [f"{name}={value}" for name in names if (value := {**asked, **more}.get(name))]
    if len(given) > 1:
        raise WorkflowError(f"resources {' and '.join(given)} say the same; leave one of them out")
