"""How a run stands, read beside its training: nothing is locked, loaded or written."""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.files import read_json
from sid.networks.weights import read_metadata
from sid.report.labels import number
from sid.runs.folder import RunFolder, differences
from sid.runs.legs import ends
from sid.runs.loop import STATE_EVERY_S

# In the order of a run's life.
State = Literal["waits", "trains", "pauses", "stopped", "reached", "ended"]
QUIET_S = 600.0  # A run that has written nothing for as long does not train now.
TAIL = 1 << 16  # Bytes of the log that are read; a line has some hundreds.


class Status(NamedTuple):
    """How one run stands.

    Attributes:
        recipe, seed: whose run it is.
        state: `pauses` where it began and nothing is written: queued again, or killed.
        why: what is to be said of the state, may be empty.
        images, total: seen, and of the whole run.
        rate: images a second between the last two checkpoints; nan before there are any.
        hours, unit: that training took so far, on all its GPUs, or cores where there is none.
        own: whether the folder holds this run, and not that of a recipe that was changed since.
    """

    recipe: str
    seed: int
    state: State
    why: str
    images: int
    total: int
    rate: float = math.nan
    hours: float = 0.0
    unit: str = ""
    own: bool = True

    @property
    def left(self) -> float:
        """Seconds of training to the end at the present rate; nan where it is not known."""
        return (self.total - self.images) / self.rate if self.rate > 0 else math.nan

    @property
    def over(self) -> bool:
        """Whether nothing more is trained."""
        return self.state in ("ended", "reached")


class Checkpoint(NamedTuple):
    """What a checkpoint says of itself; `written` is the time of its file."""

    images: int
    seconds: float
    written: float


def status_of(run: Path, recipe: Recipe, seed: int, now: float) -> Status:
    """How the run in a folder stands, which may be missing or be written at this moment.

    Args:
        run: the folder.
        recipe: as the experiment has it.
        seed: of the training.
        now: seconds since the epoch.

    Raises:
        UserError: a file that is always written whole is damaged.
    """
    folder, total = RunFolder(run), recipe.times()[-1]
    waits = Status(recipe.name, seed, "waits", "", 0, total)
    manifest = _read(folder.manifest)
    if not manifest:
        return waits
    free = {"gates"} if recipe.lr_decay else {"gates", "kimg"}  # A run goes on to a larger budget.
    wanted = recipe.model_dump(mode="json", exclude=free)
    changed = differences(manifest.get("recipe") or {}, wanted)
    if changed:
        why = f"the folder holds a run of another {', '.join(changed)}, which will be set aside"
        return waits._replace(why=why, own=False)
    at, points = folder.standing(), checkpoints(folder.state)
    begun = waits._replace(images=at.images, rate=rate_of(points), **_cost(manifest, at.seconds))
    if reached := _read(folder.reached):
        return begun._replace(state="reached", why=_reached(reached))
    if folder.done.exists() and at.images >= total:
        return begun._replace(state="ended")
    if folder.done.exists():
        return begun._replace(state="pauses", why="its budget is larger now, and it is to go on")
    if stopped := _read(folder.stopped):
        return begun._replace(state="stopped", why=str(stopped["reason"]))
    over = [folder.leg_path(end) for end in ends(folder)]
    if over and _written(over, []) >= _written([run / "lock"], []):
        return begun._replace(state="pauses", why="its leg is over, the next one waits")
    silent = now - _written([folder.manifest, folder.log, run / "lock"], points)
    if silent > max([QUIET_S, *(3 * (b.written - a.written) for a, b in _pairs(points))]):
        return begun._replace(state="pauses", why=f"silent for {duration(silent)}")
    return begun._replace(state="trains", images=max(at.images, logged(folder.log)))


def logged(log: Path) -> int:
    """Images at the last whole line of a log, 0 where there is none; the last may be half."""
    try:
        with log.open("rb") as handle:
            handle.seek(max(0, handle.seek(0, os.SEEK_END) - TAIL))
            lines = handle.read().split(b"\n")
    except FileNotFoundError:
        return 0
    for line in reversed(lines[:-1]):
        try:
            return int(json.loads(line)["images"])
        except (ValueError, KeyError, TypeError):
            continue
    return 0


def checkpoints(state: Path) -> list[Checkpoint]:
    """The checkpoints of a run by images, from their heads; what is cut or just removed is not."""
    found = []
    for path in sorted(state.glob("*.safetensors")):
        try:
            about, written = read_metadata(path), path.stat().st_mtime
            found.append(Checkpoint(int(about["images"]), float(about["seconds"]), written))
        except (UserError, FileNotFoundError, KeyError):
            continue
    return found


def duration(seconds: float) -> str:
    """A time for people in its two largest units; empty where it is not known."""
    if not math.isfinite(seconds):
        return ""
    whole = round(seconds)
    for size, unit, small, smaller in (
        (86_400, "d", 3600, "h"),
        (3600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // small
            few = whole < 10 * size and rest
            return f"{whole // size} {unit} {rest} {smaller}" if few else f"{whole // size} {unit}"
    return f"{whole} s"


def _read(path: Path) -> dict[str, Any]:
    """A JSON object, empty where there is no such file."""
    try:
        value = read_json(path)
    except UserError:
        if path.exists():
            raise
        return {}
    return value if isinstance(value, dict) else {}


def rate_of(points: list[Checkpoint]) -> float:
    """Images a second at present; of the whole run where the last two lie too near."""
    for before, last in _pairs(points):
        if last.seconds - before.seconds >= STATE_EVERY_S:
            return (last.images - before.images) / (last.seconds - before.seconds)
    return points[-1].images / points[-1].seconds if points else math.nan


def _pairs(points: list[Checkpoint]) -> list[tuple[Checkpoint, Checkpoint]]:
    return [(points[-2], points[-1])] if len(points) > 1 else []


def _written(paths: Iterable[Path], points: list[Checkpoint]) -> float:
    """When a run last wrote anything."""
    times = [path.stat().st_mtime for path in paths if path.exists()]
    return max([*times, *(point.written for point in points)], default=0.0)


def _cost(manifest: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Hours of all GPUs, or of all cores; of the processes where the manifest is of before."""
    made_by = manifest.get("provenance") or {}
    hours = seconds / 3600 * int(made_by.get("processes", 1))
    if made_by.get("gpu") is False:
        return {"hours": hours * int(made_by["threads"]), "unit": "CPU-hours"}
    return {"hours": hours, "unit": "GPU-hours" if made_by.get("gpu") else "process-hours"}


def _reached(reached: dict[str, Any]) -> str:
    low, high = reached["limits"]
    return (
        f"{reached['claim']} at {number(reached['images'] / 1000)} kimg: {reached['value']:.4g} "
        f"({low:.4g} to {high:.4g}) over {reached['draws']} draws"
    )
