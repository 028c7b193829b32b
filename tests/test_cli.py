"""The line from data to snapshots by `sid` alone, in this process."""

from pathlib import Path

import pytest
import yaml

from sid.cli import main
from tests.conftest import tiny_recipe, tiny_teacher


def sid(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Exit status of `sid` with these words."""
    monkeypatch.setattr("sys.argv", ["sid", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        main()
    code = stop.value.code
    return code if isinstance(code, int) else 0


def test_data_teacher_distill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    recipes = {"teacher": tiny_teacher(), "sid": tiny_recipe()}
    for name, recipe in recipes.items():
        Path(f"{name}.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    assert sid(monkeypatch, "data", "digits", "--out", "digits.zip") == 0
    assert "1797 images, 1x8x8, 10 classes" in capsys.readouterr().out

    common = ("--data", "digits.zip", "--threads", 1, "--device", "cpu", "--budget", 0.3)
    teacher = ("teacher", "train", "--recipe", "teacher.yaml", *common, "--out", "t")
    distill = ("distill", "--recipe", "sid.yaml", *common, "--teacher", "t", "--out", "s")
    assert sid(monkeypatch, *teacher) == sid(monkeypatch, *distill) == 0
    printed = capsys.readouterr()
    assert "s: distilled for 0.3 kimg" in printed.out
    assert "sid seed 0: 320/320 images in" in printed.err
    assert Path("s/done.json").exists()

    # The same command again finds the work done; with another seed it is another run.
    assert sid(monkeypatch, *distill) == 0
    assert sid(monkeypatch, *distill, "--seed", 1) == 2
    assert "error: s: holds another run (seed differ)" in capsys.readouterr().err
