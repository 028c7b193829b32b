"""What Slurm knows of jobs, in one call for all of them."""

import getpass
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence

from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.patience import UnreachableError
from snakemake_executor_plugin_submitit.registry import Entry

# States of a job that is over. NODE_FAIL and PREEMPTED often come before a requeue.
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "OUT_OF_MEMORY", "DEADLINE", "REVOKED"}
ENDED |= {"LAUNCH_FAILED", "RECONFIG_FAIL"}
DOUBTFUL = {"NODE_FAIL", "PREEMPTED", "BOOT_FAIL"}
GONE = "GONE"  # Slurm does not know the job (any more).
DOUBT = 30.0  # seconds until a doubtful state counts.
AT_ONCE = 5000  # ids in one word of a command line, which has a limit.
# Settings of the user for reading what Slurm prints: some of them hide jobs.
VIEW = ("SQUEUE_", "SACCT_", "SCANCEL_")
MISSING = "{}: not found; is this a login node of the cluster?"
NO_ACCOUNTING = (
    "Slurm's accounting is off here: states come from squeue, which forgets a job some minutes"
    " after its end (MinJobAge). What is lost: for a job that ended unseen before that, only its"
    " result files tell how; why it failed (time, memory, node) is then not known."
)


class Slurm:
    """Asks sacct, and squeue where sacct does not know or is not there."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self.accounting = True
        self.warn = warn
        self.doubts: dict[str, float] = {}

    def check(self) -> None:
        """See that jobs can be submitted from here.

        Raises:
            WorkflowError: a program of Slurm is missing.
        """
        for program in ("sbatch", "srun"):  # submitit wants both, and says it less clearly.
            if shutil.which(program) is None:
                raise WorkflowError(MISSING.format(program))

    def states(self, entries: Sequence[Entry]) -> dict[str, str]:
        """The state of each job by its name; GONE when Slurm does not know it.

        Raises:
            UnreachableError: neither sacct nor squeue answers.
        """
        ids = [entry.job_id for entry in entries if entry.job_id]
        known = self._accounted(ids) if self.accounting and ids else {}
        # squeue knows what sacct does not know yet, and whether a job that ended is requeued.
        if any(known.get(number, GONE) not in {"PENDING", "RUNNING"} for number in ids):
            known |= self._queued()
        return {entry.name: self._settled(entry, known) for entry in entries}

    def live(self, state: str) -> bool:
        """Whether a job in this state may still write."""
        return state not in ENDED and state != GONE

    def find(self, entry: Entry) -> str | None:
        """The id of the job that was submitted under the name of `entry`, if there is one.

        Raises:
            UnreachableError: Slurm does not answer.
        """
        found = _run("squeue", "-h", "-t", "all", f"--name={entry.name}", "-o", "%A").split()
        if not found and self.accounting:
            # A day before, in case that the clocks differ.
            since = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(entry.created - 86400))
            words = ["-X", "-n", "-P", "-o", "JobID", f"--name={entry.name}", "-S", since]
            found = self._sacct(words).split()
        return found[0] if found else None

    def cancel(self, ids: Sequence[str]) -> None:
        """Ask Slurm to end jobs; those that are over are passed over.

        Raises:
            UnreachableError: Slurm does not answer.
        """
        if ids:
            _run("scancel", "--quiet", *ids)

    def _settled(self, entry: Entry, known: dict[str, str]) -> str:
        state = known.get(entry.job_id or "", GONE)
        if state not in DOUBTFUL:
            self.doubts.pop(entry.name, None)
            return state
        first = self.doubts.setdefault(entry.name, time.monotonic())
        return "FAILED" if time.monotonic() - first > DOUBT else state

    def _accounted(self, ids: Sequence[str]) -> dict[str, str]:
        known: dict[str, str] = {}
        words = ["-X", "-n", "-P", "-o", "JobID,State", "-j"]
        for first in range(0, len(ids), AT_ONCE):
            try:
                known |= _pairs(self._sacct([*words, ",".join(ids[first : first + AT_ONCE])]))
            except UnreachableError as error:
                self.warn(f"{error}; asking squeue instead")
        return known

    def _sacct(self, words: list[str]) -> str:
        try:
            return _run("sacct", *words)
        except UnreachableError as error:
            if "accounting storage is disabled" not in str(error).lower():
                raise
            self.accounting = False
            self.warn(NO_ACCOUNTING)
            return ""

    def _queued(self) -> dict[str, str]:
        return _pairs(_run("squeue", "-h", "-t", "all", "-u", getpass.getuser(), "-o", "%A|%T"))


def _pairs(text: str) -> dict[str, str]:
    """State by job id; `CANCELLED by 1000` is CANCELLED."""
    rows = (line.split("|", 1) for line in text.splitlines() if "|" in line)
    return {number: state.split()[0].rstrip("+") for number, state in rows if state.strip()}


def _run(*words: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(VIEW)}
    if cluster := environment.get("SBATCH_CLUSTERS"):  # Of sbatch alone; the others must follow.
        environment["SLURM_CLUSTERS"] = cluster
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=120, check=False, env=environment
        )
    except FileNotFoundError:
        raise UnreachableError(MISSING.format(words[0])) from None
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{words[0]} does not answer") from None
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise UnreachableError(f"{words[0]} failed: {last}")
    return done.stdout
