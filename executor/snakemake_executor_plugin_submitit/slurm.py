"""Asks Slurm for the states of jobs, in one call for all of them."""

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.registry import Entry

# States of a job that has ended.
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "DEADLINE", "REVOKED"}
ENDED |= {"LAUNCH_FAILED", "RECONFIG_FAIL"}
# States that often come before a requeue: the job counts as active for so long.
REQUEUEABLE = {"NODE_FAIL", "PREEMPTED", "BOOT_FAIL"}
REQUEUE_S = 30.0
GONE = "GONE"  # Slurm does not know the job, or has forgotten it.
IDS_A_CALL = 5000  # A command line has a limit.
# Variables of the user that change what Slurm's commands print: some of them hide jobs.
OF_OUTPUT = ("SQUEUE_", "SACCT_", "SCANCEL_")
MISSING = "{}: not found; is this a login node of the cluster?"
NO_ACCOUNTING = (
    "Slurm's accounting is off here: states come from squeue, which forgets a job some minutes"
    " after its end (MinJobAge). What is lost: for a job that ended unseen before that, only its"
    " result files tell how; why it failed (time, memory, node) is then not known."
)


class SlurmUnavailableError(Exception):
    """Slurm does not answer, or takes no jobs at present; submitted jobs go on."""


class SlurmCluster:
    """Asks sacct, and squeue for what sacct does not know or if there is no accounting."""

    name = "slurm"

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.accounting = True
        self.warn = warn
        self.requeueable: dict[str, float] = {}

    def check(self) -> None:
        """Check that jobs can be submitted from this machine.

        Raises:
            WorkflowError: sbatch or srun is missing.
        """
        for program in ("sbatch", "srun"):  # submitit needs both; its message is less clear.
            if shutil.which(program) is None:
                raise WorkflowError(MISSING.format(program))

    def states(self, entries: Sequence[Entry]) -> dict[str, str]:
        """The states of jobs by their names; GONE if Slurm does not know the job.

        Raises:
            SlurmUnavailableError: neither sacct nor squeue answers.
        """
        ids = [entry.job_id for entry in entries if entry.job_id]
        known = self._accounted(ids) if self.accounting and ids else {}
        # squeue knows jobs that sacct does not know yet, and whether an ended job was requeued.
        if any(known.get(number, GONE) not in {"PENDING", "RUNNING"} for number in ids):
            known |= self._queued()
        return {entry.name: self._state(entry, known) for entry in entries}

    def is_active(self, state: str) -> bool:
        """Whether a job in this state may still write."""
        return state not in ENDED and state != GONE

    def find(self, entry: Entry) -> str | None:
        """The id of the job that has the name of `entry`, None if there is none.

        Raises:
            SlurmUnavailableError: Slurm does not answer.
        """
        found = _run("squeue", "-h", "-t", "all", f"--name={entry.name}", "-o", "%A").split()
        if not found and self.accounting:
            # From a day earlier, because clocks may differ.
            since = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(entry.created - 86400))
            words = ["-X", "-n", "-P", "-o", "JobID", f"--name={entry.name}", "-S", since]
            found = self._sacct(words).split()
        return found[0] if found else None

    def cancel(self, ids: Sequence[str]) -> None:
        """Cancel jobs; those that have ended are ignored.

        Raises:
            SlurmUnavailableError: Slurm does not answer.
        """
        if ids:
            _run("scancel", "--quiet", *ids)

    def _state(self, entry: Entry, known: dict[str, str]) -> str:
        state = known.get(entry.job_id or "", GONE)
        if state not in REQUEUEABLE:
            self.requeueable.pop(entry.name, None)
            return state
        first = self.requeueable.setdefault(entry.name, time.monotonic())
        return "FAILED" if time.monotonic() - first > REQUEUE_S else state

    def _accounted(self, ids: Sequence[str]) -> dict[str, str]:
        known: dict[str, str] = {}
        words = ["-X", "-n", "-P", "-o", "JobID,State", "-j"]
        for first in range(0, len(ids), IDS_A_CALL):
            try:
                known |= _pairs(self._sacct([*words, ",".join(ids[first : first + IDS_A_CALL])]))
            except SlurmUnavailableError as error:
                self.warn(f"{error}; asking squeue instead")
        return known

    def _sacct(self, words: list[str]) -> str:
        try:
            return _run("sacct", *words)
        except SlurmUnavailableError as error:
            if "accounting storage is disabled" not in str(error).lower():
                raise
            self.accounting = False
            self.warn(NO_ACCOUNTING)
            return ""

    def _queued(self) -> dict[str, str]:
        return _pairs(_run("squeue", "-h", "-t", "all", "-u", getpass.getuser(), "-o", "%A|%T"))


def _pairs(text: str) -> dict[str, str]:
    """States by job id; `CANCELLED by 1000` counts as CANCELLED."""
    rows = (line.split("|", 1) for line in text.splitlines() if "|" in line)
    return {number: state.split()[0].rstrip("+") for number, state in rows if state.strip()}


def _run(*words: str) -> str:
    environment = {name: os.environ[name] for name in os.environ if not name.startswith(OF_OUTPUT)}
    if cluster := environment.get("SBATCH_CLUSTERS"):  # Read by sbatch alone.
        environment["SLURM_CLUSTERS"] = cluster
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=120, check=False, env=environment
        )
    except FileNotFoundError:
        raise SlurmUnavailableError(MISSING.format(words[0])) from None
    except subprocess.TimeoutExpired:
        raise SlurmUnavailableError(f"{words[0]} does not answer") from None
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise SlurmUnavailableError(f"{words[0]} failed: {last}")
    return done.stdout
