"""Takes over jobs that an earlier Snakemake submitted, and cancels those that are out of date."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit import jobs
from snakemake_executor_plugin_submitit.local import LocalCluster
from snakemake_executor_plugin_submitit.registry import Entry, Registry
from snakemake_executor_plugin_submitit.slurm import SlurmCluster
from snakemake_executor_plugin_submitit.task_results import read_results

ARRIVAL_S = 10.0  # A submission whose sbatch was killed may reach Slurm this late.
CANCEL_S = 180.0  # How long a cancelled job may take to end.


@dataclass(frozen=True)
class Reattacher:
    """Compares registry entries with the jobs that Snakemake wants now.

    Attributes:
        registry: of the submitted jobs.
        folder: of all submissions.
        cluster: asked for the states of jobs.
        log: told what happens to a job.
    """

    registry: Registry
    folder: Path
    cluster: SlurmCluster | LocalCluster
    log: Callable[[str], None]

    def reattach(self, entry: Entry, job: Any) -> Entry | None:
        """Return the entry, with its job id, if its submission does what the job asks for.

        An out-of-date submission is cancelled, and waited for.

        Raises:
            WorkflowError: the submission went to another cluster, or does not end.
            SlurmUnavailableError: the cluster does not answer; nothing may be submitted then.
        """
        if entry.cluster != self.cluster.name:
            raise WorkflowError(
                f"{self.registry.path(entry.key)}: {entry.name} was submitted to {entry.cluster};"
                f" go on with --submitit-cluster {entry.cluster}, or see that it has ended and"
                " delete this file"
            )
        found = entry if entry.job_id is not None else self._with_job_id(entry)
        if found is None:
            return None
        same = found.digest == jobs.fingerprint(job)
        same = same and not jobs.changed_since(job.input, found.created)
        end = time.monotonic() + CANCEL_S
        cancelled = False
        while True:
            state = self.cluster.states([found])[found.name]
            active = self.cluster.is_active(state)
            success = read_results(self.folder / found.name, found).success
            if same and success and jobs.outputs_up_to_date(job):
                self.log(f"{found.name} ({found.job_id}) is already done.")
                return found
            if same and active and state != "COMPLETING":
                self.log(f"{found.name} ({found.job_id}) goes on: {state.lower()}.")
                return found
            if not active:
                return None
            if not same and not cancelled:
                self.log(f"{found.name} ({found.job_id}) is out of date: cancelled.")
                self.cluster.cancel([str(found.job_id)])
                cancelled = True
            if time.monotonic() > end:
                raise WorkflowError(f"job {found.job_id} ({found.name}) does not end: {state}")
            time.sleep(1)

    def _with_job_id(self, entry: Entry) -> Entry | None:
        """Find the job id by the job's name, if Snakemake died before it wrote the id down."""
        while (job_id := self.cluster.find(entry)) is None:
            if time.time() > entry.created + ARRIVAL_S:
                return None
            time.sleep(0.5)
        entry = replace(entry, job_id=job_id)
        folder = self.folder / entry.name
        for path in folder.glob("[0-9a-f]" * 32 + ".pkl"):
            path.rename(folder / f"{job_id}_submitted.pkl")
        self.registry.write(entry)
        return entry
