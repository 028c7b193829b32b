"""Handing a task to the cluster, through submitit."""

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import submitit
from submitit.core.utils import FailedJobError

from snakemake_executor_plugin_submitit.local import Local
from snakemake_executor_plugin_submitit.registry import Entry
from snakemake_executor_plugin_submitit.settings import ExecutorSettings
from snakemake_executor_plugin_submitit.slurm import Slurm, UnreachableError

FOREIGN = ("SLURM_", "SLURMD_", "SRUN_", "SBATCH_", "SUBMITIT_")
PASSING = re.compile(
    "unable to contact|timed out|connection|try again|temporarily|zero bytes", re.IGNORECASE
)


def send(
    entry: Entry,
    task: Callable[[], None],
    parameters: Mapping[str, Any],
    folder: Path,
    cluster: Slurm | Local,
    settings: ExecutorSettings,
    warn: Callable[[str], None],
) -> str:
    """Submit a task, again and again while Slurm cannot be reached.

    Args:
        entry: written down for it.
        task: run in every task of the job.
        parameters: for submitit.
        folder: of this submission.
        cluster: asked for a job that arrived although nobody answered.
        settings: of the executor.
        warn: told of each try that failed.

    Returns:
        The id that the cluster gives.

    Raises:
        FailedJobError: Slurm refuses it.
        UnreachableError: Slurm does not answer; the job may have arrived all the same.
    """
    again = {f"{settings.cluster}_max_num_timeout": settings.max_timeouts}
    sender = submitit.AutoExecutor(folder, settings.cluster, **again)
    sender.update_parameters(**parameters)
    job_id = None
    for tries, seconds in enumerate((5, 10, 20, 40, 0)):
        try:
            if tries:  # It may have arrived although nobody answered.
                job_id = cluster.find(entry)
            with _own_environment():
                return job_id or str(sender.submit(task).job_id)
        except (FailedJobError, UnreachableError) as error:
            text = str(error).strip()
            if isinstance(error, FailedJobError) and not PASSING.search(text):
                raise
            if not seconds:
                raise UnreachableError(text) from error
            warn(f"{text}; tried again in {seconds} s")
        time.sleep(seconds)
    raise AssertionError("the last try returns or raises")


@contextmanager
def _own_environment() -> Iterator[None]:
    """What a job must not inherit from the job that submits it; SLURM_CONF is the way to Slurm."""
    dropped = {
        name: os.environ.pop(name)
        for name in list(os.environ)
        if name != "SLURM_CONF" and (name.startswith(FOREIGN) or name == "SNAKEMAKE_PROFILE")
    }
    try:
        yield
    finally:
        os.environ.update(dropped)
