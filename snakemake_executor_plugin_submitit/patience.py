"""What passes by waiting: a Slurm that does not answer, and a queue that takes no more for now.

sbatch ends with the text of one of Slurm's error codes (slurm/slurm_errno.h) or of the system's.
Those below pass without anyone changing the job. All others, as an unknown partition or account,
are final: the job fails at once.
"""

import itertools
import re
from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from submitit.core.utils import FailedJobError, FailedSubmissionError

T = TypeVar("T")

PASSING = re.compile(
    # The system: its network, or a file system on it.
    "connection|transport endpoint|broken pipe|network is|no route to host|host is down|no buffer"
    "|cannot assign requested address|address already in use|interrupted|input/output error"
    "|stale file handle|cannot allocate memory|temporar|timed out"
    # Slurm: the way to the controller, and who may speak to it (munged is being started again).
    "|unexpected message received|message send failure|message receive failure|communication"
    "|unable to contact|standby mode|authentication|could not establish a configuration source"
    "|header lengths are longer than data received|zero bytes were transmitted|shutting down"
    "|unable to connect to database|rate limit exceeded|error generating job credential"
    "|i/o error writing script/environment|try again|please retry"
    # A cluster that takes no jobs, or none of this kind, for now.
    "|job queue full|maxjobcount limit reached|system submissions disabled|partition in down state"
    "|required partition not available|required node not available|requested nodes are busy"
    "|licenses currently unavailable|requested reservation is in use|reservation not usable now"
)
FAILED = "submission failed: "
# Of a limit in the accounting; the line before says which, as AssocMaxSubmitJobLimit. It passes
# when it is on the number of jobs, and does not when it is on the size of each.
POLICY = "job violates accounting/qos policy"
LIMIT = re.compile(r"\b(?:Assoc|QOS)\w+")
FULL = re.compile("(?i)submit ?job|job submit|maxjobcount|queue full|unable to accept job")


class UnreachableError(Exception):
    """Slurm did not answer, or takes no jobs for now; what runs goes on."""


def passes(text: str) -> bool:
    """Whether what sbatch says may be otherwise later."""
    reason = text.lower().rpartition(FAILED)[2]
    if POLICY in reason:
        limits = LIMIT.findall(text)
        return not limits or any(FULL.search(limit) for limit in limits)
    return PASSING.search(reason) is not None


class Patience:
    """One wait for all jobs of a workflow, with growing pauses.

    Args:
        minutes: how long Slurm may take no job until one counts as failed, and then each other
            at its first try. While jobs of this workflow are in a full queue, that does not count:
            it has room when one of them ends.
        queued: whether there are any.
        warn: told once of each reason.
        ending: whether no more jobs shall be submitted.
    """

    first, most = 2.0, 60.0  # seconds

    def __init__(
        self,
        minutes: float,
        queued: Callable[[], bool],
        warn: Callable[[str], None],
        ending: Callable[[], bool],
    ) -> None:
        self.minutes, self.queued, self.warn, self.ending = minutes, queued, warn, ending
        self.since: float | None = None

    def call(self, attempt: Callable[[int], T]) -> T:
        """The first answer of `attempt`, which is called with the number of tries before.

        Raises:
            FailedJobError: Slurm refuses for good.
            UnreachableError: patience is at its end.
        """
        for tries in itertools.count():
            try:
                answer = attempt(tries)
            except (FailedJobError, FailedSubmissionError, UnreachableError) as error:
                self._pause(error, tries)
            else:
                self.since = None
                return answer
        raise AssertionError("count() has no end")

    def _pause(self, error: Exception, tries: int) -> None:
        """Wait, or raise."""
        why = " ".join(str(error).replace("sbatch: error:", "").split())
        if isinstance(error, FailedJobError) and not passes(str(error)):
            raise error
        now = monotonic()
        if self.since is None or (FULL.search(why) and self.queued()):
            self.since = now
        left = self.since + 60 * self.minutes - now
        if left <= 0:
            raise UnreachableError(f"{why}; so for {self.minutes} minutes") from error
        self.warn(f"{why}; tried again for {self.minutes} minutes (submitit-patience)")
        end = now + min(self.first * 2 ** min(tries, 10), self.most, left)
        while (rest := end - monotonic()) > 0:
            if self.ending():
                raise UnreachableError(f"{why}; Snakemake was told to end") from error
            sleep(min(rest, 1))
