"""Runs Snakemake in a folder, and stands in for Slurm's commands where no Slurm can answer so."""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from submitit.slurm.slurm import SlurmExecutor, _make_sbatch_string

from snakemake_executor_plugin_submitit import ExecutorSettings
from snakemake_executor_plugin_submitit.parameters import Allocation, submitit_parameters

FOLDER = Path("/shared/a folder/train-0123456789ab")


def command(*words: str, cluster: str = "local") -> list[str]:
    """The command line of a Snakemake with the executor."""
    executor = ["--executor", "submitit", "--submitit-cluster", cluster, "--jobs", "4"]
    return [sys.executable, "-m", "snakemake", *words, *executor]


def snakemake(
    folder: Path, *words: str, cluster: str = "local", **environment: str
) -> tuple[int, str]:
    """Run Snakemake with the executor; return its exit status and all that it printed."""
    done = subprocess.run(
        command(*words, cluster=cluster),
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def files(folder: Path) -> dict[str, bytes]:
    """The contents of all files under a folder, without those of Snakemake itself."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".snakemake" not in path.relative_to(folder).parts
    }


def unsent(folder: Path) -> bool:
    """Whether no job was ever submitted from a folder."""
    return not [*folder.glob(".snakemake/submitit/*/*.pkl"), *folder.rglob("*_log.out")]


def programs(folder: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Put programs of these names in front of PATH; each notes its calls."""
    for name, script in scripts.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\necho {name} >> '{folder}/calls'\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def calls(folder: Path) -> list[str]:
    """Which of the programs were called, in order."""
    path = folder / "calls"
    return path.read_text().split() if path.exists() else []


def script(settings: ExecutorSettings, resources: dict[str, Any], wanted: Allocation) -> list[str]:
    """The lines of the script that submitit writes for our parameters, without a Slurm."""
    given = submitit_parameters(settings, resources, wanted, FOLDER.name, FOLDER)
    names = SlurmExecutor._equivalence_dict()
    own = {
        names.get(name, name).removeprefix("slurm_"): value  # type: ignore[call-overload]
        for name, value in given.items()
        if value is not None
    }
    return _make_sbatch_string("python job.py", FOLDER, **own).splitlines()
