"""The trainer as a real process: killed at random moments, it ends equal, bit for bit."""

import random
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sid.distill.recipe import Recipe
from tests.conftest import tiny_recipe

KILLS = 5


def command(recipe: Path, data: Path, teacher: Path, out: Path) -> list[str]:
    sid = str(Path(sys.executable).with_name("sid"))
    inputs = ["--data", str(data), "--teacher", str(teacher), "--out", str(out)]
    return [sid, "distill", "--recipe", str(recipe), *inputs, "--quiet"]


def undisturbed(recipe: Recipe, data: Path, teacher: Path, folder: Path) -> tuple[Path, Path, Path]:
    """The recipe's file, a run of it, and the place of another one."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    subprocess.run(command(path, data, teacher, folder / "whole"), check=True)
    return path, folder / "whole", folder / "cut"


@pytest.mark.slow
def test_five_kills_change_nothing(
    digits_zip: Path, teacher_run: Path, tmp_path: Path, tree: Callable[[Path], dict[str, bytes]]
) -> None:
    long_enough = tiny_recipe(kimg=4.0, batch=16, lr_decay=0.5, per_decade=6)
    recipe, whole, cut = undisturbed(long_enough, digits_zip, teacher_run, tmp_path)
    moments = random.Random(0)
    killed = 0
    for _ in range(KILLS):
        process = subprocess.Popen(command(recipe, digits_zip, teacher_run, cut))
        seen = len(list((cut / "snapshots").glob("*"))) if cut.exists() else 0
        # From the first sign of work on: before that there is nothing to lose.
        while process.poll() is None and len(list((cut / "snapshots").glob("*"))) <= seen:
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.6))
        killed += process.poll() is None
        process.kill()
        process.wait()
    assert killed >= 3, "the run is too short to be killed; make it longer"
    subprocess.run(command(recipe, digits_zip, teacher_run, cut), check=True)
    assert tree(cut) == tree(whole)


@pytest.mark.slow
def test_legs_that_are_killed_change_nothing(
    digits_zip: Path, teacher_run: Path, tmp_path: Path, tree: Callable[[Path], dict[str, bytes]]
) -> None:
    asked = tiny_recipe(kimg=3.0, batch=16, lr_decay=0.5, per_decade=6)
    recipe, whole, cut = undisturbed(asked, digits_zip, teacher_run, tmp_path)
    moments = random.Random(0)
    *legs, _ = asked.leg_ends(6.0)
    assert len(legs) == 2
    killed = 0
    for end in [*legs, None]:
        words = command(recipe, digits_zip, teacher_run, cut)
        words += ["--leg", str(end)] if end else []
        process = subprocess.Popen(words)
        # From the run's lock on: before that there is nothing to lose.
        while process.poll() is None and not holds(cut, process.pid):
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 0.5))
        killed += process.poll() is None
        process.kill()
        process.wait()
        subprocess.run(words, check=True)
    assert killed >= 2, "the legs are too short to be killed; make them longer"
    assert tree(cut) == tree(whole)


def holds(run: Path, process: int) -> bool:
    """Whether a process has locked a run."""
    lock = run / "lock"
    return lock.exists() and f"process {process} " in lock.read_text()
