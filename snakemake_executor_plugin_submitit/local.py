"""The same for processes of this machine."""

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

MODULE = "submitit.local._local"

# submitit starts controllers in Snakemake's process group, with which a closed terminal would end
# them, and not the rules below them. It has no setting for that.
vars(controllers)["subprocess"] = SimpleNamespace(
    Popen=partial(subprocess.Popen, start_new_session=True)
)


class Local:
    """submitit's controllers: one process a job, whose last argument is the job's folder."""

    accounting = False

    def check(self) -> None:
        """Nothing can be missing here."""

    def states(self, entries: Sequence[Entry]) -> dict[str, str]:
        """RUNNING or GONE, by the names of the jobs.

        Raises:
            WorkflowError: a job was started on another machine.
        """
        return {entry.name: "RUNNING" if self._process(entry) else "GONE" for entry in entries}

    def live(self, state: str) -> bool:
        """Whether a job in this state may still write."""
        return state == "RUNNING"

    def find(self, entry: Entry) -> str | None:
        """The process id of the job that was started under the name of `entry`, if it runs.

        Raises:
            WorkflowError: it was started on another machine.
        """
        self._same_host(entry)
        for process in psutil.process_iter():
            if _controls(process, entry.name):
                return str(process.pid)
        return None

    def cancel(self, ids: Sequence[str]) -> None:
        """Ask controllers to end; they kill their tasks."""
        for number in ids:
            try:
                if _controls(psutil.Process(int(number)), ""):
                    os.kill(int(number), signal.SIGINT)
            except (psutil.NoSuchProcess, ProcessLookupError):
                continue

    def _process(self, entry: Entry) -> bool:
        self._same_host(entry)
        try:
            return entry.job_id is not None and _controls(
                psutil.Process(int(entry.job_id)), entry.name
            )
        except psutil.NoSuchProcess:
            return False

    def _same_host(self, entry: Entry) -> None:
        if entry.host != socket.gethostname():
            raise WorkflowError(
                f"{entry.name} was started on {entry.host}; run Snakemake there, or see that it"
                " has ended and delete its entry in the registry"
            )


def _controls(process: psutil.Process, name: str) -> bool:
    """Whether a live process controls the job of that name (of any name when it is empty)."""
    try:
        words = process.cmdline()
        alive = process.status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return alive and MODULE in words and (not name or words[-1].endswith(f"/{name}"))
