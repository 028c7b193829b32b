"""Settings: `--submitit-NAME` on the command line, `submitit-NAME` in a profile."""

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

# Options of sbatch that the executor sets itself. Another value would lose a job, block the
# submission, or run the job several times over its own output.
RESERVED = {"array", "error", "job-name", "open-mode", "output", "parsable", "test-only", "wait"}
RESERVED |= {"cluster", "clusters", "cpus-per-gpu", "cpus-per-task", "nodes", "ntasks", "wrap"}
RESERVED |= {"ntasks-per-node", "ntasks-per-gpu", "ntasks-per-core", "ntasks-per-socket"}
RESERVED.add("tasks-per-node")


def _setting(default: Any, text: str, **more: Any) -> Any:
    return field(default=default, metadata={"help": text, **more})


@dataclass
class ExecutorSettings(ExecutorSettingsBase):  # type: ignore[misc]
    """Defaults for every job; a rule's resources override them."""

    cluster: str = _setting(
        "slurm", "slurm, or local: processes of this machine", choices=["slurm", "local"]
    )
    folder: Path = field(
        default=Path(".snakemake/submitit"),
        metadata={"help": "logs, pickles and the registry; all nodes must see it"},
    )
    partition: str | None = _setting(None, "Slurm partition", type=str)
    account: str | None = _setting(None, "Slurm account", type=str)
    qos: str | None = _setting(None, "quality of service", type=str)
    constraint: str | None = _setting(None, "features that nodes must have", type=str)
    max_timeouts: int = _setting(10, "how often a job is requeued at its time limit")
    signal_delay: int = _setting(90, "seconds from the warning signal to the time limit")
    patience: int = _setting(
        60, "minutes for which a submission is repeated while Slurm is away or full"
    )
    extra: str | None = _setting(
        None, "options of sbatch, dashes optional: 'exclusive mail-type=END'", type=str
    )


common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)


def sbatch_options(text: object) -> dict[str, str | bool]:
    """Parse options of sbatch.

    Args:
        text: as on sbatch's command line with `=`: `--exclusive --mail-type=END`; the leading
            dashes may be left out.

    Returns:
        Values by name; True for an option without one.

    Raises:
        WorkflowError: a word is not an option, or is one that the executor sets itself.
    """
    line = "" if text is None else str(text).strip()
    if line[:1] in {"'", '"'} and line.count(line[0]) == 2 and line.endswith(line[0]):
        line = line[1:-1]  # The documents of Snakemake's own Slurm plugin quote twice.
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise WorkflowError(f"options of sbatch: {text}: {error}") from error
    options: dict[str, str | bool] = {}
    for word in words:
        name, equals, value = word.lstrip("-").partition("=")
        if not name or name.isdigit() or (word.startswith("-") and not word.startswith("--")):
            raise WorkflowError(f"{word}: not an option of sbatch in its long form (--name=value)")
        if name in RESERVED:
            raise WorkflowError(
                f"{word}: the executor sets this option itself, some by a rule's resources (nodes,"
                " tasks, cpus_per_task); leave it out"
            )
        options[name] = value if equals else True
    return options
