"""What runs in the tasks of a job: a rule's callable, or a Snakemake that runs one rule."""

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

BEGUN = "_begun"  # Until this file is there, nothing has touched an output.


@dataclass(frozen=True)
class Job:
    """What a rule's callable is made from; plain values that can be pickled.

    Attributes:
        rule: name of the rule.
        wildcards: values by name.
        input: paths by name when the rule names its inputs, else a list.
        output: paths, in the order of the rule.
        params: values by name, without `submitit`.
        log: paths.
        threads: of each task.
        resources: of the whole job, as Snakemake has them.
        workdir: the folder that relative paths start from, and that tasks run in.
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


def _begin(claim: Claim | None) -> None:
    """Stop a job that another has replaced, and forget what an earlier start of it left."""
    if claim is not None:
        claim.check()
    if "SUBMITIT_FOLDER" in os.environ:  # Not under the debug cluster, which has no files.
        # A task that had finished before a requeue runs again: its old result must not count.
        submitit.JobEnvironment().paths.result_pickle.unlink(missing_ok=True)
        _sign(BEGUN).touch()


def _sign(name: str) -> Path:
    """A file beside the logs by which tasks tell something."""
    return Path(os.environ["SUBMITIT_FOLDER"]) / f"{submitit.JobEnvironment().job_id}{name}"


@dataclass
class CallableTask:
    """`Class(job)()` in one task, and `Class(job).checkpoint()` when the job must make room.

    Attributes:
        target: `module:Class`.
        job: passed to the class.
        path: folders to import from, before others.
        replaced: older outputs and logs, which go before the job begins for the first time.
        claim: what says that this job is still wanted.
    """

    target: str
    job: Job
    path: list[str]
    replaced: list[str]
    claim: Claim | None = None
    running: Any = field(default=None, repr=False)

    def __call__(self) -> None:
        """Build the callable and call it, in the workflow's folder."""
        _begin(self.claim)
        os.chdir(self.job.workdir)
        if tmpdir := self.job.resources.get("tmpdir"):
            os.makedirs(str(tmpdir), exist_ok=True)
            os.environ["TMPDIR"] = tempfile.tempdir = str(tmpdir)
        if self.replaced:
            self._make_room()
        sys.path[:0] = [folder for folder in self.path if folder not in sys.path]
        self.running = load(self.target)(self.job)
        if submitit.JobEnvironment().global_rank:
            self._checkpoint_in_every_task()
        self.running()

    def checkpoint(self) -> DelayedSubmission:
        """Called by submitit in rank 0, in its signal handler; the job is requeued after it."""
        self._save()
        return DelayedSubmission(replace(self, running=None))

    def _make_room(self) -> None:
        """Remove older outputs, once, in rank 0, for which the others wait.

        Not before the submission: a job that Slurm never starts leaves them as they are.
        """
        if "SUBMITIT_FOLDER" not in os.environ:
            remove(self.replaced)
            return
        done = _sign("_room")
        while done.name not in os.listdir(done.parent):  # Which asks the server of a file system.
            if submitit.JobEnvironment().global_rank:
                time.sleep(0.2)
            else:
                remove(self.replaced)
                done.touch()

    def _save(self) -> None:
        save = getattr(self.running, "checkpoint", None)
        if save is not None:
            save()

    def _checkpoint_in_every_task(self) -> None:
        """Of submitit `checkpoint` is called in rank 0 alone; a state may be spread over all."""
        number = submitit.JobEnvironment()._usr_sig()
        before = signal.getsignal(number)

        def handle(signum: int, frame: FrameType | None) -> None:
            self._save()
            if callable(before):
                before(signum, frame)

        signal.signal(number, handle)


def load(target: str) -> Callable[[Job], Any]:
    """The class that `module:Class` names.

    Raises:
        ValueError: it is written otherwise.
        ImportError: there is no such module.
        AttributeError: the module has no such name.
    """
    module, _, name = target.partition(":")
    if not module or not name:
        raise ValueError(f'submitit="{target}": must be "module:Class"')
    made: Callable[[Job], Any] = getattr(importlib.import_module(module), name)
    return made


def remove(paths: list[str]) -> None:
    """Remove files and folders; none needs to be there."""
    for path in map(Path, paths):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


@dataclass
class InnerSnakemake:
    """A Snakemake that runs one rule (or group) on the node; after a requeue from its start.

    Attributes:
        start: for the shell, which a file with the words of Snakemake's command line comes after.
        words: of that command line.
        workdir: where it is started.
        environment: variables that the workflow asks for.
        claim: what says that this job is still wanted.
    """

    start: str
    words: list[str]
    workdir: str
    environment: dict[str, str]
    claim: Claim | None = None
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def __call__(self) -> None:
        """Run it to its end.

        Raises:
            RuntimeError: it failed; its words are in the log of this task.
        """
        _begin(self.claim)
        if submitit.JobEnvironment().global_rank:
            return  # Whatever Slurm made of the request, one Snakemake writes the outputs.
        with tempfile.NamedTemporaryFile("w", prefix="words-", suffix=".json") as file:
            json.dump(self.words, file)
            file.flush()
            # Slurm sends the warning signal to every process of the step; it would kill a shell.
            # Ignored here it is ignored below, where no program handles it by itself.
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
        """End what runs, which must not write beside the requeued job; Slurm then starts anew."""
        self._stop(grace=10)
        return DelayedSubmission(replace(self, process=None))

    def _stop(self, grace: float) -> None:
        """End the whole process group: asked first, killed after `grace` seconds."""
        if self.process is None:
            return
        for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                if self._ended():
                    return
                time.sleep(0.05)

    def _ended(self) -> bool:
        assert self.process is not None
        # Not poll(): the handler may interrupt a wait() that holds its lock.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.process.pid, os.WNOHANG)
        try:
            os.killpg(self.process.pid, 0)
        except ProcessLookupError:
            return True
        return False


def workflow_path(workdir: str, snakefile: str) -> list[str]:
    """Where callables are looked for first: beside the Snakefile, and in the folder of the run."""
    return list(dict.fromkeys([workdir, str(Path(snakefile).resolve().parent)]))
