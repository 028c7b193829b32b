"""Bad places and bad inputs on the command line: one line, status 2, nothing lost."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

from sid.data.zips import write_zip
from tests.commands import refused, sid
from tests.conftest import tiny_recipe

SID = str(Path(sys.executable).with_name("sid"))


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "sid.yaml"
    path.write_text(yaml.safe_dump(tiny_recipe().model_dump(mode="json")))
    return path


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 600 kB: room for a few snapshots, not for a checkpoint."""
    path = tmp_path / "disk"
    path.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(path)], capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a small file system needs root")
    yield path
    subprocess.run(["umount", str(path)], check=True)


def test_full_disk(small_disk: Path, recipe: Path, digits_zip: Path, teacher_run: Path) -> None:
    inputs = ("--data", digits_zip, "--teacher", teacher_run, "--quiet")
    filler = small_disk / "filler"
    filler.write_bytes(bytes(350_000))
    out = small_disk / "run"
    done = sid("distill", "--recipe", recipe, *inputs, "--out", out)
    refused(done, "the disk is full; free some space")
    whole = [p for p in (out / "snapshots").iterdir() if not p.name.startswith(".")]
    assert whole
    assert not list(out.glob("**/.*.tmp"))
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=8m", str(small_disk)], check=True)
    done = sid("distill", "--recipe", recipe, *inputs, "--out", out)
    assert done.returncode == 0, done.stderr
    assert (out / "done.json").exists()


def test_full_disk_for_data(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(400_000))
    refused(sid("data", "digits", "--out", small_disk / "d.zip"), "d.zip: the disk is full")
    assert [path.name for path in small_disk.iterdir()] == ["filler"]


def test_read_only_mount(small_disk: Path, recipe: Path, digits_zip: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    refused(sid("data", "digits", "--out", small_disk / "d.zip"), "d.zip", "read-only")


def plain() -> list[str]:
    """Words that make root an ordinary user, whom permissions hold for."""
    words = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []
    if words and not shutil.which("setpriv"):
        pytest.skip("becoming an ordinary user needs setpriv")
    return words


def test_no_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    words = [*plain(), SID, "data", "digits", "--out", str(tmp_path / "x" / "d.zip")]
    refused(subprocess.run(words, capture_output=True, text=True, check=False), "no permission")


def test_other_shapes(tmp_path: Path, recipe: Path, digits_zip: Path, teacher_run: Path) -> None:
    write_zip(tmp_path / "other" / "digits.zip", np.zeros((2, 1, 16, 16), np.uint8), None)
    inputs = ("--data", tmp_path / "other" / "digits.zip", "--teacher", teacher_run)
    done = sid("distill", "--recipe", recipe, *inputs, "--out", tmp_path / "r")
    refused(done, "other/digits.zip", "(1, 16, 16)")


def test_no_gpu(tmp_path: Path, recipe: Path, digits_zip: Path, teacher_run: Path) -> None:
    inputs = ("--data", digits_zip, "--teacher", teacher_run, "--out", tmp_path / "r")
    refused(sid("distill", "--recipe", recipe, *inputs, "--device", "gpu"), "--device gpu: unknown")


@pytest.mark.parametrize("stage", ["data", "teacher", "distill", "evaluate", "verdict", "report"])
def test_every_stage_has_help_with_an_example(stage: str) -> None:
    text = sid(stage, "--help").stdout
    group = {"data": "digits", "teacher": "train", "evaluate": "run", "report": "page"}.get(stage)
    if group:
        assert group in text
        text = sid(stage, group, "--help").stdout
    assert f"Example: sid {stage}" in text


def test_help_names_every_stage() -> None:
    text = sid("--help").stdout
    for stage in ("data", "teacher", "distill", "evaluate", "verdict", "report"):
        assert f"  {stage} " in text
