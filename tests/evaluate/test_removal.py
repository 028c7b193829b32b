"""What is kept of a run's snapshots, and that a killed removal loses none that is not measured."""

import fcntl
import hashlib
import json
import random
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from sid.errors import UserError
from sid.evaluate.records import Record, read_records, write_records
from sid.evaluate.removal import log_spaced, removable, remove_measured
from sid.files import sha256, write_json
from sid.runs.folder import RunFolder, snapshot_at
from sid.runs.removed import read_removed
from tests.evaluate.cases import record
from tests.evaluate.dying import killed_at_line, killed_before_call, lines_of

OURS = "ours"
RECIPE = {"kimg": 2.0, "first_kimg": 0.1, "per_decade": 2, "batch": 50}
SPACED = [0, 100, 350, 1000, 2000]
TIMES = [0, 100, 200, 350, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000]
VALUES = [90, 40, 30, 20, 9, 7, 8, 5, 6, 4, 5, 6]
CURVE = dict(zip(TIMES, map(float, VALUES), strict=True))
KEPT = {  # The best is at 1,600 and the last at 2,000.
    "all": TIMES,
    "curve": [0, 100, 350, 1000, 1600, 2000],
    "best": [1600, 2000],
}


def weights(images: int) -> bytes:
    return b"weights after %d" % images


MADE = {images: hashlib.sha256(weights(images)).hexdigest() for images in TIMES}


def a_run(path: Path, images: Iterable[int] = TIMES) -> RunFolder:
    folder = RunFolder(path)
    write_json(folder.manifest, {"recipe": RECIPE, "seed": 0})
    folder.snapshots.mkdir()
    for one in images:
        folder.snapshot_path(one).write_bytes(weights(one))
    return folder


def measure(folder: RunFolder, images: int, **about: Any) -> Record:
    """What an evaluation leaves of a snapshot; of one that is gone, what is on disk."""
    path = folder.snapshot_path(images)
    if not path.exists():
        return read_records(folder.measured_path(images))[0]
    curve = {"role": "curve", "draw": 0, "images": images, "value": CURVE[images]}
    found = record(weights_sha256=sha256(path), **{**curve, **about})
    write_records(folder.measured_path(images), [found])
    return found


def evaluate(folder: RunFolder, keep: Any, groups: Iterable[Iterable[int]] = (TIMES,)) -> None:
    for group in groups:
        for images in group:
            found = measure(folder, images)
        remove_measured(folder, keep, OURS, [found])


def there(folder: RunFolder) -> list[int]:
    return sorted(int(path.stem) for path in folder.snapshots.glob("*.safetensors"))


def state(folder: RunFolder) -> dict[str, bytes]:
    """Everything in the run's folder, but what a killed writer left beside it."""
    files = (path for path in folder.path.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder.path)): path.read_bytes()
        for path in files
        if not path.name.endswith(".tmp")
    }


def check_nothing_is_lost(folder: RunFolder, made: dict[int, str]) -> None:
    """A snapshot is there, or else its record and its entry in the ledger are, and are its own."""
    ledger = read_removed(folder.path)
    for images, digest in made.items():
        path = folder.snapshot_path(images)
        if not path.exists():
            (found,) = read_records(folder.measured_path(images))
            assert (found.weights_sha256, found.value) == (digest, CURVE[images])
            assert ledger[path.name] == (images, digest)
    gone = {images for images in made if not folder.snapshot_path(images).exists()}
    assert {one.images for one in ledger.values()} == gone


def test_log_spaced_times_are_those_of_the_recipe_without_every(tmp_path: Path) -> None:
    assert log_spaced(a_run(tmp_path)) == SPACED
    write_json(tmp_path / "manifest.json", {"recipe": {"kimg": 1}})
    with pytest.raises(UserError, match=r"manifest\.json.*first_kimg.*--keep all"):
        log_spaced(RunFolder(tmp_path))


@pytest.mark.parametrize("keep", ["all", "curve", "best"])
@pytest.mark.parametrize("size", [1, 5, 12])
def test_what_is_kept_does_not_depend_on_the_groups(tmp_path: Path, keep: Any, size: int) -> None:
    folder = a_run(tmp_path)
    groups = [TIMES[k : k + size] for k in range(0, len(TIMES), size)]
    evaluate(folder, keep, reversed(groups))  # Jobs come in any order.
    # Measured last, a group ends the run no sooner than the one whose images are the most.
    assert there(folder) == KEPT[keep]
    assert sorted(one.images for one in read_removed(tmp_path).values()) == sorted(
        set(TIMES) - set(KEPT[keep])
    )
    remove_measured(folder, keep, OURS, [measure(folder, 2000)])
    assert there(folder) == KEPT[keep]


def test_all_that_equal_the_best_and_all_without_a_value_stay() -> None:
    values = {1: 5.0, 2: 3.0, 3: 3.0, 4: 4.0, 5: 9.0}
    assert removable("best", values, ()) == [1, 4]
    assert removable("curve", values, [0, 1]) == [4]
    assert removable("best", {}, ()) == []
    assert removable("best", {7: 1.0}, ()) == []


def test_only_values_of_one_way_of_measuring_are_compared(tmp_path: Path) -> None:
    folder = a_run(tmp_path, [0, 200, 800, 1200])
    measure(folder, 0)
    measure(folder, 200, n_images=2)
    measure(folder, 800, implementation="nvidia")
    found = measure(folder, 1200)
    assert remove_measured(folder, "best", "nvidia", [found]) == []
    assert remove_measured(folder, "best", OURS, [found]) == [0]


def test_a_snapshot_that_is_not_the_measured_one_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = a_run(tmp_path, [200, 600, 1600])
    for images in (200, 600, 1600):
        found = measure(folder, images)
    folder.snapshot_path(200).write_bytes(b"trained anew")
    assert remove_measured(folder, "best", OURS, [found]) == [600]
    assert "000000000200.safetensors" in capsys.readouterr().err
    folder.snapshot_path(1600).unlink()
    folder.measured_path(600).unlink()
    measure(folder, 200)
    assert remove_measured(folder, "best", OURS, [found]) == []  # Nothing better is there.


def test_killed_before_any_system_call_it_loses_nothing_and_ends_the_same(tmp_path: Path) -> None:
    undisturbed = a_run(tmp_path / "undisturbed")
    found = [measure(undisturbed, images) for images in TIMES][-1]
    measured = state(undisturbed)
    remove_measured(undisturbed, "curve", OURS, [found])
    moment, killed = 0, True
    while killed:
        moment += 1
        folder = a_run(tmp_path / f"{moment}")
        for name, data in measured.items():
            (folder.path / name).parent.mkdir(exist_ok=True)
            (folder.path / name).write_bytes(data)
        killed = killed_before_call(
            partial(remove_measured, folder, "curve", OURS, [found]), moment
        )
        check_nothing_is_lost(folder, MADE)
        remove_measured(folder, "curve", OURS, [found])
        assert state(folder) == state(undisturbed)
    assert moment > 2 * (len(TIMES) - len(KEPT["curve"]))  # It was killed, and in every unlink.


@pytest.mark.parametrize("keep", ["curve", "best"])
def test_killed_at_20_random_moments_between_measuring_and_removal(
    tmp_path: Path, keep: Any
) -> None:
    """Of a run of which an earlier group is measured already, and its snapshots removed."""

    def measured(path: Path) -> tuple[RunFolder, Record]:
        folder = a_run(path)
        evaluate(folder, keep, [TIMES[:6]])
        return folder, [measure(folder, images) for images in TIMES[6:]][-1]

    undisturbed, found = measured(tmp_path / "undisturbed")
    lines = lines_of(partial(remove_measured, undisturbed, keep, OURS, [found]))
    rng = random.Random(14)
    for number in range(20):
        folder, _ = measured(tmp_path / f"{number}")
        moment = rng.randrange(1, lines + 1)
        assert killed_at_line(partial(remove_measured, folder, keep, OURS, [found]), moment)
        check_nothing_is_lost(folder, MADE)
        remove_measured(folder, keep, OURS, [found])
        assert state(folder) == state(undisturbed)


def test_groups_of_a_run_remove_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = a_run(tmp_path)
    found = [measure(folder, images) for images in TIMES][-1]
    waited = []
    with (tmp_path / "removal.lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX)

        def sleep(seconds: float) -> None:
            waited.append(there(folder))
            fcntl.flock(other, fcntl.LOCK_UN)

        monkeypatch.setattr("sid.evaluate.removal.time.sleep", sleep)
        remove_measured(folder, "curve", OURS, [found])
    assert waited == [TIMES]
    assert there(folder) == KEPT["curve"]


def test_who_asks_for_a_removed_snapshot_is_told_the_nearest(tmp_path: Path) -> None:
    folder = a_run(tmp_path)
    evaluate(folder, "curve")
    with pytest.raises(UserError, match=r"0800\.safetensors.*removed.*0+1000\.safetensors"):
        snapshot_at(folder.snapshot_path(800))
    assert snapshot_at(folder.snapshot_path(1000)) == folder.snapshot_path(1000)
    write_json(folder.done, {"images": 2000})
    assert snapshot_at(folder.path) == folder.snapshot_path(2000)


@pytest.mark.parametrize("ledger", ["[]", '{"snapshots": {"a": 1}}', "{", '{"removed": {}}'])
def test_a_damaged_ledger_is_one_line(tmp_path: Path, ledger: str) -> None:
    (tmp_path / "removed.json").write_text(ledger)
    with pytest.raises(UserError, match=r"removed\.json.*delete it"):
        read_removed(tmp_path)


def test_a_run_set_aside_takes_its_records_and_its_ledger_along(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.claim({"seed": 0}, torch.device("cpu"), restart=False)
    write_json(folder.measured_path(0), {"records": []})
    (folder.path / "removed.json").write_text(json.dumps({"snapshots": {}}))
    folder.claim({"seed": 1}, torch.device("cpu"), restart=True)
    (aside,) = tmp_path.glob("run.aside-*")
    assert {"measured", "removed.json"} <= {path.name for path in aside.iterdir()}
    assert not folder.measured.exists()
    assert not (folder.path / "removed.json").exists()
