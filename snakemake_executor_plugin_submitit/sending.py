"""Handing a task to the cluster, through submitit."""

import os
import re
import shlex
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
        parameters: for submitit, without name and setup.
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
    sender.update_parameters(name=entry.name, slurm_setup=setup(folder), **parameters)
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


def setup(folder: Path) -> list[str]:
    """Shell lines that run before the tasks, also after a requeue.

    submitit names the pickle after the job once sbatch has told it the id. If Snakemake dies
    before that, the job names it itself. What a checkpoint that was cut off left would make the
    next one fail.
    """
    place, unnamed = shlex.quote(str(folder)), "?" * 32 + ".pkl"
    return [
        f"rm -f {place}/*.save_tmp",
        f"for pickle in {place}/{unnamed}; do",
        f'  ln "$pickle" {place}/"$SLURM_JOB_ID"_submitted.pkl 2>/dev/null || true',
        "done",
    ]


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
