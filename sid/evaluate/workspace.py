"""What an evaluation has done so far, on disk: for a resume, and for several processes."""

import fcntl
import hashlib
import json
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from sid.data.images import ImageSet
from sid.data.rows import Rows
from sid.errors import UserError
from sid.evaluate.records import Record, read_records, write_records
from sid.evaluate.samplers import CHUNK, Sampler
from sid.files import check_target, sha256
from sid.progress import Progress
from sid.runs.world import World


def key_of(identity: Mapping[str, Any]) -> str:
    """A file name for everything that a result depends on."""
    return hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:24]


POLL_S = 0.2


class Workspace:
    """A folder for images drawn and records made, removed when all is done.

    Args:
        result: the file that the evaluation will write; the folder lies beside it. None: a
            temporary folder, which no second process and no later run can go on with.
        world: the processes of the evaluation. They draw the images of each set together, and the
            first measures them.
        dealt: each process draws and measures sets of its own instead (`sid.evaluate.measured`).

    Raises:
        UserError: several processes and no `result`, no file can be there, or another evaluation
            writes it.
    """

    def __init__(
        self, result: Path | None, world: World | None = None, *, dealt: bool = False
    ) -> None:
        self.world = world or World()
        self._together = World() if dealt else self.world  # Those that have one set.
        if result is None and self.world.size > 1:
            raise UserError("--json: several processes need it: they meet in a folder beside it")
        if result is None:
            self.folder = Path(tempfile.mkdtemp(prefix="sid-evaluate-"))
        else:
            check_target(result)
            self.folder = result.with_name(f".{result.name}.work")
            self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = (self.folder / "lock").open("a") if self.world.main else None
        if self._lock:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(f"{result}: another evaluation makes it; wait for it") from error
        self.temporary, self._last = result is None, self.folder / "none"
        self.world.wait()  # None looks at the lock before the first process holds it.

    def __enter__(self) -> "Workspace":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: object, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.world.wait()  # All have read what the folder holds.
        if not self._lock:  # Only the first process looks at a folder that may go.
            return
        # Keep partial work for a resume; delete it if it is empty or temporary.
        begun = (*self.folder.glob("*/drawn"), *self.folder.glob("*.json"))
        if kind is None or self.temporary or not begun:
            shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.close()

    def subfolder(self, name: str) -> Path:
        """A folder for what is made anew each time, by each process that has sets of its own."""
        alone = self._together.size < self.world.size
        return self.folder / (f"{name}-{self.world.rank}" if alone else name)

    def images(
        self,
        name: str,
        sampler: Sampler,
        n: int,
        identity: Mapping[str, Any],
        progress: Progress,
        chunk: int = CHUNK,
    ) -> ImageSet:
        """The first `n` images of a sampler, in a file; those drawn before are not drawn again.

        Each process draws whole chunks of its own, so that no image depends on their number.

        Args:
            name: of the set.
            sampler: where the images come from.
            n: how many.
            identity: what they depend on, beside `n` and `chunk`.
            progress: advanced by the images as they come, of all processes.
            chunk: images per forward.
        """
        folder = self.folder / key_of({**identity, "n": n, "chunk": chunk})
        together = self._together
        if together.main and folder != self._last:
            shutil.rmtree(self._last, ignore_errors=True)  # Measured, and its records are kept.
        self._last = folder
        folder.mkdir(exist_ok=True)
        total = -(-n // chunk)
        images = Rows(folder / "images", np.uint8, (n, *sampler.shape), writable=True)
        drawn = Rows(folder / "drawn", np.uint8, (total,), writable=True)
        found = np.frombuffer((folder / "drawn").read_bytes().ljust(total, b"\0"), np.uint8)
        for k in range(together.rank, total, together.size):
            start = k * chunk
            if not found[k]:
                images.write(start, sampler.draw(start, start + chunk)[: n - start])
                drawn.write(k, np.ones(1, np.uint8))
            last = min((k + together.size) * chunk, n)
            progress.advance(last - start)
        together.wait()
        digest = sha256(folder / "images") if together.main else ""
        return ImageSet(name, images, None, digest)

    def records(
        self, identity: Mapping[str, Any], make: Callable[[], list[Record]]
    ) -> list[Record]:
        """The records that `make` makes in the first process that has the set, made once."""
        path = self.folder / f"{key_of(identity)}.json"
        if self._together.main and not path.exists():
            write_records(path, make())
        # A measurement may take longer than processes wait for each other.
        while not path.exists():
            time.sleep(POLL_S)
            self._see_that_first_is_there(path)
        return read_records(path)

    def _see_that_first_is_there(self, path: Path) -> None:
        """The lock is free when the first process is gone, however it went."""
        with (self.folder / "lock").open("a") as lock, suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.exists():
                raise UserError(f"{path.parent}: the process that measures is gone")
