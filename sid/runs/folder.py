"""The folder of a run: manifest, log, snapshots, checkpoints, and a lock for one writer."""

import fcntl
import hashlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import torch

from sid import provenance
from sid.errors import UserError
from sid.files import read_json, write_json
from sid.networks import EDMPrecond, read_metadata, save_network
from sid.runs.removed import refuse_removed
from sid.runs.world import World

ALONE = World()
LOCK_EVERY_S = 0.5


class Standing(NamedTuple):
    """How far a run is.

    Attributes:
        images: images seen at its end or at its newest checkpoint.
        seconds: of training until then.
    """

    images: int
    seconds: float


class RunFolder:
    """Where one run lives.

    `manifest.json` says what was run, `log.jsonl` how it went, `snapshots/` holds the averaged
    networks by images seen, `measured/` their records where they were evaluated, `state/` the
    checkpoints, `legs/` a file for each leg that is over; `done.json` appears at the end.
    `reached.json`, which an evaluation writes, ends the run before. `stopped.json` is there while a
    gate keeps it from going on. `removed.json` names the snapshots that were removed after they
    were measured.

    Args:
        path: the folder; made when missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.manifest = path / "manifest.json"
        self.log = path / "log.jsonl"
        self.snapshots = path / "snapshots"
        self.state = path / "state"
        self.measured = path / "measured"
        self.legs = path / "legs"
        self.reached = path / "reached.json"
        self.done = path / "done.json"
        self.stopped = path / "stopped.json"

    @contextmanager
    def lock(self, world: World = ALONE) -> Iterator[None]:
        """Hold the run for these processes; wait, and say so, while others train it.

        The main process locks. The lock belongs to the open file, so it ends with its process
        however that ends; over NFS, too, where the server keeps locks.

        Args:
            world: the processes of the run.

        Raises:
            UserError: the folder holds files that are not a run's, or cannot be locked.
            OSError: the folder cannot be written.
        """
        if not world.main:
            while not world.maximum(False):  # Once for each try of the main process.
                pass
            yield
            return
        self.path.mkdir(parents=True, exist_ok=True)
        # Snakemake makes the empty folder of a leg's file before the run begins.
        others = [
            item.name
            for item in self.path.iterdir()
            if item.name != "lock" and not (item == self.legs and not any(item.iterdir()))
        ]
        if others and not self.manifest.exists() and not others[0].startswith(".manifest"):
            raise UserError(
                f"{self.path}: holds other files ({others[0]}) and no manifest.json of a run; "
                "give a new or an empty folder"
            )
        with (self.path / "lock").open("a+") as handle:
            told = False
            while not world.maximum(locked(handle)):
                if not told:
                    handle.seek(0)
                    holder = handle.read().strip() or "another process"
                    waits = f"{self.path}: waiting for {holder}, which trains this run"
                    print(waits, file=sys.stderr, flush=True)
                told = True
                time.sleep(LOCK_EVERY_S)
            handle.seek(0)
            handle.truncate()
            handle.write(f"process {os.getpid()} on {socket.gethostname()}")
            handle.flush()
            yield

    @contextmanager
    def held(
        self,
        identity: Mapping[str, Any],
        device: torch.device,
        world: World,
        *,
        restart: bool,
        end: int | None = None,
    ) -> Iterator[None]:
        """Lock and claim the folder in the main process; the others of the run wait for it.

        All compute with the run's number of CPU threads: another number rounds differently.

        Args:
            identity: as of `claim`.
            device: as of `claim`.
            world: the processes of the run.
            restart: as of `claim`.
            end: as of `claim`.

        Raises:
            UserError: the folder holds another run or other files.
        """
        with self.lock(world):
            threads = 0
            if world.main:
                self.claim(identity, device, world.size, restart=restart, end=end)
                threads = self.threads()
            # Told, not read: on another machine the manifest may appear late.
            torch.set_num_threads(world.maximum(threads))
            yield

    def claim(
        self,
        identity: Mapping[str, Any],
        device: torch.device,
        world: int = 1,
        *,
        restart: bool,
        end: int | None = None,
    ) -> None:
        """Make this the folder of the run that `identity` describes.

        Args:
            identity: what must be equal for a run to go on: recipe, seed, input hashes.
            device: recorded with versions, commit and the number of threads. A run that goes on
                takes its threads from its manifest: another number rounds differently.
            world: number of processes, recorded likewise: gradients are summed in another order.
            restart: set aside another run found here instead of refusing it.
            end: images of the run's end, where a run with another budget may go on to it; None
                where the training depends on the budget.

        Raises:
            UserError: the folder holds another run, or one that is beyond its end, or its manifest
                is damaged.
        """
        for place in (self.path, self.snapshots, self.state, self.legs):
            for leftover in place.glob(".*.tmp"):  # Of a writer that was killed.
                leftover.unlink()
        # Through JSON, so that tuples and paths compare as they will be read back.
        wanted = json.loads(json.dumps(identity))
        made_by = {**provenance.describe(device), "processes": world}
        if self.manifest.exists():
            found = self._read_manifest()
            if all(found.get(key) == value for key, value in wanted.items()):
                if not self.done.exists():
                    self._warn(found["provenance"], made_by)
                return
            keys = differences(found, wanted)
            if end is not None and keys == ["recipe.kimg"]:
                self._change_budget(found, wanted, made_by, end)
                return
            if not restart:
                raise UserError(
                    f"{self.path}: holds another run ({', '.join(keys)} differ); give another "
                    "--out, or add --restart to set that run aside and begin anew"
                )
            self._set_aside(found)
        write_json(self.manifest, {**wanted, "provenance": made_by})

    def _change_budget(
        self, found: dict[str, Any], wanted: dict[str, Any], made_by: Mapping[str, Any], end: int
    ) -> None:
        before, after = found["recipe"]["kimg"], wanted["recipe"]["kimg"]
        images = self.standing().images
        if images > end:
            raise UserError(
                f"{self.path}: was trained for {images / 1000:g} kimg, and kimg {after:g} is asked "
                f"for; ask for {before:g}, or move this run away to train a shorter one"
            )
        if not any(self.state.glob("*.safetensors")) and images:
            raise UserError(
                f"{self.state}: holds no checkpoint to go on from; set kimg to {before:g} again, "
                "or move this run away to train it from the start"
            )
        self._warn(found["provenance"], made_by)
        noted = {"kimg": before, "images": images, "provenance": made_by}
        budgets = [*found.get("budgets", []), noted]
        write_json(self.manifest, {**found, **wanted, "budgets": budgets})

    def budgets(self) -> list[Any]:
        """Earlier budgets of the run: `kimg`, and at how many `images` another took its place."""
        found: list[Any] = self._read_manifest().get("budgets", [])
        return found

    def standing(self) -> Standing:
        """How far the run is, by its files."""
        if self.done.exists():
            done = read_json(self.done)
            return Standing(int(done["images"]), float(done["seconds"]))
        for path in sorted(self.state.glob("*.safetensors"), reverse=True):
            with suppress(UserError):  # Damaged: the one before is gone on from.
                about = read_metadata(path)
                return Standing(int(about["images"]), float(about["seconds"]))
        return Standing(0, 0.0)

    def threads(self) -> int:
        """The number of CPU threads that the run began with."""
        return int(self._read_manifest()["provenance"]["threads"])

    def _warn(self, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        for key in ("device", "torch", "processes"):
            if before.get(key) != now[key]:
                print(
                    f"warning: {self.path}: began with {key} {before.get(key)} and goes on with "
                    f"{now[key]}: equal up to rounding only",
                    file=sys.stderr,
                )

    def _read_manifest(self) -> Any:
        found = read_json(self.manifest)
        made_by = found.get("provenance") if isinstance(found, dict) else None
        numbers = [made_by.get(k) for k in ("threads", "processes")] if made_by else [None]
        if not all(isinstance(number, int) and number > 0 for number in numbers):
            raise UserError(f"{self.manifest}: not a run's manifest; give another --out")
        return found

    def _set_aside(self, found: Mapping[str, Any]) -> None:
        # Under a name of its own beside it: days of training are never overwritten.
        tag = hashlib.sha256(json.dumps(found, sort_keys=True).encode()).hexdigest()[:8]
        name = f"{self.path.name}.aside-{tag}"
        taken = len(list(self.path.parent.glob(f"{name}*")))
        aside = self.path.with_name(f"{name}-{taken}" if taken else name)
        aside.mkdir()
        # What says that the run is done goes first, and what says that it is one goes last.
        items = [item for item in self.path.iterdir() if item.name != "lock"]
        for item in sorted(items, key=lambda item: (item != self.done, item == self.manifest)):
            item.rename(aside / item.name)
        print(f"{self.path}: the run found here was set aside as {aside.name}", file=sys.stderr)

    def write_snapshot(self, network: EDMPrecond, metadata: Mapping[str, Any], images: int) -> None:
        """Write the averaged network as it is after `images` images."""
        save_network(self.snapshot_path(images), network, metadata)

    def snapshot_path(self, images: int) -> Path:
        """Where the snapshot after `images` images is; names sort by images."""
        return self.snapshots / f"{images:012d}.safetensors"

    def measured_path(self, images: int) -> Path:
        """Where the records of that snapshot are."""
        return self.measured / f"{images:012d}.json"

    def leg_path(self, images: int) -> Path:
        """Where the file of the leg that ends at `images` images is."""
        return self.legs / f"{images:012d}.json"

    def last_snapshot(self) -> Path:
        """The snapshot of the most images.

        Raises:
            UserError: there is none.
        """
        paths = sorted(self.snapshots.glob("*.safetensors"))
        if not paths:
            raise UserError(f"{self.path}: holds no snapshots; train it first")
        return paths[-1]


def locked(handle: IO[str]) -> bool:
    """Lock a file if nobody else has it.

    Raises:
        UserError: the file system knows no locks.
    """
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise UserError(
            f"{handle.name}: cannot be locked ({error.strerror}); give an --out on a file system "
            "with locks (Lustre has them when mounted with -o flock)"
        ) from error
    return True


def snapshot_at(path: Path) -> Path:
    """A weights file: `path` itself, or the last snapshot of the finished run `path`.

    The last one is never removed.

    Raises:
        UserError: the run has not come to its end, or `path` is a snapshot that was removed.
    """
    if not path.is_dir():
        refuse_removed(path)
        return path
    folder = RunFolder(path)
    if folder.snapshots.exists() and not folder.done.exists():
        raise UserError(f"{path}: not finished; train it to its end, or give one of its snapshots")
    return folder.last_snapshot()


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Dotted names of the keys of `wanted` that have another value in `found`."""
    names = []
    for key, value in wanted.items():
        other = found.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            names += differences(other, value, f"{prefix}{key}.")
        elif value != other:
            names.append(f"{prefix}{key}")
    return names
