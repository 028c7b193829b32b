"""Signals noted instead of obeyed, and what they do when it is their turn."""

import os
import signal
import subprocess
import sys
import time

import pytest

from sid.runs.signals import SIGNALS, DeferredSignals

USR2, TERM = signal.SIGUSR2, signal.SIGTERM


def test_the_most_urgent_is_noted_and_nothing_happens() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with DeferredSignals() as signals:
        assert signals.level == 0
        for number in (TERM, USR2, USR2, TERM):
            os.kill(os.getpid(), number)
        assert SIGNALS[signals.level - 1] is USR2
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("leaves", [True, False])
def test_the_launcher_is_called_afterwards(leaves: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """As submitit's handler, which leaves in the main process and returns in the others."""
    came: list[int] = []

    def handler(number: int, frame: object) -> None:
        came.append(number)
        os.kill(os.getpid(), USR2)  # Once more, while it works: it must not begin anew.
        if leaves:
            raise SystemExit(255)

    before = signal.signal(USR2, handler)
    try:
        with DeferredSignals() as signals:
            os.kill(os.getpid(), USR2)
            assert came == []
            with pytest.raises(SystemExit) as left:
                signals.act(signals.level)
    finally:
        signal.signal(USR2, before)
    assert came == [USR2]
    assert left.value.code == (255 if leaves else None)


def test_a_handler_of_sigterm_that_returns_lets_training_go_on() -> None:
    came: list[int] = []
    before = signal.signal(TERM, lambda number, frame: came.append(number))
    try:
        with DeferredSignals() as signals:
            os.kill(os.getpid(), TERM)
            signals.act(signals.level)
            assert signals.level == 0
    finally:
        signal.signal(TERM, before)
    assert came == [TERM]


def test_what_is_ignored_stays_ignored() -> None:
    """As under a rule's shell on a cluster."""
    before = signal.signal(USR2, signal.SIG_IGN)
    try:
        with DeferredSignals() as signals:
            os.kill(os.getpid(), USR2)
            time.sleep(0.01)
            assert signals.level == 0
    finally:
        signal.signal(USR2, before)


@pytest.mark.parametrize("number", SIGNALS)
def test_by_default_a_process_ends_by_the_signal(number: signal.Signals) -> None:
    code = (
        "import os; from sid.runs.signals import DeferredSignals\n"
        "with DeferredSignals() as signals:\n"
        f"    os.kill(os.getpid(), {int(number)})\n"
        "    print('noted', flush=True); signals.act(signals.level); print('not reached')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (-number, b"noted\n")
