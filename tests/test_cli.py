"""The line from data to snapshots by `sid` alone, in this process."""

from pathlib import Path

import pytest
import yaml

from tests.commands import accepted, refused, sid
from tests.conftest import tiny_recipe, tiny_teacher


def test_data_teacher_distill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipes = {"teacher": tiny_teacher(), "sid": tiny_recipe()}
    for name, recipe in recipes.items():
        Path(f"{name}.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    assert "1797 images, 1x8x8, 10 classes" in accepted(
        sid("data", "digits", "--out", "digits.zip")
    )

    common = ("--data", "digits.zip", "--threads", 1, "--device", "cpu", "--budget", 0.3)
    teacher = ("teacher", "train", "--recipe", "teacher.yaml", *common, "--out", "t")
    distill = ("distill", "--recipe", "sid.yaml", *common, "--teacher", "t", "--out", "s")
    accepted(sid(*teacher))
    done = sid(*distill)
    assert "s: distilled for 0.3 kimg" in accepted(done)
    assert "sid seed 0: 320/320 images in" in done.stderr
    assert Path("s/done.json").exists()

    # The same command again finds the work done; with another seed it is another run.
    accepted(sid(*distill))
    refused(sid(*distill, "--seed", 1), "error: s: holds another run (seed differ)")
