"""Submits tasks through submitit, again while sbatch's error is temporary.

sbatch prints the text of one of Slurm's error codes (slurm/slurm_errno.h) or of the system's. Those
listed below go away without a change of the job. After any other, as an unknown partition or
account, the job fails at once.
"""

import contextlib
import io
import os
import re
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

import submitit
from submitit.core.utils import FailedJobError, FailedSubmissionError

from snakemake_executor_plugin_submitit.local import LocalCluster
from snakemake_executor_plugin_submitit.registry import Entry
from snakemake_executor_plugin_submitit.sbatch_environment import (
    environment_without,
    variables_to_remove,
)
from snakemake_executor_plugin_submitit.settings import ExecutorSettings
from snakemake_executor_plugin_submitit.slurm import SlurmCluster, SlurmUnavailableError

T = TypeVar("T")

TEMPORARY = re.compile(
    # Of the system: its network, or a file system on it.
    "connection|transport endpoint|broken pipe|network is|no route to host|host is down|no buffer"
    "|cannot assign requested address|address already in use|interrupted|input/output error"
    "|stale file handle|cannot allocate memory|temporar|timed out"
    # Of Slurm: its controller does not answer, or authentication fails while munged restarts.
    "|unexpected message received|message send failure|message receive failure|communication"
    "|unable to contact|standby mode|authentication|could not establish a configuration source"
    "|header lengths are longer than data received|zero bytes were transmitted|shutting down"
    "|unable to connect to database|rate limit exceeded|error generating job credential"
    "|i/o error writing script/environment|try again|please retry"
    # Of Slurm: the cluster or the partition takes no jobs at present.
    "|job queue full|maxjobcount limit reached|system submissions disabled|partition in down state"
    "|required partition not available|required node not available|requested nodes are busy"
    "|licenses currently unavailable|requested reservation is in use|reservation not usable now"
)
FAILED = "submission failed: "
# The error of a limit in the accounting. The line before names it, as AssocMaxSubmitJobLimit: a
# limit on the number of jobs is temporary, one on the size of a job is not.
POLICY = "job violates accounting/qos policy"
LIMIT = re.compile(r"\b(?:Assoc|QOS)\w+")
FULL = re.compile("(?i)submit ?job|job submit|maxjobcount|queue full|unable to accept job")
PAUSE_S, LONGEST_PAUSE_S = 2.0, 60.0


def is_temporary(text: str) -> bool:
    """Whether sbatch may succeed later, by what it printed."""
    reason = text.lower().rpartition(FAILED)[2]
    if POLICY in reason:
        limits = LIMIT.findall(text)
        return not limits or any(FULL.search(limit) for limit in limits)
    return TEMPORARY.search(reason) is not None


class SubmissionRetry:
    """Repeats calls of Slurm, with growing pauses, for a time that all jobs of a workflow share.

    Args:
        minutes: after which a job fails; each later job then fails at its first attempt, until one
            succeeds. The time starts anew while the queue is full and `any_queued()`, since a job
            of this workflow that ends makes room.
        any_queued: whether jobs of this workflow are in the queue.
        warn: told the reason.
        is_stopping: whether Snakemake is ending and submits no more jobs.
    """

    def __init__(
        self,
        minutes: float,
        any_queued: Callable[[], bool],
        warn: Callable[[str], None],
        is_stopping: Callable[[], bool],
    ) -> None:
        self.minutes, self.any_queued, self.warn = minutes, any_queued, warn
        self.is_stopping = is_stopping
        self.failing_since: float | None = None

    def call(self, attempt: Callable[[int], T]) -> T:
        """Call `attempt`, with the number of attempts before, until it succeeds; return its result.

        Raises:
            FailedJobError: sbatch's error is not temporary.
            SlurmUnavailableError: the time is over, or Snakemake is ending.
        """
        tries = 0
        while True:
            try:
                result = attempt(tries)
            except (FailedJobError, FailedSubmissionError, SlurmUnavailableError) as error:
                self._pause(error, tries)
                tries += 1
            else:
                self.failing_since = None
                return result

    def _pause(self, error: Exception, tries: int) -> None:
        """Wait before the next attempt, or raise."""
        why = " ".join(str(error).replace("sbatch: error:", "").split())
        if isinstance(error, FailedJobError) and not is_temporary(str(error)):
            raise error
        now = monotonic()
        if self.failing_since is None or (FULL.search(why) and self.any_queued()):
            self.failing_since = now
        left = self.failing_since + 60 * self.minutes - now
        if left <= 0:
            raise SlurmUnavailableError(f"{why}; so for {self.minutes} minutes") from error
        self.warn(f"{why}; tried again for {self.minutes} minutes (submitit-patience)")
        end = now + min(PAUSE_S * 2 ** min(tries, 10), LONGEST_PAUSE_S, left)
        while (rest := end - monotonic()) > 0:
            if self.is_stopping():
                raise SlurmUnavailableError(f"{why}; Snakemake was told to end") from error
            sleep(min(rest, 1))


def submit(
    entry: Entry,
    task: Callable[[], None],
    parameters: Mapping[str, Any],
    resources: Collection[str],
    folder: Path,
    cluster: SlurmCluster | LocalCluster,
    settings: ExecutorSettings,
    retry: SubmissionRetry,
) -> str:
    """Submit a task, again while the error is temporary.

    Returns:
        The id that the cluster gives to the job.

    Raises:
        FailedJobError: Slurm refuses the job.
        SlurmUnavailableError: Slurm gave no answer in time; it may have taken the job all the same.
    """
    limit = {f"{cluster.name}_max_num_timeout": settings.max_timeouts}
    executor = submitit.AutoExecutor(folder, cluster.name, **limit)
    executor.update_parameters(**parameters)
    removed = variables_to_remove(os.environ, parameters, resources, retry.warn)

    def attempt(tries: int) -> str:
        # Slurm may have taken the job at the last attempt, though no answer came.
        job_id = cluster.find(entry) if tries else None
        # submitit prints what sbatch prints, at each attempt; the error holds it too.
        with environment_without(removed), contextlib.redirect_stderr(io.StringIO()):
            return job_id or str(executor.submit(task).job_id)

    return retry.call(attempt)
