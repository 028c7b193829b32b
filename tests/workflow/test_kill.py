"""The workflow killed, while its trainer lives on (killed itself in tests/distill/test_kill.py)."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sid.distill.recipe import load_recipe
from tests.conftest import distilled, tiny_recipe, tiny_teacher
from tests.workflow.conftest import copy_checkout

RUN = "results/tiny/distill/sid/seed0"
Tree = Callable[[Path], dict[str, bytes]]


def tiny(top: Path) -> Path:
    """A checkout with a budget `tiny`: one recipe whose training takes some seconds."""
    copy_checkout(top)
    recipes = {"teacher": tiny_teacher(), "sid": tiny_recipe(kimg=4.0, batch=16, per_decade=8)}
    for name, recipe in recipes.items():
        path = top / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    changes = {
        "teacher": "config/teacher.yaml",
        "recipes": ["config/sid.yaml"],
        "results": "results/tiny",
        "reports": "reports/tiny",
    }
    (top / "config" / "budget" / "tiny.yaml").write_text(yaml.safe_dump(changes))
    return top


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
    output, _ = process.communicate(timeout=1800)
    assert process.returncode == 0, output
    return output


def wait_for_work(top: Path, process: subprocess.Popen[str]) -> None:
    """Until the distillation has taken a snapshot more than it had."""
    folder = top / RUN / "snapshots"
    seen = len(list(folder.glob("*"))) if folder.exists() else 0
    while process.poll() is None and len(list(folder.glob("*"))) <= seen:
        time.sleep(0.02)


def again_at_once(top: Path, out: Path) -> Path:
    """The same run by nobody's workflow, undisturbed."""
    recipe, results = load_recipe(top / "config/sid.yaml"), top / "results/tiny"
    return distilled(recipe, results / "data/digits.zip", results / "teacher/digits", out)


@pytest.mark.slow
def test_a_kill_changes_nothing_and_a_change_what_depends_on_it(tmp_path: Path, tree: Tree) -> None:
    """The change is a gate that nothing passes: what is said then is enough to go on."""
    top = tiny(tmp_path / "a killed checkout")

    # Snakemake alone: its trainer lives on, and the next workflow must not write beside it.
    first = start(top)
    wait_for_work(top, first)
    refused, _ = (second := start(top)).communicate(timeout=600)
    assert second.returncode == 2
    assert "another `make demo` is running in this folder" in refused
    os.kill(first.pid, signal.SIGKILL)
    output = finish(start(top))
    assert "waiting for process" in output
    assert tree(top / RUN) == tree(again_at_once(top, tmp_path / "at once"))
    first.communicate()

    # A second run does nothing, and a changed recipe trains no teacher.
    assert "Nothing to be done" in finish(start(top))
    teacher = top / "results/tiny/teacher/digits/done.json"
    before = teacher.stat().st_mtime_ns
    recipe = top / "config" / "sid.yaml"
    values = {**yaml.safe_load(recipe.read_text()), "kimg": 0.5, "eps": 1e-7}
    recipe.write_text(yaml.safe_dump({**values, "gates": {"min_spread": 1e6}}))
    output, _ = (stopped := start(top)).communicate()
    assert stopped.returncode
    assert "was set aside as seed0.aside-" in output
    said = re.search(
        r"The demo stopped\.\nerror: .*write `min_spread: null` under `gates:` in (\S+) and run: "
        r".*\nFinished work is kept\. Mend that and run: make demo BUDGET=tiny\n$",
        output,
    )
    assert said, output
    (top / said[1]).write_text(yaml.safe_dump({**values, "gates": {"min_spread": None}}))
    finish(start(top))
    assert (top / RUN / "done.json").exists()
    assert teacher.stat().st_mtime_ns == before
    assert len(list((top / RUN).parent.glob("seed0.aside-*/snapshots/*"))) > 10
