"""Sets of images that are measured one by one: a file for each, made by one of the processes."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sid.errors import UserError
from sid.evaluate.records import Record, read_records, write_records
from sid.files import read_json
from sid.progress import Progress
from sid.runs.folder import RunFolder, differences, locked

POLL_S = 0.2


class Piece(NamedTuple):
    """One set of images, which one process draws and measures.

    Attributes:
        path: where its records go.
        asked: what they depend on, but for rounding; a file with the same is not made again.
        worth: progress that it is worth.
        make: draws and measures it, and advances the progress.
    """

    path: Path
    asked: Mapping[str, Any]
    worth: int
    make: Callable[[], list[Record]]

    def found(self) -> list[Record] | None:
        """The records in its file, where that is there and fits what is asked.

        Raises:
            UserError: the file is damaged.
        """
        if not self.path.exists() or self.unlike():
            return None
        return read_records(self.path)

    def unlike(self) -> list[str]:
        """Names of what its file was asked otherwise."""
        value = read_json(self.path)
        asked = value.get("asked") if isinstance(value, dict) else None
        if not isinstance(asked, dict):
            raise UserError(f"{self.path}: does not say what was asked; delete it and run again")
        if asked.keys() != self.asked.keys():
            return sorted(asked.keys() ^ self.asked.keys())
        # Through JSON, so that tuples compare as they were read.
        return differences(asked, json.loads(json.dumps(self.asked)))

    def made(self) -> list[Record]:
        """Its records, which now are in its file."""
        records = self.make()
        write_records(self.path, records, asked=dict(self.asked))
        return records


def deal(pieces: Sequence[Piece], locks: Path, progress: Progress) -> list[list[Record]]:
    """The records of each piece, made by the process that comes to it first.

    A process holds a piece by a lock on a file, which ends with the process: what one leaves that
    dies, another takes. None waits while there is a piece that nobody holds.

    Args:
        pieces: the same in all processes.
        locks: folder for these files, of this evaluation alone.
        progress: advanced by the pieces of all processes.

    Raises:
        UserError: a piece cannot be measured, or the folder's disk knows no locks.
    """
    done: dict[int, list[Record]] = {}
    while len(done) < len(pieces):
        before = len(done)
        for number, piece in enumerate(pieces):
            if number not in done:
                records = _found(piece, progress) or _made(piece, locks, progress)
                if records is not None:
                    done[number] = records
        if len(done) == before:
            time.sleep(POLL_S)
    return [done[number] for number in range(len(pieces))]


def _found(piece: Piece, progress: Progress) -> list[Record] | None:
    records = piece.found()
    if records is not None:
        progress.advance(piece.worth)
    return records


def _made(piece: Piece, locks: Path, progress: Progress) -> list[Record] | None:
    """Made here; None where another process is at it."""
    with (locks / f"{piece.path.name}.lock").open("a") as handle:
        if not locked(handle):
            return None
        return _found(piece, progress) or piece.made()  # Perhaps made since we looked.


def read_measured(run: RunFolder) -> dict[int, list[Record]]:
    """The records of the snapshots of a run that are measured, by images, whatever was asked.

    Raises:
        UserError: a file is damaged.
    """
    paths = sorted(path for path in run.measured.glob("*.json") if path.stem.isdigit())
    return {int(path.stem): read_records(path) for path in paths}


def distance_of(records: Iterable[Record]) -> float:
    """The Frechet distance by which the best snapshot is chosen: of the curve's implementation.

    Args:
        records: of one snapshot, those of the curve's first implementation first.

    Raises:
        UserError: there is none.
    """
    found = [record.value for record in records if record.metric == "frechet_distance"]
    if not found:
        raise UserError(
            "--metrics: no frechet_distance, by which the best snapshot is chosen; add fd, and to "
            "--curve an implementation that has it"
        )
    return found[0]
