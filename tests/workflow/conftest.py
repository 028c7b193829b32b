"""Checkouts for the tests of the workflow."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


def copy_checkout(top: Path) -> Path:
    """A copy of what the workflow reads."""
    for name in ("workflow", "config"):
        shutil.copytree(ROOT / name, top / name)
    for name in ("Snakefile", "environment.yml"):
        shutil.copy(ROOT / name, top)
    return top


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the workflow reads, in a folder with a space in its name."""
    return copy_checkout(tmp_path / "a check out")
