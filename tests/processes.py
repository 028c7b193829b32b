"""Real processes of one run, forked from one that has imported torch: they begin at once."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import torch

from sid.files import sha256
from sid.networks.weights import load_tensors

FORKS = multiprocessing.get_context("forkserver")
# The optimiser imports `torch._dynamo`, which takes a second.
FORKS.set_forkserver_preload(["sid.distill.command", "sid.runs.world", "torch._dynamo"])
_starts = iter(range(10**6))
GUARD_S = 600.0  # Against hanging alone: a loaded machine may take long.


def process(words: Sequence[str], environment: dict[str, str], messages: Path) -> None:
    """One process: `sid WORDS` as submitit would start it, with a checkpoint after each step."""
    from sid.cli import main
    from sid.runs import folder, loop, world

    os.environ |= environment
    with messages.open("a") as file:
        os.dup2(file.fileno(), 2)
    sys.argv = ["sid", *words]
    torch.set_num_threads(1)
    loop.STATE_EVERY_S = 0.0
    loop.STATE_SHARE = float("inf")
    folder.LOCK_EVERY_S = 0.1
    world.PATIENCE = timedelta(seconds=int(environment["PATIENCE"]))
    main()


class Run:
    """The processes of one start of a run.

    Args:
        size: how many.
        words: of the `sid` command.
        out: the run's folder.
        absent: ranks that never start.
        patience: seconds to wait for one that does not answer.
        job: what the launcher calls this start.
    """

    def __init__(
        self,
        size: int,
        words: Sequence[object],
        out: Path,
        absent: Sequence[int] = (),
        patience: int = 3600,
        job: str = "",
    ) -> None:
        self.out, start = out, job or f"{os.getpid()}-{next(_starts)}"
        self.processes: list[ForkServerProcess] = []
        self.messages = [out.parent / f"{out.name}-{start}-{rank}.err" for rank in range(size)]
        command = [*map(str, words), "--out", str(out)]
        for rank in range(size):
            environment = {
                "SUBMITIT_EXECUTOR": "local",
                "SUBMITIT_LOCAL_JOB_ID": start,
                "SUBMITIT_LOCAL_NTASKS": str(size),
                "SUBMITIT_LOCAL_JOB_NUM_NODES": "1",
                "SUBMITIT_LOCAL_GLOBALID": str(rank),
                "SUBMITIT_LOCAL_LOCALID": str(rank),
                "PATIENCE": str(patience),
            }
            given = (command, environment, self.messages[rank])
            self.processes.append(FORKS.Process(target=process, args=given))
            if rank not in absent:
                self.processes[-1].start()

    def signal(self, number: signal.Signals, *ranks: int) -> None:
        """Send a signal to some, or to all that live."""
        for rank in ranks or range(len(self.processes)):
            pid = self.processes[rank].pid
            if pid and self.processes[rank].is_alive():
                os.kill(pid, number)

    def end(self) -> list[int | None]:
        """Exit statuses, once all have ended."""
        deadline = time.monotonic() + GUARD_S
        for one in self.processes:
            if one.pid:
                one.join(max(deadline - time.monotonic(), 0))
        late = [rank for rank, one in enumerate(self.processes) if one.pid and one.is_alive()]
        self.signal(signal.SIGKILL)
        assert not late, f"processes {late} did not end: {self.said()}"
        return [one.exitcode for one in self.processes]

    def said(self) -> str:
        """What all wrote to standard error."""
        return "".join(path.read_text() for path in self.messages if path.exists())

    def wait_for(self, condition: Callable[[], object]) -> None:
        """Until a condition holds; the processes must live."""
        deadline = time.monotonic() + GUARD_S
        while not condition():
            assert time.monotonic() < deadline, self.said()
            assert all(one.pid is None or one.is_alive() for one in self.processes), self.said()
            time.sleep(0.02)

    def trains(self) -> None:
        """Wait until this start has written two checkpoints."""
        before = newest(self.out)
        self.wait_for(lambda: newest(self.out) > before)
        once = newest(self.out)
        self.wait_for(lambda: newest(self.out) > once)


def newest(out: Path) -> int:
    """Images at the newest checkpoint, -1 where there is none."""
    return max((int(path.stem) for path in (out / "state").glob("*.safetensors")), default=-1)


def outcome(out: Path) -> dict[str, object]:
    """All that a finished run is: log, snapshots, and its last checkpoint's tensors and counts."""
    tensors, about = load_tensors(sorted((out / "state").glob("*.safetensors"))[-1])
    paths = [out / "log.jsonl", *sorted((out / "snapshots").iterdir())]
    return {
        **{path.name: sha256(path) for path in paths},
        **{name: tensor.numpy().tobytes() for name, tensor in tensors.items()},
        **{key: about[key] for key in ("images", "log_bytes", "sha256")},
    }
