"""The executor: what Snakemake calls."""

import os
import re
import shlex
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

from snakemake_interface_common.exceptions import WorkflowError
from snakemake_interface_executor_plugins.executors.base import SubmittedJobInfo
from snakemake_interface_executor_plugins.executors.real import RealExecutor
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import SharedFSUsage
from snakemake_interface_executor_plugins.utils import format_cli_arg
from submitit.core.utils import FailedJobError

from snakemake_executor_plugin_submitit import describe, honoured, inner, outputs
from snakemake_executor_plugin_submitit.attaching import Attaching
from snakemake_executor_plugin_submitit.environment import check_environment
from snakemake_executor_plugin_submitit.local import Local
from snakemake_executor_plugin_submitit.outcome import Results, results
from snakemake_executor_plugin_submitit.patience import Patience, UnreachableError
from snakemake_executor_plugin_submitit.registry import Claim, Entry, Registry
from snakemake_executor_plugin_submitit.request import check_folder, parameters, shape
from snakemake_executor_plugin_submitit.sending import send
from snakemake_executor_plugin_submitit.slurm import Slurm
from snakemake_executor_plugin_submitit.tasks import CallableTask, InnerSnakemake, workflow_path
from snakemake_executor_plugin_submitit.words import settled

# How long a job may take to end after a failure of one task, before it is cancelled.
ENDING = 60.0  # seconds


class Executor(RemoteExecutor):  # type: ignore[misc]
    """Submits each job through submitit and watches over all of them."""

    def __post_init__(self) -> None:
        """Called by Snakemake at the end of its constructor.

        Raises:
            WorkflowError: nothing can be submitted from here, or a callable cannot do its rule.
        """
        self.settings = self.workflow.executor_settings
        self.folder = self.settings.folder.expanduser().absolute()
        self.registry = Registry(self.folder / "registry")
        self.known: dict[str, Entry] = {}  # what is submitted and not over, by key
        self.said: set[str] = set()
        self.asked = float("-inf")
        self.states: dict[str, str] = {}
        self.ended: dict[str, float] = {}
        self.ending: set[str] = set()
        self.threads = 1
        self.over: set[str] = set()
        self.patience = Patience(
            self.settings.patience, self._any_queued, self.say_once, self._told_to_end
        )
        self.cluster = Local() if self.settings.cluster == "local" else Slurm(self.say_once)
        if self.settings.cluster != "debug":
            check_folder(self.folder, self.settings.cluster)
        if self.settings.cluster == "slurm":
            check_environment(os.environ)
        honoured.check_workflow(self.workflow)
        name, say = self.settings.cluster, self.logger.info
        self.earlier = Attaching(self.registry, self.folder, self.cluster, name, say)

    def say_once(self, text: str) -> None:
        """A warning that holds for the whole workflow."""
        if text not in self.said:
            self.said.add(text)
            self.logger.warning(text)

    # Submission

    def run_job(self, job: Any) -> None:
        """Find the job if it was submitted before, else submit it."""
        outputs.release(job)
        if self.settings.cluster == "debug":
            self._run_here(job)
            return
        try:
            self.cluster.check()
            earlier = self.registry.read(describe.key(job))
            entry = earlier and self.patience.call(lambda _: self.earlier.attached(earlier, job))
            entry = entry or self._submitted(job)
        except Exception as error:  # Whatever it is, the other jobs go on.
            self._failed(SubmittedJobInfo(job), f"Not submitted: {told(error)}", begun=False)
            return
        self.known[entry.key] = entry
        self.report_job_submission(SubmittedJobInfo(job, entry.job_id, {"entry": entry}))

    def _submitted(self, job: Any) -> Entry:
        """Submit a job: written down before and after.

        Raises:
            WorkflowError: its resources do not go together.
            UnreachableError: there is no Slurm here, or it does not answer.
            FailedJobError: Slurm refuses it.
            OSError: the folder cannot be written.
        """
        target, resources = describe.target(job), settled(job)
        form = shape(resources, job.threads, target is not None)
        # What is refused is refused before anything is written down.
        parameters(self.settings, resources, form, "", self.folder)
        task = self._task(job, target)
        # From now on its outputs count as incomplete, whenever this process dies.
        whole = outputs.mark(job)
        key = describe.key(job)
        rule = re.sub(r"[^\w.-]+", "-", str(job.name), flags=re.ASCII)[:40]
        digest = describe.code(job)
        entry = self.registry.intend(
            key, rule, digest, self.settings.cluster, form.nodes * form.tasks
        )
        self.known[key] = entry
        task.claim = Claim(str(self.registry.path(key)), entry.name)
        folder = self.folder / entry.name
        given = parameters(self.settings, resources, form, entry.name, folder)
        try:
            job_id = send(
                entry, task, given, resources, folder, self.cluster, self.settings, self.patience
            )
        except Exception as error:
            self.known.pop(key, None)
            if not isinstance(error, UnreachableError):  # Else it may have arrived: it is kept.
                self.registry.forget(entry)
                outputs.unmark(job, whole)
            raise
        entry = replace(entry, job_id=job_id)
        self.registry.write(entry)
        self.logger.info(f"Submitted {entry.name} as {entry.cluster} job {job_id}.")
        return entry

    def _task(self, job: Any, target: str | None) -> CallableTask | InnerSnakemake:
        """What runs in the tasks of a job.

        Raises:
            WorkflowError: it cannot be told there as it is here.
        """
        if target is None:
            return self._inner(job)
        self.workflow.async_run(job.check_protected_output())
        for path in [*job.output, *job.log]:
            path.prepare()
        path = workflow_path(os.getcwd(), self.workflow.main_snakefile)
        return CallableTask(target, describe.describe(job), path, describe.replaced(job))

    def _inner(self, job: Any) -> InnerSnakemake:
        inner.check_targets(job)
        self.threads = job.threads
        before = self.workflow.spawned_job_args_factory.precommand(
            executor_common_settings=self.common_settings
        )
        start = f"{before} && {self.get_python_executable()}".removeprefix(" && ")
        words = shlex.split(self.format_job_exec(job).removeprefix(f"{start} -m snakemake "))
        inner.check_words(words, job, self._awaited(job))
        folder = str(self.workflow.workdir_init)
        return InnerSnakemake(f"{start} -m {__package__}", words, folder, dict(self.envvars()))

    def _run_here(self, job: Any) -> None:
        """The debug cluster: in this process and thread, so that a debugger works."""
        info = SubmittedJobInfo(job, "debug")
        before = dict(os.environ)
        os.environ["SUBMITIT_DEBUG_JOB_ID"] = "debug"
        begun = False
        try:
            target = describe.target(job)
            shape(settled(job), job.threads, target is not None)
            task = self._task(job, target)
            begun = True
            task()
        except (Exception, SystemExit) as error:
            info.aux = {"error": error, "begun": begun}
        finally:
            os.environ.clear()
            os.environ.update(before)
        self.report_job_submission(info)

    # What the inner Snakemake is called with

    @property
    def cores(self) -> int:
        """Of the job that is being submitted: what its rule asks for, whatever the node has."""
        return self.threads

    def get_job_args(self, job: Any) -> str:
        """With all files that it waits for: the words go by file, so that they may be many."""
        words = RealExecutor.get_job_args(self, job)
        return f"{words} {format_cli_arg('--wait-for-files', self._awaited(job))}"

    def _awaited(self, job: Any) -> list[str]:
        shared = SharedFSUsage.INPUT_OUTPUT in self.workflow.storage_settings.shared_fs_usage
        return [str(path) for path in job.get_wait_for_files()] if shared else []

    def get_python_executable(self) -> str:
        """Quoted: a virtual environment may lie in a folder with a space."""
        return shlex.quote(super().get_python_executable())

    # Watching

    async def check_active_jobs(
        self, active_jobs: list[SubmittedJobInfo]
    ) -> AsyncIterator[SubmittedJobInfo]:
        """Report what is over and yield the others.

        Result files are looked for often; the cluster is asked for all jobs at once, every
        `--seconds-between-status-checks`.
        """
        if not active_jobs:
            # Snakemake's thread begins to ask before __post_init__ has run.
            self.next_seconds_between_status_checks = 0.5
            return
        patient = self.workflow.remote_execution_settings.seconds_between_status_checks
        self.next_seconds_between_status_checks = min(patient, max(0.5, len(active_jobs) / 200))
        if self.settings.cluster == "debug":
            for info in active_jobs:
                if info.aux is None:
                    self.report_job_success(info)
                else:
                    self._failed(info, told(info.aux["error"]), begun=info.aux["begun"])
            return
        entries = [info.aux["entry"] for info in active_jobs if info.aux]
        if entries and (
            self.settings.cluster == "local" or time.monotonic() - self.asked > patient
        ):
            async with self.status_rate_limiter:
                self._ask(entries)
        for info in active_jobs:
            if not self._over(info):
                yield info

    def _ask(self, entries: list[Entry]) -> None:
        try:
            self.states = self.cluster.states(entries)
        except UnreachableError as error:
            # Jobs go on without it.
            self.say_once(f"{error}; jobs are looked for again every few seconds")
        self.asked = time.monotonic()

    def _over(self, info: SubmittedJobInfo) -> bool:
        """Report a job that is over."""
        entry: Entry = info.aux["entry"]
        found = self._results(entry)
        if found.success:
            self.over.add(entry.name)
            self.report_job_success(info)
            return True
        state = self.states.get(entry.name, "UNKNOWN")
        if self.cluster.live(state):
            # A job that is put back into the queue has failures of its last start until it begins.
            if not (found.failed and state == "RUNNING"):
                self.ended.pop(entry.name, None)
            elif self._waited(entry) > ENDING and entry.name not in self.ending:
                # The tasks that are left would wait for the dead one.
                self.ending.add(entry.name)
                self._cancel([entry])
            return False
        # A result may become visible on a network file system some seconds after the end.
        patience = self.workflow.execution_settings.latency_wait
        if not found.failed and state in {"COMPLETED", "GONE"} and self._waited(entry) < patience:
            return False
        message = f"{entry.cluster} job {entry.job_id}: {found.reason(state)}"
        self.over.add(entry.name)
        self._failed(info, message, found.logs(), begun=found.begun)
        return True

    def _any_queued(self) -> bool:
        """Whether a job of this workflow may still end and so make room in a full queue."""
        return any(entry.job_id and entry.name not in self.over for entry in self.known.values())

    def _told_to_end(self) -> bool:
        """After SIGTERM, which Snakemake answers only between two submissions."""
        return getattr(self.workflow.scheduler, "_user_kill", None) is not None

    def _failed(
        self, info: SubmittedJobInfo, message: str, logs: Sequence[str] = (), begun: bool = True
    ) -> None:
        """Report a failure; Snakemake says nothing of it under `--quiet rules`."""
        if not begun:
            outputs.keep(info.job)
        if "RULES" in {kind.name for kind in self.workflow.output_settings.quiet or ()}:
            words = [
                f"Error in rule {info.job.name}: {message}",
                *logs,
                *map(str, getattr(info.job, "log", ())),
            ]
            self.logger.error("\n    ".join(words))
        self.report_job_error(info, msg=f"{message}\n", aux_logs=list(logs))

    def _waited(self, entry: Entry) -> float:
        """Seconds since this was first asked for a job."""
        return time.monotonic() - self.ended.setdefault(entry.name, time.monotonic())

    def _results(self, entry: Entry) -> Results:
        return results(self.folder / entry.name, entry)

    def handle_job_success(self, job: Any) -> None:
        """Forget the job, now that Snakemake has noted that its outputs are complete."""
        entry = self.known.pop(describe.key(job), None)
        if entry is not None:
            self.registry.forget(entry)
            for path in (self.folder / entry.name).glob("*.pkl"):
                path.unlink(missing_ok=True)

    def handle_job_error(self, job: Any) -> None:
        """Forget a job also when it succeeded but left an output missing: a retry begins anew."""
        entry = self.known.pop(describe.key(job), None)
        if entry is not None:
            self.registry.forget(entry)

    def cancel_jobs(self, active_jobs: list[SubmittedJobInfo]) -> None:
        """Called on an interrupt: ends every job, also one whose submission was interrupted.

        Entries are kept: whoever starts again waits until the jobs have ended.
        """
        self._cancel(list(self.known.values()))

    def _cancel(self, entries: list[Entry]) -> None:
        try:
            ids = [entry.job_id or self.cluster.find(entry) for entry in entries]
            self.cluster.cancel([number for number in ids if number])
        except UnreachableError as error:
            names = ", ".join(entry.name for entry in entries)
            self.logger.error(f"{error}; these jobs may go on: {names}")


def told(error: BaseException) -> str:
    """An error in one line, with its type where the message alone may say nothing."""
    text = " ".join(str(error).split())
    known = isinstance(error, (WorkflowError, UnreachableError, OSError, FailedJobError))
    return text if known else f"{type(error).__name__}: {text}"
