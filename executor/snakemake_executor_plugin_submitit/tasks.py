"""Runs in the tasks of a job: a rule's callable, or a Snakemake that runs one rule."""

import contextlib
import importlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import FrameType
from typing import Any

import submitit
from submitit.helpers import DelayedSubmission

from snakemake_executor_plugin_submitit.registry import Claim

STARTED = "_started"  # While this file is missing, no task has touched an output.


@dataclass(frozen=True)
class Job:
    """The description of a job that its callable is constructed with; plain values.

    Attributes:
        rule: name of the rule.
        wildcards: values by name.
        input: paths by name if the rule names its inputs, else a list.
        output: paths, in the order of the rule.
        params: values by name, without `submitit`.
        log: paths.
        threads: of each task.
        resources: of the whole job, as Snakemake has them.
        workdir: where tasks run; relative paths start here.
    """

    rule: str
    wildcards: dict[str, str]
    input: dict[str, Any] | list[str]
    output: list[str]
    params: dict[str, Any]
    log: list[str]
    threads: int
    resources: dict[str, int | str]
    workdir: str


def _start(claim: Claim | None) -> None:
    """Stop a job that was replaced, and remove the result of an earlier start."""
    if claim is not None:
        claim.check()
    # A task that had finished before a requeue runs again: its old result must not count.
    submitit.JobEnvironment().paths.result_pickle.unlink(missing_ok=True)
    _marker(STARTED).touch()


def _marker(suffix: str) -> Path:
    """A file beside the logs, by which tasks tell each other and Snakemake how far they are."""
    return Path(os.environ["SUBMITIT_FOLDER"]) / f"{submitit.JobEnvironment().job_id}{suffix}"


@dataclass
class CallableTask:
    """Runs `Class(job)()` in one task, and `Class(job).checkpoint()` at a warning signal.

    Attributes:
        target: `module:Class`.
        job: passed to the class.
        path: folders that are searched for the module before others.
        older_outputs: of an earlier run; removed when the job starts for the first time.
        claim: checked at the start.
    """

    target: str
    job: Job
    path: list[str]
    older_outputs: list[str]
    claim: Claim | None = None
    running: Any = field(default=None, repr=False)

    def __call__(self) -> None:
        """Construct the callable and call it, in the workflow's folder."""
        _start(self.claim)
        os.chdir(self.job.workdir)
        if tmpdir := self.job.resources.get("tmpdir"):
            os.makedirs(str(tmpdir), exist_ok=True)
            os.environ["TMPDIR"] = tempfile.tempdir = str(tmpdir)
        if self.older_outputs:
            self._remove_older_outputs()
        sys.path[:0] = [folder for folder in self.path if folder not in sys.path]
        self.running = load(self.target)(self.job)
        if submitit.JobEnvironment().global_rank:
            self._checkpoint_in_this_rank()
        self.running()

    def checkpoint(self) -> DelayedSubmission:
        """Save, and have the job requeued; submitit's signal handler calls this in rank 0."""
        self._save()
        return DelayedSubmission(replace(self, running=None))

    def _remove_older_outputs(self) -> None:
        """Remove them once, in rank 0; the other ranks wait.

        This is not done at the submission, so that a job that never starts leaves them in place.
        """
        done = _marker("_removed")
        # Listing the folder makes a network file system ask its server.
        while done.name not in os.listdir(done.parent):
            if submitit.JobEnvironment().global_rank:
                time.sleep(0.2)
            else:
                remove(self.older_outputs)
                done.touch()

    def _save(self) -> None:
        save = getattr(self.running, "checkpoint", None)
        if save is not None:
            save()

    def _checkpoint_in_this_rank(self) -> None:
        """Save at the signal in ranks other than 0 too, where submitit does not call `checkpoint`.

        The state of a callable may be spread over all ranks.
        """
        number = submitit.JobEnvironment()._usr_sig()
        before = signal.getsignal(number)

        def handle(signum: int, frame: FrameType | None) -> None:
            self._save()
            if callable(before):
                before(signum, frame)

        signal.signal(number, handle)


def load(target: str) -> Callable[[Job], Any]:
    """Import the class that `module:Class` names.

    Raises:
        ValueError: `target` has another form.
        ImportError: there is no such module.
        AttributeError: the module has no such class.
    """
    module, _, name = target.partition(":")
    if not module or not name:
        raise ValueError(f'submitit="{target}": must be "module:Class"')
    made: Callable[[Job], Any] = getattr(importlib.import_module(module), name)
    return made


def remove(paths: list[str]) -> None:
    """Remove files and folders, those that exist."""
    for path in map(Path, paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@dataclass
class SnakemakeTask:
    """Runs one rule, or a group, by a Snakemake on the node; after a requeue from the start.

    Attributes:
        start: shell command of Snakemake; its argument is a file that holds `arguments`.
        arguments: of Snakemake.
        workdir: where Snakemake is started.
        environment: variables that the workflow declares (`envvars:`).
        claim: checked at the start.
    """

    start: str
    arguments: list[str]
    workdir: str
    environment: dict[str, str]
    claim: Claim | None = None
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def __call__(self) -> None:
        """Run Snakemake to its end.

        Raises:
            RuntimeError: it failed; the log of this task says why.
        """
        _start(self.claim)
        if submitit.JobEnvironment().global_rank:
            return  # Slurm may start more tasks than asked for, but one Snakemake writes outputs.
        with tempfile.NamedTemporaryFile("w", prefix="arguments-", suffix=".json") as file:
            json.dump(self.arguments, file)
            file.flush()
            # Slurm sends the warning signal to every process of the step. It would kill the shell;
            # ignored here, it is ignored in all processes that the shell starts.
            self.process = subprocess.Popen(
                f"{self.start} {shlex.quote(file.name)}",
                shell=True,
                cwd=self.workdir,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN),
            )
            try:
                status = self.process.wait()
            except BaseException:
                self._stop(grace=0.5)
                raise
        if status:
            raise RuntimeError(f"the rule failed (exit status {status}); see the log")

    def checkpoint(self) -> DelayedSubmission:
        """Stop Snakemake, which must not write beside the requeued job, and have it requeued."""
        self._stop(grace=10)
        return DelayedSubmission(replace(self, process=None))

    def _stop(self, grace: float) -> None:
        """Terminate the process group; kill it after `grace` seconds."""
        if self.process is None:
            return
        for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if self._has_ended():
                    return
                time.sleep(0.05)

    def _has_ended(self) -> bool:
        assert self.process is not None
        # Not poll(): the signal handler may interrupt a wait(), which holds the lock of poll().
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.process.pid, os.WNOHANG)
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False
