"""How a run stands, of real tiny runs that end in the middle."""

import json
import math
import os
from pathlib import Path

import pytest

from sid.distill.gates import Gates
from sid.distill.recipe import Recipe
from sid.files import write_json
from sid.report.status import (
    QUIET_S,
    Checkpoint,
    Status,
    checkpoints,
    duration,
    logged,
    rate_of,
    status_of,
)
from sid.runs.folder import RunFolder
from sid.runs.loop import StoppedError
from tests.conftest import distilled, tiny_recipe

RECIPE = tiny_recipe()
HALF, END = RECIPE.times()[-2:]


@pytest.fixture(scope="module")
def half(
    tmp_path_factory: pytest.TempPathFactory, digits_zip: Path, teacher_run: Path
) -> RunFolder:
    """A run that has come to the end of its first leg."""
    out = tmp_path_factory.mktemp("half") / "seed0"
    return RunFolder(distilled(RECIPE, digits_zip, teacher_run, out, leg=HALF))


def written(folder: RunFolder) -> float:
    """When the run last wrote anything."""
    return max(path.stat().st_mtime for path in folder.path.rglob("*"))


def seen(folder: RunFolder, recipe: Recipe = RECIPE, after: float = 1.0) -> Status:
    """How it stands, so many seconds after it last wrote."""
    return status_of(folder.path, recipe, 0, written(folder) + after)


def begin_leg(folder: RunFolder) -> None:
    """As the next leg does, after the one before."""
    later = written(folder) + 1
    os.utime(folder.path / "lock", (later, later))


def test_a_run_that_has_not_begun_waits(tmp_path: Path) -> None:
    found = status_of(tmp_path / "none", RECIPE, 3, 0.0)
    assert found[:6] == ("sid", 3, "waits", "", 0, END)
    assert math.isnan(found.left)


def test_between_legs_it_pauses_and_what_it_cost_is_known(half: RunFolder) -> None:
    found = seen(half)
    assert (found.state, found.images, found.total) == ("pauses", HALF, END)
    assert "the next one waits" in found.why
    point = checkpoints(half.state)[-1]
    assert point.images == HALF
    threads = json.loads(half.manifest.read_text())["provenance"]["threads"]
    assert found.hours == pytest.approx(point.seconds * threads / 3600)
    assert found.unit == "CPU-hours"
    assert found.rate > 0
    assert found.left == pytest.approx((END - HALF) / found.rate)


def test_what_was_written_just_now_trains_and_what_is_silent_pauses(half: RunFolder) -> None:
    begin_leg(half)
    assert seen(half).state == "trains"
    silent = seen(half, after=QUIET_S + 3 * 86_400)
    assert silent.state == "pauses"
    assert silent.why == "silent for 3 d"


def test_the_log_is_ahead_of_the_checkpoint_and_half_a_line_is_passed_over(half: RunFolder) -> None:
    begin_leg(half)
    before = half.log.read_bytes()
    line = json.dumps({"images": HALF + 32, "fake_loss": 1.0}).encode()
    half.log.write_bytes(before + line[: len(line) // 2])
    assert seen(half).images == HALF
    half.log.write_bytes(before + line)  # Whole, but for its end.
    assert seen(half).images == HALF
    half.log.write_bytes(before + line + b"\n")
    assert (seen(half).images, logged(half.log)) == (HALF + 32, HALF + 32)
    half.log.write_bytes(before)


def test_a_cut_checkpoint_is_passed_over(half: RunFolder) -> None:
    before = checkpoints(half.state)
    newest = half.state / f"{HALF + 32:012d}.safetensors"
    newest.write_bytes((half.state / f"{HALF:012d}.safetensors").read_bytes()[:100])
    assert checkpoints(half.state) == before
    assert seen(half).images == HALF
    newest.unlink()


def test_nothing_is_written_or_held_by_looking(half: RunFolder) -> None:
    before = {path: path.stat().st_mtime_ns for path in half.path.rglob("*")}
    with half.lock():  # As training does.
        held = {path: path.stat().st_mtime_ns for path in half.path.rglob("*")}
        assert seen(half).images == HALF
    assert before.keys() == held.keys()
    assert {p: p.stat().st_mtime_ns for p in half.path.rglob("*")} == held


def test_another_recipe_is_named_and_a_larger_budget_is_the_same_run(half: RunFolder) -> None:
    other = seen(half, tiny_recipe(lr_fake=2e-4))
    assert (other.state, other.images, other.own) == ("waits", 0, False)
    assert "another lr_fake" in other.why
    longer = tiny_recipe(kimg=4.0)
    assert (seen(half, longer).images, seen(half, longer).total) == (HALF, longer.times()[-1])
    assert not seen(half, tiny_recipe(kimg=4.0, lr_decay=0.5)).own


def test_a_claim_that_is_reached_ends_it(half: RunFolder) -> None:
    found = {"claim": "sid/retrained-fid", "images": 256, "value": 1.9, "limits": [1.8, 2.0]}
    write_json(half.reached, {**found, "draws": 10})
    assert (seen(half).state, seen(half).over) == ("reached", True)
    assert seen(half).why == "sid/retrained-fid at 0.256 kimg: 1.9 (1.8 to 2) over 10 draws"
    half.reached.unlink()


def test_the_end(half: RunFolder, digits_zip: Path, teacher_run: Path) -> None:
    distilled(RECIPE, digits_zip, teacher_run, half.path)
    found = seen(half)
    assert (found.state, found.images, found.over, found.left) == ("ended", END, True, 0.0)
    longer = seen(half, tiny_recipe(kimg=4.0))
    assert (longer.state, longer.over) == ("pauses", False)
    assert "larger" in longer.why


def test_a_gate_says_why_it_stopped_until_the_run_goes_on(
    tmp_path: Path, digits_zip: Path, teacher_run: Path
) -> None:
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(StoppedError):
        distilled(tiny_recipe(gates=Gates(min_spread=1e6)), digits_zip, teacher_run, folder.path)
    found = seen(folder, after=86_400.0)
    assert (found.state, found.images) == ("stopped", RECIPE.times()[1])
    assert "spread" in found.why
    begun = distilled(RECIPE, digits_zip, teacher_run, folder.path, leg=HALF)
    assert seen(RunFolder(begun)).state == "pauses"


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], math.nan),
        ([(600, 30.0)], 20.0),
        ([(300, 10.0), (900, 40.0)], 20.0),  # At present: 600 images in 30 s.
        ([(840, 39.0), (900, 45.0)], 20.0),  # Too near: 900 images in 45 s.
    ],
)
def test_the_rate_is_that_of_the_last_checkpoints(
    points: list[tuple[int, float]], expected: float
) -> None:
    found = [Checkpoint(*point, 0.0) for point in points]
    assert rate_of(found) == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (59, "59 s"),
        (90, "1 min 30 s"),
        (3600, "1 h"),
        (11_400, "3 h 10 min"),
        (36_060, "10 h"),
        (2.5 * 86_400, "2 d 12 h"),
        (30 * 86_400, "30 d"),
        (math.nan, ""),
    ],
)
def test_times_for_people(seconds: float, said: str) -> None:
    assert duration(seconds) == said
