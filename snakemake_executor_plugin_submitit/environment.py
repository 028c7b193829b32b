"""What sbatch is given of the user's environment.

sbatch takes options from variables (its manual, "Input environment variables"), and these win over
the lines of a script, which is where the executor writes what a rule or the settings ask for. So a
variable is passed on unless one of those decides the same. What Slurm has set for a job that
Snakemake itself runs in describes that job and no other.
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.settings import OWN

OPTIONS = {"ARRAY_INX": "array", "TIMELIMIT": "time", "MEM_PER_NODE": "mem", "DEBUG": "verbose"}
OPTIONS |= {"REQ_SWITCH": "switches", "WAIT4SWITCH": "switches"}
SAME = (
    {"mem", "mem-per-cpu", "mem-per-gpu"},
    {"gpus", "gpus-per-node", "gpus-per-task"},
    {"requeue", "no-requeue"},
)
OF_A_JOB = ("SLURM_", "SLURMD_", "SRUN_", "SBATCH_MEM_BIND", "SBATCH_CPU_BIND")
OF_THE_USER = {"SLURM_CONF", "SLURM_CLUSTERS", "SLURM_DEBUG_FLAGS", "SLURM_EXIT_ERROR"}
OF_THE_USER |= {"SLURM_STEP_KILLED_MSG_NODE_ID"}


def check_environment(environment: Mapping[str, str]) -> None:
    """See that jobs stay where they are watched.

    Raises:
        WorkflowError: Slurm would choose among clusters.
    """
    for name in ("SBATCH_CLUSTERS", "SLURM_CLUSTERS"):
        value = environment.get(name, "")
        if "," in value or value == "all":
            raise WorkflowError(f"{name}={value}: jobs are watched on one cluster; name that one")


def dropped(
    environment: Mapping[str, str],
    given: Mapping[str, Any],
    asked: Collection[str],
    warn: Callable[[str], None],
) -> set[str]:
    """The variables that must not reach sbatch.

    Args:
        environment: of Snakemake.
        given: the parameters for submitit; those that are None are not decided.
        asked: the resources that somebody gave a value.
        warn: told of a setting of the user that cannot be passed on.
    """
    decided = {name.removeprefix("slurm_") for name, value in given.items() if value is not None}
    decided |= set(given.get("slurm_additional_parameters") or ())
    decided = {name.replace("_", "-") for name in decided}
    if "runtime" in asked:
        decided.add("time")
    for same in SAME:
        if decided & same:
            decided |= same
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
        elif option in {*OWN, "signal"}:
            names.add(name)
            warn(f"{name}={value} is not passed on: the executor itself sets --{option}")
        elif option in decided or (option == "gres" and "gpus" in decided and "gpu" in value):
            names.add(name)
    return names


@contextmanager
def without(names: set[str]) -> Iterator[None]:
    """The environment of this process without some variables."""
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(kept)
