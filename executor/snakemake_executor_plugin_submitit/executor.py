"""The executor that Snakemake calls: submits jobs and polls their states."""

import os
import re
import shlex
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import SharedFSUsage
from snakemake_interface_executor_plugins.utils import format_cli_arg
from submitit.core.utils import FailedJobError

from snakemake_executor_plugin_submitit import command_line, incomplete_outputs, jobs
from snakemake_executor_plugin_submitit.callable_rules import check_workflow
from snakemake_executor_plugin_submitit.local import LocalCluster
from snakemake_executor_plugin_submitit.parameters import (
    allocation,
    check_folder,
    submitit_parameters,
)
from snakemake_executor_plugin_submitit.reattach import Reattacher
from snakemake_executor_plugin_submitit.registry import Claim, Entry, Registry
from snakemake_executor_plugin_submitit.resources import normalize
from snakemake_executor_plugin_submitit.sbatch_environment import check_one_cluster
from snakemake_executor_plugin_submitit.slurm import SlurmCluster, SlurmUnavailableError
from snakemake_executor_plugin_submitit.submission import SubmissionRetry, submit
from snakemake_executor_plugin_submitit.task_results import read_results
from snakemake_executor_plugin_submitit.tasks import CallableTask, SnakemakeTask

FAILED_TASK_S = 60.0  # How long a job may go on after a task failed; then it is cancelled.


class Executor(RemoteExecutor):  # type: ignore[misc]
    """Submits each job through submitit and polls the states of all."""

    def __post_init__(self) -> None:
        """Set up; called at the end of the constructor of Snakemake's base class.

        Raises:
            WorkflowError: jobs cannot be submitted from here, or a rule with a callable uses a
                directive that callables do not support.
        """
        self.settings = self.workflow.executor_settings
        self.folder = self.settings.folder.expanduser().absolute()
        self.registry = Registry(self.folder / "registry")
        self.entries: dict[str, Entry] = {}  # of submitted jobs, by key
        self.reported: set[str] = set()  # names of jobs whose end Snakemake knows
        self.warnings: set[str] = set()
        self.states: dict[str, str] = {}
        self.asked_at = float("-inf")  # when the cluster was last asked for states
        self.waiting_since: dict[str, float] = {}  # of jobs without the results that are expected
        self.cancelled: set[str] = set()
        self.threads = 1  # of the job that is being submitted
        self.retry = SubmissionRetry(
            self.settings.patience, self._any_queued, self.warn_once, self._is_stopping
        )
        if self.settings.cluster == "slurm":
            check_one_cluster(os.environ)
            self.cluster: SlurmCluster | LocalCluster = SlurmCluster(self.warn_once)
        else:
            self.cluster = LocalCluster()
        check_folder(self.folder, self.cluster.name)
        check_workflow(self.workflow)
        self.reattacher = Reattacher(self.registry, self.folder, self.cluster, self.logger.info)

    def warn_once(self, text: str) -> None:
        """Log a warning, unless it was logged before."""
        if text not in self.warnings:
            self.warnings.add(text)
            self.logger.warning(text)

    # Submission

    def run_job(self, job: Any) -> None:
        """Take over the job if it was submitted before, else submit it."""
        incomplete_outputs.remove_on_failure(job)
        try:
            self.cluster.check()
            earlier = self.registry.read(jobs.key(job))
            entry = earlier and self.retry.call(lambda _: self.reattacher.reattach(earlier, job))
            entry = entry or self._submit(job)
        except Exception as error:  # Of any kind: the other jobs go on.
            self._fail(SubmittedJobInfo(job), f"Not submitted: {one_line(error)}", started=False)
            return
        self.entries[entry.key] = entry
        self.report_job_submission(SubmittedJobInfo(job, entry.job_id, {"entry": entry}))

    def _submit(self, job: Any) -> Entry:
        """Submit a job; its entry is written before and after.

        Raises:
            WorkflowError: its resources do not go together.
            SlurmUnavailableError: Slurm is missing or does not answer.
            FailedJobError: Slurm refuses the job.
            OSError: the folder cannot be written.
        """
        target, resources = jobs.callable_name(job), normalize(job)
        wanted = allocation(resources, job.threads, target is not None)
        # Raises before anything is written.
        submitit_parameters(self.settings, resources, wanted, "", self.folder)
        task = self._task(job, target)
        # From here on the outputs count as incomplete if this process dies.
        complete = incomplete_outputs.mark_incomplete(job)
        key = jobs.key(job)
        rule = re.sub(r"[^\w.-]+", "-", str(job.name), flags=re.ASCII)[:40]
        tasks = wanted.nodes * wanted.tasks_per_node
        entry = self.registry.intend(key, rule, jobs.fingerprint(job), self.cluster.name, tasks)
        self.entries[key] = entry
        task.claim = Claim(str(self.registry.path(key)), entry.name)
        folder = self.folder / entry.name
        given = submitit_parameters(self.settings, resources, wanted, entry.name, folder)
        try:
            job_id = submit(
                entry, task, given, resources, folder, self.cluster, self.settings, self.retry
            )
        except Exception as error:
            self.entries.pop(key, None)
            if not isinstance(error, SlurmUnavailableError):  # Else Slurm may have taken the job.
                self.registry.forget(entry)
                incomplete_outputs.unmark(job, complete)
            raise
        entry = replace(entry, job_id=job_id)
        self.registry.write(entry)
        self.logger.info(f"Submitted {entry.name} as {entry.cluster} job {job_id}.")
        return entry

    def _task(self, job: Any, target: str | None) -> CallableTask | SnakemakeTask:
        """What each task of a job runs.

        Raises:
            WorkflowError: an output is protected, or a name would be read otherwise on the node.
        """
        if target is None:
            return self._snakemake_task(job)
        self.workflow.async_run(job.check_protected_output())
        for path in [*job.output, *job.log]:
            path.prepare()
        beside = str(Path(self.workflow.main_snakefile).resolve().parent)
        path = list(dict.fromkeys([os.getcwd(), beside]))
        return CallableTask(target, jobs.describe(job), path, jobs.older_outputs(job))

    def _snakemake_task(self, job: Any) -> SnakemakeTask:
        command_line.check_wildcards(job)
        self.threads = job.threads
        before = self.workflow.spawned_job_args_factory.precommand(
            executor_common_settings=self.common_settings
        )
        start = f"{before} && {self.get_python_executable()}".removeprefix(" && ")
        arguments = shlex.split(self.format_job_exec(job).removeprefix(f"{start} -m snakemake "))
        command_line.check_arguments(arguments, job, self._awaited(job))
        folder = str(self.workflow.workdir_init)
        return SnakemakeTask(f"{start} -m {__package__}", arguments, folder, dict(self.envvars()))

    # Arguments of the Snakemake on the node

    @property
    def cores(self) -> int:
        """The threads of the job that is being submitted, not all cores of its node."""
        return self.threads

    def get_job_args(self, job: Any) -> str:
        """Also name all files to wait for, however many: the arguments are passed in a file."""
        words = RealExecutor.get_job_args(self, job)
        return f"{words} {format_cli_arg('--wait-for-files', self._awaited(job))}"

    def _awaited(self, job: Any) -> list[str]:
        shared = SharedFSUsage.INPUT_OUTPUT in self.workflow.storage_settings.shared_fs_usage
        return [str(path) for path in job.get_wait_for_files()] if shared else []

    def get_python_executable(self) -> str:
        """Quoted, since a virtual environment may lie in a folder with a space."""
        return shlex.quote(super().get_python_executable())

    # Polling

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncIterator[SubmittedJobInfo]:
        """Report jobs that have ended and yield the others.

        Result files are read often; Slurm is asked for all jobs at once, every
        `--seconds-between-status-checks`.
        """
        if not active_jobs:
            # Snakemake's thread starts polling before __post_init__ has run.
            self.next_seconds_between_status_checks = 0.5
            return
        interval = self.workflow.remote_execution_settings.seconds_between_status_checks
        self.next_seconds_between_status_checks = min(interval, max(0.5, len(active_jobs) / 200))
        if self.cluster.name == "local" or time.monotonic() - self.asked_at > interval:
            async with self.status_rate_limiter:
                self._ask_states([info.aux["entry"] for info in active_jobs])
        for info in active_jobs:
            if not self._report_if_ended(info):
                yield info

    def _ask_states(self, entries: list[Entry]) -> None:
        try:
            self.states = self.cluster.states(entries)
        except SlurmUnavailableError as error:
            # Jobs go on without it.
            self.warn_once(f"{error}; jobs are looked for again every few seconds")
        self.asked_at = time.monotonic()

    def _report_if_ended(self, info: SubmittedJobInfo) -> bool:
        """Report a job to Snakemake if it has ended, and say whether it has."""
        entry: Entry = info.aux["entry"]
        found = read_results(self.folder / entry.name, entry)
        if found.success:
            self.reported.add(entry.name)
            self.report_job_success(info)
            return True
        state = self.states.get(entry.name, "UNKNOWN")
        if self.cluster.is_active(state):
            # A requeued job has the failures of its last start until it starts again.
            if not (found.failed and state == "RUNNING"):
                self.waiting_since.pop(entry.name, None)
            elif self._waited(entry) > FAILED_TASK_S and entry.name not in self.cancelled:
                # The other tasks would wait for the one that failed.
                self.cancelled.add(entry.name)
                self._cancel([entry])
            return False
        # On a network file system a result may become visible some seconds after the job's end.
        latency = self.workflow.execution_settings.latency_wait
        if not found.failed and state in {"COMPLETED", "GONE"} and self._waited(entry) < latency:
            return False
        message = f"{entry.cluster} job {entry.job_id}: {found.reason(state)}"
        self.reported.add(entry.name)
        self._fail(info, message, found.logs(), started=found.started)
        return True

    def _waited(self, entry: Entry) -> float:
        """Seconds since this was first asked for a job."""
        now = time.monotonic()
        return now - self.waiting_since.setdefault(entry.name, now)

    def _any_queued(self) -> bool:
        """Whether a job of this workflow may still end and so make room in a full queue."""
        entries = self.entries.values()
        return any(entry.job_id and entry.name not in self.reported for entry in entries)

    def _is_stopping(self) -> bool:
        """Whether SIGTERM has come, which Snakemake handles only between two submissions."""
        return getattr(self.workflow.scheduler, "_user_kill", None) is not None

    def _fail(
        self, info: SubmittedJobInfo, message: str, logs: Sequence[str] = (), started: bool = True
    ) -> None:
        """Report a failure; Snakemake itself prints nothing of it under `--quiet rules`."""
        if not started:
            incomplete_outputs.keep_on_failure(info.job)
        if "RULES" in {kind.name for kind in self.workflow.output_settings.quiet or ()}:
            of_rule = map(str, getattr(info.job, "log", ()))
            lines = [f"Error in rule {info.job.name}: {message}", *logs, *of_rule]
            self.logger.error("\n    ".join(lines))
        self.report_job_error(info, msg=f"{message}\n", aux_logs=list(logs))

    def handle_job_success(self, job: Any) -> None:
        """Forget a job, now that Snakemake has recorded its outputs as complete."""
        if (entry := self._forget(job)) is not None:
            for path in (self.folder / entry.name).glob("*.pkl"):
                path.unlink(missing_ok=True)

    def handle_job_error(self, job: Any) -> None:
        """Forget a job that failed, or left an output missing, so that a retry submits it anew."""
        self._forget(job)

    def _forget(self, job: Any) -> Entry | None:
        entry = self.entries.pop(jobs.key(job), None)
        if entry is not None:
            self.registry.forget(entry)
        return entry

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Cancel all jobs on an interrupt, also one whose submission was interrupted.

        Entries are kept, so that a restarted Snakemake waits until the jobs have ended.
        """
        self._cancel(list(self.entries.values()))

    def _cancel(self, entries: list[Entry]) -> None:
        try:
            ids = [entry.job_id or self.cluster.find(entry) for entry in entries]
            self.cluster.cancel([number for number in ids if number])
        except SlurmUnavailableError as error:
            names = ", ".join(entry.name for entry in entries)
            self.logger.error(f"{error}; these jobs may go on: {names}")


def one_line(error: BaseException) -> str:
    """An error in one line, with its type where the message alone may say nothing."""
    text = " ".join(str(error).split())
    known = isinstance(error, (WorkflowError, SlurmUnavailableError, OSError, FailedJobError))
    return text if known else f"{type(error).__name__}: {text}"
