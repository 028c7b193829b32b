"""Which environment variables sbatch inherits.

sbatch takes options from variables (its manual, "Input environment variables"), and they override
the lines of a script, where the executor writes what a rule or the settings ask for. So a variable
that sets one of these options is removed. So are the variables by which Slurm describes the job
that Snakemake itself runs in: they would be read as options of the new job.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.settings import RESERVED

OPTIONS = {"ARRAY_INX": "array", "TIMELIMIT": "time", "MEM_PER_NODE": "mem", "DEBUG": "verbose"}
OPTIONS |= {"REQ_SWITCH": "switches", "WAIT4SWITCH": "switches"}
EXCLUSIVE = (  # Options of which sbatch takes one.
    {"mem", "mem-per-cpu", "mem-per-gpu"},
    {"gpus", "gpus-per-node", "gpus-per-task"},
    {"requeue", "no-requeue"},
)
OF_A_JOB = ("SLURM_", "SLURMD_", "SRUN_", "SBATCH_MEM_BIND", "SBATCH_CPU_BIND")
OF_THE_USER = {"SLURM_CONF", "SLURM_CLUSTERS", "SLURM_DEBUG_FLAGS", "SLURM_EXIT_ERROR"}
OF_THE_USER |= {"SLURM_STEP_KILLED_MSG_NODE_ID"}


def check_one_cluster(environment: Mapping[str, str]) -> None:
    """Check that jobs go to one cluster, since states are asked of one.

    Raises:
        WorkflowError: a variable lets Slurm choose among clusters.
    """
    for name in ("SBATCH_CLUSTERS", "SLURM_CLUSTERS"):
        value = environment.get(name, "")
        if "," in value or value == "all":
            raise WorkflowError(f"{name}={value}: jobs are watched on one cluster; name that one")


def variables_to_remove(
    environment: Mapping[str, str],
    parameters: Mapping[str, Any],
    resources: Collection[str],
    warn: Callable[[str], None],
) -> set[str]:
    """Name the variables that must not reach sbatch.

    Args:
        environment: of Snakemake.
        parameters: for submitit; None stands for an option that is not set.
        resources: names of the resources that have a value.
        warn: told of a variable of the user that the executor must override.
    """
    chosen = {name.removeprefix("slurm_") for name in parameters if parameters[name] is not None}
    chosen |= set(parameters.get("slurm_additional_parameters") or ())
    chosen = {name.replace("_", "-") for name in chosen}
    if "runtime" in resources:
        chosen.add("time")
    for options in EXCLUSIVE:
        if chosen & options:
            chosen |= options
    in_a_job = "SLURM_JOB_ID" in environment
    names = {name for name in environment if name.startswith("SUBMITIT_")}
    names |= {"SNAKEMAKE_PROFILE"} & environment.keys()
    for name, value in environment.items():
        option = name.removeprefix("SBATCH_")
        option = OPTIONS.get(option, option.lower().replace("_", "-"))
        if name.startswith(OF_A_JOB):
            if in_a_job and name not in OF_THE_USER:
                names.add(name)
        elif not name.startswith("SBATCH_") or option == "clusters":
            continue
        elif option in {*RESERVED, "signal"}:
            names.add(name)
            warn(f"{name}={value} is not passed on: the executor itself sets --{option}")
        elif option in chosen or (option == "gres" and "gpus" in chosen and "gpu" in value):
            names.add(name)
    return names


@contextmanager
def environment_without(names: set[str]) -> Iterator[None]:
    """Remove variables from the environment of this process for a while."""
    removed = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(removed)
