"""The workflow killed: Snakemake alone, whose trainer lives on, and the whole group."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.conftest import tiny_recipe, tiny_teacher

RUN = "results/tiny/distill/sid/seed0"
Tree = Callable[[Path], dict[str, bytes]]


@pytest.fixture
def tiny(checkout: Path) -> Path:
    """The checkout with a budget `tiny`: one recipe whose training takes some seconds."""
    recipes = {
        "teacher": tiny_teacher(),
        "sid": tiny_recipe(kimg=6.0, batch=16, per_decade=8),
    }
    for name, recipe in recipes.items():
        path = checkout / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    changes = {
        "teacher": "config/teacher.yaml",
        "recipes": ["config/sid.yaml"],
        "results": "results/tiny",
        "reports": "reports/tiny",
    }
    (checkout / "config" / "budget" / "tiny.yaml").write_text(yaml.safe_dump(changes))
    return checkout


def start(top: Path) -> subprocess.Popen[str]:
    words = [sys.executable, "workflow/launch.py", "tiny", f"{RUN}/done.json"]
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    return subprocess.Popen(
        words,
        cwd=top,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, _ = process.communicate(timeout=240)
    assert process.returncode == 0, output
    return output


def wait_for_work(top: Path, process: subprocess.Popen[str]) -> None:
    """Until the distillation has taken a snapshot more than it had."""
    folder = top / RUN / "snapshots"
    seen = len(list(folder.glob("*"))) if folder.exists() else 0
    while process.poll() is None and len(list(folder.glob("*"))) <= seen:
        time.sleep(0.02)


def test_kills_change_nothing(tiny: Path, tree: Tree) -> None:
    whole = tiny.with_name("undisturbed")
    shutil.copytree(tiny, whole)
    finish(start(whole))
    expected = tree(whole / RUN)

    # Snakemake alone: its trainer lives on, and the next workflow must not write beside it.
    first = start(tiny)
    wait_for_work(tiny, first)
    os.kill(first.pid, signal.SIGKILL)
    output = finish(start(tiny))
    assert "waiting for process" in output
    assert tree(tiny / RUN) == expected
    first.communicate()

    # The whole group, at random moments, anew.
    shutil.rmtree(tiny / RUN)
    moments = random.Random(1)
    for _ in range(2):
        process = start(tiny)
        wait_for_work(tiny, process)
        time.sleep(moments.uniform(0, 0.5))
        assert process.poll() is None, "the run is too short to be killed; make it longer"
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    finish(start(tiny))
    assert tree(tiny / RUN) == expected

    # And nothing is left to do, which is said at once.
    began = time.monotonic()
    assert "Nothing to be done" in finish(start(tiny))
    assert time.monotonic() - began < 15


def test_one_workflow_at_a_time(tiny: Path) -> None:
    first = start(tiny)
    wait_for_work(tiny, first)
    second = start(tiny)
    output, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "another `make demo` is running in this folder" in output
    finish(first)


def test_changed_setting_runs_what_depends_on_it(tiny: Path) -> None:
    finish(start(tiny))
    teacher = (tiny / "results/tiny/teacher/digits/done.json").stat().st_mtime_ns
    recipe = tiny / "config" / "sid.yaml"
    recipe.write_text(recipe.read_text().replace("lr_fake: 0.0001", "lr_fake: 0.0002"))
    output = finish(start(tiny))
    assert "was set aside as seed0.aside-" in output
    assert (tiny / "results/tiny/teacher/digits/done.json").stat().st_mtime_ns == teacher
    assert len(list((tiny / RUN).parent.glob("seed0.aside-*/snapshots/*"))) > 10
