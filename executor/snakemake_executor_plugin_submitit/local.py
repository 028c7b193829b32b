"""Runs jobs as processes of this machine, through submitit's local executor."""

import os
import signal
import socket
import subprocess
from collections.abc import Sequence
from functools import partial
from types import SimpleNamespace

import psutil
from snakemake_interface_common.exceptions import WorkflowError
from submitit.local import local as controllers

from snakemake_executor_plugin_submitit.registry import Entry

CONTROLLER = "submitit.local._local"

# submitit starts controllers in Snakemake's process group: a closed terminal would end them, but
# not the rules that they run. submitit has no setting for this.
vars(controllers)["subprocess"] = SimpleNamespace(
    Popen=partial(subprocess.Popen, start_new_session=True)
)


class LocalCluster:
    """Finds submitit's controllers: one process a job, whose last argument is the job's folder."""

    name = "local"

    def check(self) -> None:
        """Nothing to check: this machine can run processes."""

    def states(self, entries: Sequence[Entry]) -> dict[str, str]:
        """The states of jobs by their names, RUNNING or GONE.

        Raises:
            WorkflowError: a job was started on another machine.
        """
        return {entry.name: "RUNNING" if self._is_running(entry) else "GONE" for entry in entries}

    def is_active(self, state: str) -> bool:
        """Whether a job in this state may still write."""
        return state == "RUNNING"

    def find(self, entry: Entry) -> str | None:
        """The process id of the job that has the name of `entry`, None if it does not run.

        Raises:
            WorkflowError: the job was started on another machine.
        """
        self._check_host(entry)
        for process in psutil.process_iter():
            if _is_controller(process, entry.name):
                return str(process.pid)
        return None

    def cancel(self, ids: Sequence[str]) -> None:
        """Interrupt controllers, which then kill their tasks."""
        for number in ids:
            try:
                if _is_controller(psutil.Process(int(number)), ""):
                    os.kill(int(number), signal.SIGINT)
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue

    def _is_running(self, entry: Entry) -> bool:
        self._check_host(entry)
        try:
            number = entry.job_id
            return number is not None and _is_controller(psutil.Process(int(number)), entry.name)
        except psutil.NoSuchProcess:
            return False

    def _check_host(self, entry: Entry) -> None:
        if entry.host != socket.gethostname():
            raise WorkflowError(
                f"{entry.name} was started on {entry.host}; run Snakemake there, or see that it"
                " has ended and delete its entry in the registry"
            )


def _is_controller(process: psutil.Process, name: str) -> bool:
    """Whether a process is alive and runs the job of that name, or any job if the name is empty."""
    try:
        words = process.cmdline()
        alive = process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return alive and CONTROLLER in words and (not name or words[-1].endswith(f"/{name}"))
