"""What a run leaves where a leg of it ends, and where it ends itself."""

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from sid.errors import UserError
from sid.files import read_json, sha256, write_json
from sid.runs.folder import RunFolder, Standing
from sid.runs.removed import read_removed


def over(folder: RunFolder, times: Sequence[int], leg: int | None) -> bool:
    """Whether nothing is left to train; writes the file of the leg where that is missing.

    A run of which an evaluation found that it has reached its claim is ended here.

    Args:
        folder: of the run, claimed by the caller.
        times: images at which the run takes snapshots; the last ends it.
        leg: images at which the leg ends, None for the run itself.

    Raises:
        UserError: a snapshot is missing.
    """
    at = folder.standing()
    if folder.reached.exists() and at.images < times[-1]:
        print(
            f"{folder.path}: {reached(folder)}, so it is not trained on; "
            f"delete {folder.reached} to do that",
            file=sys.stderr,
        )
        finish(folder, times, leg, at)
        return True
    if at.images < (leg or times[-1]):
        folder.done.unlink(missing_ok=True)  # Of a smaller budget.
        return False
    if leg:
        finish(folder, times, leg, at)
        return True
    return folder.done.exists()  # Else its last checkpoint is yet to be looked at.


def finish(folder: RunFolder, times: Sequence[int], leg: int | None, at: Standing) -> None:
    """Write the file of a leg, and `done.json` where the run ends.

    Args:
        folder: of the run.
        times: as of `over`.
        leg: as of `over`.
        at: where the run stands.

    Raises:
        UserError: a snapshot of the run is missing.
    """
    ended = reached(folder) if folder.reached.exists() and at.images < times[-1] else None
    about = {"images": at.images, "seconds": at.seconds}
    if leg:
        before = max((end for end in ends(folder) if end < leg), default=-1)
        made = [images for images in times if before < images <= min(leg, at.images)]
        written = {**about, "images": min(leg, at.images), "snapshots": checksums(folder, made)}
        write_json(folder.leg_path(leg), written)
    if leg and not ended:
        return
    known: dict[str, str] = {}
    for end in ends(folder):
        known |= dict(part_of(folder.leg_path(end), "snapshots"))
    made = [images for images in times if images <= at.images]
    rest = [images for images in made if folder.snapshot_path(images).name not in known]
    known |= checksums(folder, rest)
    removed = read_removed(folder.path)
    for name in known:
        if name not in removed and not (folder.snapshots / name).exists():
            raise missing(folder, name)
    gone = sorted(removed.keys() & known.keys())
    write_json(folder.done, {**about, "snapshots": known, "removed": gone, "ended": ended})


def ends(folder: RunFolder) -> list[int]:
    """Images at which the legs end that are over."""
    return sorted(int(path.stem) for path in folder.legs.glob("[0-9]*.json"))


def reached(folder: RunFolder) -> str:
    """What an evaluation found, as a reason to end the run."""
    found = folder.reached
    return f"reached {part_of(found, 'claim')} at {part_of(found, 'images')} images"


def part_of(path: Path, key: str) -> Any:
    """A value in one of these files.

    Raises:
        UserError: it is not there.
    """
    found = read_json(path)
    if not isinstance(found, dict) or key not in found:
        raise UserError(f"{path}: has no {key}; delete it and run again")
    return found[key]


def checksums(folder: RunFolder, times: Iterable[int]) -> dict[str, str]:
    """SHA-256 of snapshots by name; of one that was removed, as it was.

    Raises:
        UserError: a snapshot is missing.
    """
    found = {}
    for path in map(folder.snapshot_path, times):
        try:
            found[path.name] = sha256(path)
        except FileNotFoundError:
            removed = read_removed(folder.path)
            if path.name not in removed:
                raise missing(folder, path.name) from None
            found[path.name] = removed[path.name].sha256
    return found


def missing(folder: RunFolder, name: str) -> UserError:
    """The error of a snapshot that is neither there nor removed."""
    path = folder.snapshots / name
    return UserError(f"{path}: missing; delete {folder.path} to train the run again")
