"""The benchmark of the gates, on the shortest of its runs."""

from pathlib import Path

import pytest

from benchmarks.gates import BREAKS, BREAKS_AT, FROM_TEACHER, Bench, photographs
from sid.data.zips import write_zip


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bench, Path]:
    """Photographs and a teacher of them."""
    folder = tmp_path_factory.mktemp("gates")
    write_zip(folder / "photographs.zip", photographs(), None)
    made = Bench(folder / "photographs.zip", folder, kimg=0.5)
    return made, made.teacher(0)


def test_a_healthy_run_ends(bench: tuple[Bench, Path]) -> None:
    made, teacher = bench
    _, row = made.run("sid", FROM_TEACHER["sid"], teacher, None, 0)
    assert (row["stopped"], row["images"]) == ("", 512)
    assert row["spread"] > 0.1


def test_a_broken_run_does_not(bench: tuple[Bench, Path]) -> None:
    made, teacher = bench
    changes = {**FROM_TEACHER["sid"], "kimg": 2.5}
    _, row = made.run("one-image", changes, teacher, None, 0, BREAKS["one-image"])
    assert row["stopped"] == "min_spread"
    assert BREAKS_AT < row["images"] < 2500
