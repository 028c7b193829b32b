"""How a job ended, by the result files that submitit's tasks write."""

import contextlib
import os
import pickle
from dataclasses import dataclass
from pathlib import Path

from submitit.core.utils import JobPaths

from snakemake_executor_plugin_submitit.registry import Entry
from snakemake_executor_plugin_submitit.tasks import BEGUN


@dataclass(frozen=True)
class Results:
    """The tasks that have written a result.

    Attributes:
        finished: ranks that succeeded.
        failed: the error in one line, by rank.
        tasks: how many ranks there are.
        folder: of the submission.
        job_id: None when it was never known.
        begun: whether a task has begun, and may have touched an output.
    """

    finished: frozenset[int]
    failed: dict[int, str]
    tasks: int
    folder: Path
    job_id: str | None
    begun: bool

    @property
    def success(self) -> bool:
        """Whether every task succeeded."""
        return len(self.finished) == self.tasks

    def logs(self) -> list[str]:
        """Logs of the tasks to look into: those that failed, else those without a result."""
        silent = set(range(self.tasks)) - self.finished
        ranks = sorted(self.failed or silent or {0})
        paths = [JobPaths(self.folder, self.job_id, rank).stdout for rank in ranks[:4]]
        return [str(path) for path in paths]

    def reason(self, state: str) -> str:
        """One line for the error message."""
        if self.failed:
            rank, line = min(self.failed.items())
            return f"task {rank} of {self.tasks}: {line}"
        if state == "COMPLETED" or state == "GONE":
            return "it ended without a result"
        return f"it ended without a result, in state {state}"


def results(folder: Path, entry: Entry) -> Results:
    """Read what the tasks of a job have left in the folder of its submission."""
    finished: set[int] = set()
    failed: dict[int, str] = {}
    # Listing the folder makes a network file system ask its server, which may be away for a while.
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
            continue  # Removed by a task that starts again, or not wholly visible yet.
        if kind == "success":
            finished.add(rank)
        else:
            failed[rank] = message(str(value))
    begun = f"{entry.job_id}{BEGUN}" in names
    return Results(frozenset(finished), failed, entry.tasks, folder, entry.job_id, begun)


def message(traceback: str) -> str:
    """What a traceback ends with, in one line: the error and all of its message."""
    lines = traceback.strip().splitlines() or ["failed"]
    frames = [n for n, line in enumerate(lines) if line.startswith('  File "')]
    after = lines[frames[-1] + 1 :] if frames else lines[-1:]
    first = next((n for n, line in enumerate(after) if not line.startswith(" ")), 0)
    return " ".join(" ".join(after[first:]).split())
