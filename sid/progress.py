"""Progress for people: a bar on a terminal, a plain line now and then in a log."""

import sys
import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from sid.errors import printable

LINE_EVERY_S = 15.0


class Progress:
    """Rate, latest numbers and time left of one loop, on standard error.

    Args:
        title: what is going on.
        total: units of work in all.
        unit: what is counted.
        done: units done before (a resumed run), left out of the rate.
        quiet: print nothing.
    """

    def __init__(
        self, title: str, total: int, unit: str = "images", *, done: int = 0, quiet: bool = False
    ) -> None:
        self.title, self.total, self.unit, self.quiet = printable(title), total, unit, quiet
        self._done = self._first = done
        self._start = self._last = time.monotonic()
        self._bar: Bar | None = None
        console = Console(stderr=True)
        if console.is_terminal and not quiet:
            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                TextColumn("{task.percentage:>3.0f} %"),
                TextColumn("{task.fields[numbers]}"),
                TimeRemainingColumn(),
            )
            self._bar = Bar(*columns, console=console)
            self._task = self._bar.add_task(self.title, total=total, completed=done, numbers="")

    def __enter__(self) -> "Progress":
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()
        elif kind is None and not self.quiet:
            seconds = time.monotonic() - self._start
            self._line(f"{self._done}/{self.total} {self.unit} in {seconds:.1f} s")

    def expect(self, total: int) -> None:
        """Say how many units there are, when that is known only after the start."""
        self.total = total
        if self._bar:
            self._bar.update(self._task, total=total)

    def advance(self, n: int, **numbers: float) -> None:
        """Count `n` more units; `numbers` (a loss, say) are shown beside the rate."""
        self._done += n
        now = time.monotonic()
        if self.quiet or (self._bar is None and now - self._last < LINE_EVERY_S):
            return
        rate = (self._done - self._first) / max(now - self._start, 1e-9)
        shown = [f"{rate:.0f} {self.unit}/s", *(f"{k} {v:.4g}" for k, v in numbers.items())]
        if self._bar:
            self._bar.update(self._task, completed=self._done, numbers=", ".join(shown))
            return
        self._last = now
        left = (self.total - self._done) / max(rate, 1e-9)
        self._line(f"{self._done}/{self.total}, {', '.join(shown)}, {left:.0f} s left")

    def _line(self, text: str) -> None:
        print(f"{self.title}: {text}", file=sys.stderr, flush=True)
