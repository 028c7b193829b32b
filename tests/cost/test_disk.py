"""What is counted on disk is what a real run leaves there."""

from pathlib import Path

import pytest

from sid.cost.disk import files, run_disk, snapshots, staying
from sid.networks import Architecture, load_network
from sid.runs.folder import RunFolder
from sid.runs.state import KEEP
from sid.teacher.train import train_teacher
from tests.conftest import CPU, distilled, tiny_recipe, tiny_teacher

TEACHER = tiny_teacher(network={**tiny_teacher().network, "model_channels": 24}, kimg=0.1)
RECIPE = tiny_recipe(kimg=0.6)


@pytest.fixture(scope="module")
def run(digits_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    folder = tmp_path_factory.mktemp("disk")
    teacher = folder / "teacher"
    train_teacher(TEACHER, digits_zip, teacher, seed=0, device=CPU, restart=False, quiet=True)
    return RunFolder(distilled(RECIPE, digits_zip, teacher, folder / "run"))


def architecture(run: RunFolder) -> Architecture:
    return load_network(run.last_snapshot(), CPU)[0].architecture


def test_files_are_those_of_a_real_run(run: RunFolder) -> None:
    counted = files(architecture(run))
    assert run.last_snapshot().stat().st_size == pytest.approx(counted.snapshot, rel=0.02)
    for path in run.state.iterdir():
        assert path.stat().st_size == pytest.approx(counted.checkpoint, rel=0.02)


def test_a_run_that_is_done_takes_what_was_said(run: RunFolder) -> None:
    """One leg, all snapshots kept; what runs beside it has one checkpoint more while it writes."""
    times = RECIPE.times()
    said = run_disk(architecture(run), times, times[-1:], set(times), RECIPE.batch)
    found = sum(path.stat().st_size for path in run.path.rglob("*") if path.is_file())
    missing = KEEP - len(list(run.state.iterdir()))  # It was over before a second was due.
    checkpoint = files(architecture(run)).checkpoint
    assert found + missing * checkpoint == pytest.approx(said.end, rel=0.05)
    assert said.peak == said.end + checkpoint


def test_at_most_two_legs_are_not_measured() -> None:
    times = list(range(0, 101, 10))
    # All stay until the end of the only leg, then those at 0 and 100, and the best.
    assert snapshots(times, [100], {0}) == (11, 3)
    assert snapshots(times, [100], set(times)) == (11, 11)
    # At 60: 50 and 60 trained, 30 and 40 measured now, and of 0 to 20 the first, last and best.
    assert snapshots(times, [20, 40, 60, 80, 100], {0}) == (4 + 3, 3)
    # The legs before the first two have three snapshots: 0, 10 and 20.
    assert snapshots(times, [20, 40], {0})[0] == 5


def test_the_best_and_the_last_stay() -> None:
    assert staying([], {10}) == 0
    assert staying([0], set()) == 1
    assert staying([0, 10], set()) == 2
    assert staying([0, 10, 20], set()) == 2
    assert staying([0, 10, 20], {0, 10, 20}) == 3
    assert staying([0, 10, 20, 30], {0}) == 3
