"""The trainer as a real process: killed at random moments, it ends equal, bit for bit."""

import random
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import distilled, tiny_recipe
from tests.processes import Run

Tree = Callable[[Path], dict[str, bytes]]


@pytest.mark.slow
@pytest.mark.parametrize("leg_kimg", [None, 3.0])
def test_kills_change_nothing(
    leg_kimg: float | None, digits_zip: Path, teacher_run: Path, tmp_path: Path, tree: Tree
) -> None:
    asked = tiny_recipe(kimg=2.0, batch=16, lr_decay=0.5, per_decade=6)
    whole = distilled(asked, digits_zip, teacher_run, tmp_path / "whole")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(asked.model_dump(mode="json")))
    words = ["distill", "--recipe", recipe, "--data", digits_zip, "--teacher", teacher_run]
    moments = random.Random(0)
    *legs, _ = asked.leg_ends(leg_kimg)
    assert len(legs) == (2 if leg_kimg else 0)
    for end in [*legs, None]:
        leg = [*words, "--device", "cpu", *(["--leg", end] if end else [])]
        for _ in range(2 if leg_kimg else 5):
            run = Run(1, leg, tmp_path / "cut")
            run.trains()
            time.sleep(moments.uniform(0.0, 0.05))
            run.signal(signal.SIGKILL)
            assert run.end() == [-signal.SIGKILL], "too short to be killed; make it longer"
        run = Run(1, leg, tmp_path / "cut")
        assert run.end() == [0], run.said()
    assert tree(run.out) == tree(whole)
