"""Signals that announce the end of a job: noted at once, acted on between two steps."""

import os
import signal
import threading
from types import FrameType, TracebackType
from typing import Any

# From the least to the most urgent. SIGTERM comes from `scancel`, `kill` and, as an announcement,
# from preemption; SIGUSR2 is what submitit asks Slurm to send before a time limit.
SIGNALS = (signal.SIGTERM, signal.SIGUSR2)


class DeferredSignals:
    """Signals noted instead of obeyed, while it is entered.

    A handler may run at any moment: amid a checkpoint, or in one process before the others. So it
    only counts; all processes agree between two steps, write a checkpoint, and then `act`.

    Attributes:
        level: 0, or one plus the place in `SIGNALS` of the most urgent signal that came.
    """

    def __init__(self) -> None:
        self.level = 0
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "DeferredSignals":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                handler = signal.getsignal(number)
                if callable(handler) or handler is signal.SIG_DFL:  # Else it is to be ignored.
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.level = max(self.level, SIGNALS.index(signal.Signals(number)) + 1)

    def act(self, level: int) -> None:
        """Let a signal do what it would have done, in this process.

        By default it ends the process. Under submitit SIGUSR2 requeues the job and ends the main
        process, and SIGTERM does nothing: what sent it kills the job, or Slurm requeues it.

        Args:
            level: that the processes agreed on.

        Raises:
            SystemExit: the job is requeued.
        """
        number = SIGNALS[level - 1]
        handler = self._before.get(number, signal.SIG_DFL)
        self.level = 0
        if callable(handler):
            # Ours stays in place: submitit's does not bear a second signal while it works.
            handler(number, None)
            if number is signal.SIGUSR2:
                # The main process does not come here. The others leave no result behind, and no
                # bad status, for which Slurm would kill the main process before it is done.
                raise SystemExit
        elif handler is signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
