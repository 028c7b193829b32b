"""A checkout of its own for each test of the workflow."""

import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what the workflow reads, in a folder with a space in its name."""
    top = tmp_path / "a check out"
    for name in ("workflow", "config"):
        shutil.copytree(ROOT / name, top / name)
    for name in ("Snakefile", "environment.yml"):
        shutil.copy(ROOT / name, top)
    return top
