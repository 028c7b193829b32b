"""Programs that stand in for Slurm's where its answers cannot be had from a real one."""

import stat
from pathlib import Path

import pytest


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Programs of these names in front of PATH; each writes a line for each call."""
    for name, script in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\necho {name} >> '{folder}/calls'\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def calls(folder: Path) -> list[str]:
    """Which of them were called, in order."""
    path = folder / "calls"
    return path.read_text().split() if path.exists() else []
