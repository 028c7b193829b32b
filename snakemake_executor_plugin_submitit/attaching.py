"""Jobs that an earlier Snakemake submitted: taken over, or ended when they are out of date."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit import describe
from snakemake_executor_plugin_submitit.local import Local
from snakemake_executor_plugin_submitit.outcome import results
from snakemake_executor_plugin_submitit.registry import Entry, Registry
from snakemake_executor_plugin_submitit.slurm import Slurm

# A submission that was cut off may still be on its way.
ON_ITS_WAY = 10.0  # seconds
# How long a job that must give way may take to end.
GIVING_WAY = 180.0  # seconds


@dataclass(frozen=True)
class Attaching:
    """Compares what the registry knows with what is wanted now.

    Attributes:
        registry: where an entry is written.
        folder: of all submissions.
        cluster: asked for their states.
        name: of the cluster.
        say: told what is found.
    """

    registry: Registry
    folder: Path
    cluster: Slurm | Local
    name: str
    say: Callable[[str], None]

    def attached(self, entry: Entry, job: Any) -> Entry | None:
        """The submission of an entry, if its result is the one that is wanted.

        Raises:
            WorkflowError: a job in its place does not end.
            UnreachableError: the cluster does not answer; nothing may be submitted then.
        """
        if entry.cluster != self.name:
            raise WorkflowError(
                f"{self.registry.path(entry.key)}: {entry.name} was submitted to {entry.cluster};"
                f" go on with --submitit-cluster {entry.cluster}, or see that it has ended and"
                " delete this file"
            )
        found = entry if entry.job_id is not None else self._found(entry)
        if found is None:
            return None
        same = found.digest == describe.code(job)
        same = same and not describe.changed_since(job.input, found.created)
        end = time.monotonic() + GIVING_WAY
        cancelled = False
        while True:
            state = self.cluster.states([found])[found.name]
            live = self.cluster.live(state)
            success = results(self.folder / found.name, found).success
            if same and success and describe.made_from_its_inputs(job):
                self.say(f"{found.name} ({found.job_id}) is already done.")
                return found
            if same and live and state != "COMPLETING":
                self.say(f"{found.name} ({found.job_id}) goes on: {state.lower()}.")
                return found
            if not live:
                return None
            if not same and not cancelled:
                self.say(f"{found.name} ({found.job_id}) is out of date: cancelled.")
                self.cluster.cancel([str(found.job_id)])
                cancelled = True
            if time.monotonic() > end:
                raise WorkflowError(f"job {found.job_id} ({found.name}) does not end: {state}")
            time.sleep(1)

    def _found(self, entry: Entry) -> Entry | None:
        """The entry with its job id, after a death between the submission and writing that down."""
        while True:
            job_id = self.cluster.find(entry)
            if job_id is not None:
                break
            if time.time() > entry.created + ON_ITS_WAY:
                return None
            time.sleep(0.5)
        entry = replace(entry, job_id=job_id)
        folder = self.folder / entry.name
        for path in folder.glob("[0-9a-f]" * 32 + ".pkl"):
            path.rename(folder / f"{job_id}_submitted.pkl")
        self.registry.write(entry)
        return entry
