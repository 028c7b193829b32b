"""Settings: `--submitit-NAME` on the command line, `submitit-NAME` in a profile."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

CLUSTERS = ("slurm", "local", "debug")
# Options of sbatch by which jobs would be lost, hang, or run several times over their own output.
OWN = {"array", "error", "job-name", "open-mode", "output", "parsable", "test-only", "wait", "wrap"}
OWN |= {"cluster", "clusters", "cpus-per-gpu", "cpus-per-task", "nodes", "ntasks", "tasks-per-node"}
OWN |= {f"ntasks-per-{part}" for part in ("node", "gpu", "core", "socket")}


@dataclass
class ExecutorSettings(ExecutorSettingsBase):  # type: ignore[misc]
    """What holds for every job; a rule's resources win over it."""

    cluster: str = field(
        default="slurm",
        metadata={
            "help": "where jobs run: slurm; local, processes on this machine; debug, in Snakemake's"
            " own process, one after another",
            "choices": list(CLUSTERS),
        },
    )
    folder: Path = field(
        default=Path(".snakemake/submitit"),
        metadata={"help": "logs, pickles and the registry; must be seen by all nodes"},
    )
    partition: str | None = field(default=None, metadata={"help": "Slurm partition", "type": str})
    account: str | None = field(default=None, metadata={"help": "Slurm account", "type": str})
    qos: str | None = field(default=None, metadata={"help": "quality of service", "type": str})
    constraint: str | None = field(
        default=None, metadata={"help": "features that nodes must have", "type": str}
    )
    max_timeouts: int = field(
        default=10, metadata={"help": "how often a job that ran out of time goes on again"}
    )
    signal_delay: int = field(
        default=90, metadata={"help": "seconds from the warning signal to the end of time"}
    )
    patience: int = field(
        default=60,
        metadata={
            "help": "minutes for which jobs wait to be taken, while Slurm does not answer or its"
            " queue is full"
        },
    )
    extra: str | None = field(
        default=None,
        metadata={
            "help": "more options of sbatch, without dashes: 'exclusive mail-type=END'",
            "type": str,
        },
    )


common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)


def sbatch_options(text: object) -> dict[str, str | bool]:
    """Options of sbatch by name.

    Args:
        text: as on sbatch's command line with `=`: `--exclusive --mail-type=END`; the leading
            dashes may be left out.

    Returns:
        Values by name; True for an option without one.

    Raises:
        WorkflowError: a word is no option, or sets what submitit itself must set.
    """
    line = "" if text is None else str(text).strip()
    if line[:1] in {"'", '"'} and line.count(line[0]) == 2 and line.endswith(line[0]):
        line = line[1:-1]  # As the documents of Snakemake's own Slurm plugin write it.
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise WorkflowError(f"options of sbatch: {text}: {error}") from error
    options: dict[str, str | bool] = {}
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if not name or name.isdigit() or (word.startswith("-") and not word.startswith("--")):
            raise WorkflowError(f"{word}: not an option of sbatch in its long form (--name=value)")
        if name in OWN:
            raise WorkflowError(
                f"{word}: the executor sets this option itself, some by a rule's resources (nodes,"
                " tasks, cpus_per_task); leave it out"
            )
        options[name] = value if equals else True
    return options
