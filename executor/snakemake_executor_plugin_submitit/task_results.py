"""Reads how a job ended from the result files that submitit writes, one a task."""

import contextlib
import os
import pickle
from dataclasses import dataclass
from pathlib import Path

from submitit.core.utils import JobPaths

from snakemake_executor_plugin_submitit.registry import Entry
from snakemake_executor_plugin_submitit.tasks import STARTED


@dataclass(frozen=True)
class TaskResults:
    """The results of a job's tasks that exist so far.

    Attributes:
        succeeded: ranks of tasks.
        failed: the error in one line, by rank.
        tasks: number of tasks.
        folder: of the submission.
        job_id: None when it is not known.
        started: whether a task has started, and may have written to an output.
    """

    succeeded: frozenset[int]
    failed: dict[int, str]
    tasks: int
    folder: Path
    job_id: str | None
    started: bool

    @property
    def success(self) -> bool:
        """Whether every task succeeded."""
        return len(self.succeeded) == self.tasks

    def logs(self) -> list[str]:
        """Logs of up to four tasks that failed, or of tasks without a result if none did."""
        missing = set(range(self.tasks)) - self.succeeded
        ranks = sorted(self.failed or missing or {0})
        return [str(JobPaths(self.folder, self.job_id, rank).stdout) for rank in ranks[:4]]

    def reason(self, state: str) -> str:
        """Why the job failed, in one line."""
        if self.failed:
            rank, line = min(self.failed.items())
            return f"task {rank} of {self.tasks}: {line}"
        known = "" if state in {"COMPLETED", "GONE"} else f", in state {state}"
        return f"it ended without a result{known}"


def read_results(folder: Path, entry: Entry) -> TaskResults:
    """Read the results of a job's tasks from the folder of its submission."""
    succeeded: set[int] = set()
    failed: dict[int, str] = {}
    # Listing the folder makes a network file system ask its server, which may be away.
    names: set[str] = set()
    with contextlib.suppress(OSError):
        names.update(os.listdir(folder))
    for rank in range(entry.tasks):
        path = JobPaths(folder, entry.job_id, rank).result_pickle
        if path.name not in names:
            continue
        try:
            kind, value = pickle.loads(path.read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):
            continue  # A task that starts again has removed it, or it is not wholly visible yet.
        if kind == "success":
            succeeded.add(rank)
        else:
            failed[rank] = last_error(str(value))
    started = f"{entry.job_id}{STARTED}" in names
    return TaskResults(frozenset(succeeded), failed, entry.tasks, folder, entry.job_id, started)


def last_error(traceback: str) -> str:
    """The error at the end of a traceback, with its whole message, in one line."""
    lines = traceback.strip().splitlines() or ["failed"]
    frames = [n for n, line in enumerate(lines) if line.startswith('  File "')]
    after = lines[frames[-1] + 1 :] if frames else lines[-1:]
    first = next((n for n, line in enumerate(after) if not line.startswith(" ")), 0)
    return " ".join(" ".join(after[first:]).split())
