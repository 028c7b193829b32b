"""The words of `resources:` that Snakemake's own Slurm plugin knows, as this one reads them."""

import os
import re
from collections.abc import Mapping
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

# Other names of the same; of the first that a rule gives.
SAME = {"nodes": ("node", "slurm_nodes"), "gpu": ("gpus", "nvidia_gpu")}
# A group of jobs needs of these the most that one of them asks for; Snakemake adds them up.
EACH = {"nodes", "tasks", "cpus_per_gpu", "mem_mb_per_cpu", "tasks_per_node", "tasks_per_gpu"}
EACH |= set(SAME["nodes"])
NO_MEANING = {
    "mpi": "an ordinary rule is one task here; run it in parallel by a callable, params.submitit",
    **dict.fromkeys(
        ("cluster", "clusters", "slurm_cluster"),
        "jobs are watched on one cluster alone; start Snakemake on a login node of the other",
    ),
}
# name, name:number, name:type or name:type:number
GRES = re.compile(r"(?P<name>\w+)(:(?P<type>(?!\d+[KMGT]?$)[\w.-]+))?(:(?P<number>\d+[KMGT]?))?")


def settled(job: Any) -> dict[str, Any]:
    """The resources of a job under the names that the executor uses.

    `gpu` counts the GPUs of the whole job and `gres` has no GPUs any more.

    Raises:
        WorkflowError: a word has no meaning here, is not understood, or says a thing again.
    """
    asked = {name: value for name, value in job.resources.items() if value is not None}
    group = job.is_group()
    for name in EACH & asked.keys() if group else ():
        of_parts = [part.resources.get(name) for part in job.jobs]
        asked[name] = max((n for n in of_parts if isinstance(n, int)), default=asked[name])
    if group and sum("gpu" in str(part.resources.get("gres")) for part in job.jobs) > 1:
        raise WorkflowError(f"resource gres={asked['gres']}: a group cannot add it up; write gpu=1")
    for name, why in NO_MEANING.items():
        if asked.get(name):
            raise WorkflowError(f"resource {name}={asked[name]}: {why}, or leave it out")
    for name, others in SAME.items():
        if not group:
            _once(asked, name, *others)
        given = [whole(asked, word, 0) for word in (name, *others) if word in asked]
        if given:  # In a group each rule may have its own word.
            asked[name] = max(given) if name in EACH else sum(given)
        for other in others:
            asked.pop(other, None)
    _gpus_of_gres(asked)
    if asked.get("gpu_model"):
        asked.setdefault("gpu", 1)
    if any(name.startswith("SBATCH_MEM_PER_") for name in os.environ) and not _memory_given(job):
        asked.pop("mem_mb", None)  # Snakemake's own default ranks below the user's environment.
    return asked


def _memory_given(job: Any) -> bool:
    settings = job.dag.workflow.resource_settings
    given = {name for name, value in settings._parsed_default_resources.items() if value.raw}
    for part in job.jobs if job.is_group() else [job]:
        given |= set(settings.overwrite_resources.get(part.rule.name, ()))
        given |= set(part.rule.ruleinfo.resources[1] if part.rule.ruleinfo.resources else ())
    return any(name in given for name in ("mem", "mem_mb", "mem_mib", "mem_mb_per_cpu"))


def _gpus_of_gres(asked: dict[str, Any]) -> None:
    """Take the GPUs out of `gres`, which counts them on each node."""
    others = []
    for word in str(asked.pop("gres", None) or "").split(","):
        found = GRES.fullmatch(word.removeprefix("gres/")) if word else None
        if word and found is None:
            raise WorkflowError(f"resource gres={word}: write name:number or name:type:number")
        if found and found["name"] == "gpu":
            _once(asked, "gpu", "gres", gres=word)
            if found["type"]:
                _once(asked, "gpu_model", "gres", gres=word)
                asked["gpu_model"] = found["type"]
            number = whole({"gres": found["number"] or 1}, "gres", 1)
            asked["gpu"] = number * whole(asked, "nodes", 1)
        elif word:
            others.append(word)
    if others:
        asked["gres"] = ",".join(others)


def whole(resources: Mapping[str, Any], name: str, default: int, least: int = 0) -> int:
    """A resource as a whole number.

    Raises:
        WorkflowError: it is none, or smaller than `least`.
    """
    value = resources.get(name, default)
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise WorkflowError(f"resource {name}={value}: must be a whole number") from None
    if number < least:
        raise WorkflowError(f"resource {name}={value}: must be at least {least}")
    return number


def _once(asked: Mapping[str, Any], *names: str, **more: Any) -> None:
    given = [f"{name}={value}" for name in names if (value := {**asked, **more}.get(name))]
    if len(given) > 1:
        raise WorkflowError(f"resources {' and '.join(given)} say the same; leave one of them out")
