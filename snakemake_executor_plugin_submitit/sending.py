"""Handing a task to the cluster, through submitit."""

import contextlib
import io
import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import submitit

from snakemake_executor_plugin_submitit.environment import dropped, without
from snakemake_executor_plugin_submitit.local import Local
from snakemake_executor_plugin_submitit.patience import Patience
from snakemake_executor_plugin_submitit.registry import Entry
from snakemake_executor_plugin_submitit.settings import ExecutorSettings
from snakemake_executor_plugin_submitit.slurm import Slurm


def send(
    entry: Entry,
    task: Callable[[], None],
    given: Mapping[str, Any],
    asked: Collection[str],
    folder: Path,
    cluster: Slurm | Local,
    settings: ExecutorSettings,
    patience: Patience,
) -> str:
    """Submit a task, again and again while Slurm does not take it for now.

    Args:
        entry: written down for it.
        task: run in every task of the job.
        given: parameters for submitit.
        asked: the resources of the job that have a value.
        folder: of this submission.
        cluster: asked for a job that arrived although nobody answered.
        settings: of the executor.
        patience: for how long.

    Returns:
        The id that the cluster gives.

    Raises:
        FailedJobError: Slurm refuses it.
        UnreachableError: patience is at its end; the job may have arrived all the same.
    """
    again = {f"{settings.cluster}_max_num_timeout": settings.max_timeouts}
    sender = submitit.AutoExecutor(folder, settings.cluster, **again)
    sender.update_parameters(**given)
    foreign = dropped(os.environ, given, asked, patience.warn)

    def attempt(tries: int) -> str:
        job_id = cluster.find(entry) if tries else None  # It may have arrived unanswered.
        # submitit prints what sbatch says, each time; the error holds it too.
        with without(foreign), contextlib.redirect_stderr(io.StringIO()):
            return job_id or str(sender.submit(task).job_id)

    return patience.call(attempt)
