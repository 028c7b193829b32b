"""Snapshots that are removed after they were measured: which, and in an order that loses none.

A published CIFAR-10 recipe makes a thousand snapshots of 0.2 GB. What they are measured for is on
disk afterwards, and few are looked at again.
"""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Literal

from sid.errors import UserError, warn
from sid.evaluate.measured import read_measured
from sid.evaluate.records import Record, read_records
from sid.files import read_json, sha256, sync_folder
from sid.runs.folder import LOCK_EVERY_S, RunFolder, locked
from sid.runs.removed import Removed, read_removed, write_removed
from sid.runs.schedule import snapshot_times, thinned

Keep = Literal["all", "curve", "best"]
# What two values of a curve must share to be compared.
ONE_WAY = (
    *("role", "dataset", "metric", "implementation", "n_images", "draw", "seed", "labels"),
    *("extractor", "extractor_sha256", "reference_sha256"),
)


def removable(keep: Keep, values: Mapping[int, float], spaced: Collection[int]) -> list[int]:
    """The snapshots that are not kept, rising.

    Kept are the last so far, the best so far with all that equal it, and those without a value;
    with `curve` also those of the log-spaced curve, with `all` every one. What may go once may go
    ever after, whatever else is measured: so it does not matter when this is asked.

    Args:
        keep: of the experiment.
        values: distance by images, of those that were measured.
        spaced: images of the log-spaced curve.
    """
    if keep == "all" or not values:
        return []
    best = min(values.values())
    stay = {max(values), *(spaced if keep == "curve" else ())}
    return sorted(images for images, value in values.items() if value > best and images not in stay)


def log_spaced(folder: RunFolder) -> list[int]:
    """The images of the log-spaced curve of a run's recipe, three for each factor of ten.

    Raises:
        UserError: the manifest does not tell.
    """
    try:
        recipe = read_json(folder.manifest)["recipe"]
        total, first = (int(recipe[key] * 1000) for key in ("kimg", "first_kimg"))
        return thinned(snapshot_times(total, recipe["batch"], first, recipe["per_decade"]), first)
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{folder.manifest}: does not tell when snapshots are taken ({error}); "
            "measure with --keep all"
        ) from error


def measured_values(folder: RunFolder, like: Record) -> dict[int, float]:
    """The values of a run's curve that are on disk, by images.

    Args:
        folder: of the run.
        like: one of them; a value that was measured in another way does not count.

    Raises:
        UserError: a file is damaged.
    """
    way = [getattr(like, name) for name in ONE_WAY]
    return {
        images: record.value
        for images, records in read_measured(folder).items()
        for record in records
        if [getattr(record, name) for name in ONE_WAY] == way
    }


def remove_measured(folder: RunFolder, keep: Keep, by: str, records: Iterable[Record]) -> list[int]:
    """Remove the snapshots that were measured and are not kept; killed anywhere, call it again.

    A snapshot goes after its records are on disk, with the checksum of its very file in them, and
    after the ledger names it. Several processes may call it at once.

    Args:
        folder: of the run.
        keep: of the experiment.
        by: the implementation that chooses the best, the first of the curve.
        records: of snapshots of the run, as they were measured now: those of the same way of
            measuring are compared. Without any nothing is removed.

    Returns:
        The images of those that were removed now.

    Raises:
        UserError: a file of the run is damaged, or the folder cannot be locked.
        OSError: a file cannot be written or removed.
    """
    wanted = ("curve", "frechet_distance", by)
    like = next((r for r in records if (r.role, r.metric, r.implementation) == wanted), None)
    if keep == "all" or like is None:
        return []
    spaced = log_spaced(folder) if keep == "curve" else ()
    with alone(folder):
        values = measured_values(folder, like)
        chosen = removable(keep, values, spaced)
        best = min(values, key=values.__getitem__, default=None)
        if best is None or not folder.snapshot_path(best).exists():
            return []  # What is better than they are must be there.
        going = proven(folder, chosen)
        sync_folder(folder.measured)
        ledger = read_removed(folder.path)
        if going:
            write_removed(folder.path, dict(sorted({**ledger, **going}.items())))
            sync_folder(folder.path)
        for name in going:
            (folder.snapshots / name).unlink(missing_ok=True)
    return [one.images for one in going.values()]


def proven(folder: RunFolder, chosen: Collection[int]) -> dict[str, Removed]:
    """Those of the chosen snapshots that are there and whose records are of the same file."""
    found = {}
    for images in chosen:
        path = folder.snapshot_path(images)
        if not path.exists():
            continue
        digest = sha256(path)
        measured = read_records(folder.measured_path(images))
        if {record.weights_sha256 for record in measured} == {digest}:
            found[path.name] = Removed(images, digest)
        else:
            warn(f"{path}: changed since it was measured, and is kept")
    return found


@contextmanager
def alone(folder: RunFolder) -> Iterator[None]:
    """Hold the run's removals; the lock ends with its process, however that ends."""
    with (folder.path / "removal.lock").open("a") as handle:
        while not locked(handle):
            time.sleep(LOCK_EVERY_S)
        yield
