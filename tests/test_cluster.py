"""The callable of the rules, in one process: what it runs, and what it says when it cannot."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from sid.cluster import Command
from sid.errors import UserError
from tests.conftest import tiny_recipe


@dataclass(frozen=True)
class Job:
    params: dict[str, Any]
    workdir: str
    log: list[str] = field(default_factory=lambda: ["logs/train.log"])
    threads: int = 1


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path.cwd())  # Undone at the end.
    recipe = tiny_recipe(kimg=0.064, first_kimg=0.03).model_dump(mode="json")
    (tmp_path / "sid.yaml").write_text(yaml.safe_dump(recipe))


def test_runs_what_the_shell_would(digits_zip: Path, teacher_run: Path, tmp_path: Path) -> None:
    words = f"distill --recipe sid.yaml --data '{digits_zip}' --teacher {teacher_run} --out run"
    Command(Job({"command": words}, str(tmp_path)))()
    assert (tmp_path / "run" / "done.json").exists()
    assert not (tmp_path / "logs").exists()
    assert os.getcwd() == str(tmp_path)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("distill --recipe sid.yaml --out run", "--data is missing (or try --tiny)"),
        ("distill --recipe none.yaml --out run --data d.zip --teacher t", "none.yaml: no such"),
        ("distill --recipe sid.yaml --out run --sed 1", "No such option: --sed"),
        ("distill --recipe sid.yaml --tiny --out /proc/run", "/proc/run"),
    ],
)
def test_a_refusal_is_one_line(words: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        Command(Job({"command": words}, str(tmp_path)))()
    line = str(refused.value)
    assert message in line
    assert "\n" not in line
    assert (tmp_path / "logs" / "train.log").read_text() == f"error: {line}\n"
