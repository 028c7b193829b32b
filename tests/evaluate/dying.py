"""Processes that are killed at a moment that does not depend on the clock."""

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

# Before these the interpreter tells its audit hooks (PEP 578): all that changes a folder, and more.
CALLS = ("open", "os.mkdir", "os.rename", "os.remove", "os.listdir", "os.scandir", "fcntl.flock")


def killed_before_call(work: Callable[[], object], moment: int) -> bool:
    """Do the work in a process that is killed before its system call number `moment`.

    Returns:
        Whether it was killed; False if the work has fewer calls, and was done.
    """

    def arm(strike: Callable[[], None]) -> None:
        def hook(event: str, _: tuple[Any, ...]) -> None:
            if event in CALLS:
                strike()

        sys.addaudithook(hook)

    return _killed(work, arm, moment)


def killed_at_line(work: Callable[[], object], moment: int) -> bool:
    """Do the work in a process that is killed at line number `moment` that it runs of `sid`."""
    return _killed(work, _at_each_line, moment)


def lines_of(work: Callable[[], object]) -> int:
    """Do the work here, and count the lines that it runs of `sid`."""
    count = 0

    def strike() -> None:
        nonlocal count
        count += 1

    before = sys.gettrace()
    _at_each_line(strike)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def _at_each_line(strike: Callable[[], None]) -> None:
    def trace(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_globals.get("__name__", "").startswith("sid."):
            return None
        if event == "line":
            strike()
        return trace

    sys.settrace(trace)


def _killed(
    work: Callable[[], object], arm: Callable[[Callable[[], None]], None], moment: int
) -> bool:
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            return True
        assert os.waitstatus_to_exitcode(status) == 0, "the work failed"
        return False
    passed = 0

    def strike() -> None:
        nonlocal passed
        passed += 1
        if passed == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    code = 1
    try:
        arm(strike)
        work()
        code = 0
    finally:
        os._exit(code)  # Nothing of the tests' process is to run twice.
