"""Which snapshots of a run were removed after they were measured: `removed.json`, the ledger.

`sid.evaluate.removal` writes it before it removes. A name of which the file is there again, or
still, is of no snapshot that is gone: whoever reads the ledger looks at the files too.
"""

from pathlib import Path
from typing import NamedTuple

from sid.errors import UserError
from sid.files import read_json, write_json


class Removed(NamedTuple):
    """What is left of a snapshot that was removed.

    Attributes:
        images: seen in training.
        sha256: of its file, as in `done.json` and in the records.
    """

    images: int
    sha256: str


def read_removed(run: Path) -> dict[str, Removed]:
    """The entries of a run's ledger by the file's name, of files that are gone; none without one.

    Raises:
        UserError: the ledger is damaged.
    """
    path = ledger_path(run)
    if not path.exists():
        return {}
    try:
        entries = read_json(path)["snapshots"].items()
        found = {name: Removed(int(one["images"]), str(one["sha256"])) for name, one in entries}
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{path}: not a list of removed snapshots; delete it, and the next evaluation of the "
            "run tells what is missing"
        ) from error
    return {name: one for name, one in found.items() if not (run / "snapshots" / name).exists()}


def write_removed(run: Path, removed: dict[str, Removed]) -> None:
    """Write the ledger, atomically."""
    write_json(ledger_path(run), {"snapshots": {k: v._asdict() for k, v in removed.items()}})


def ledger_path(run: Path) -> Path:
    """Where the ledger of a run is."""
    return run / "removed.json"


def refuse_removed(path: Path) -> None:
    """Tell who asks for a snapshot that was removed which one is there.

    Raises:
        UserError: `path` is of a snapshot that was removed.
    """
    run = path.parent.parent
    if path.exists() or path.parent.name != "snapshots":
        return
    gone = read_removed(run).get(path.name)
    if gone is None:
        return
    there = [int(one.stem) for one in path.parent.glob("[0-9]*.safetensors")]
    near = min(there, key=lambda images: abs(images - gone.images), default=None)
    mend = f"; the nearest that is kept is {near:012d}.safetensors" if near is not None else ""
    raise UserError(f"{path}: was removed after it was measured{mend}")
