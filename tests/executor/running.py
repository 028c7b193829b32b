"""A Snakemake in a folder, through the executor; nothing is imported into this process."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def snakemake(
    folder: Path, *words: str, cluster: str = "local", **environment: str
) -> tuple[int, str]:
    """The exit status of Snakemake, and all that it said."""
    executor = ["--executor", "submitit", "--submitit-cluster", cluster, "--jobs", "4"]
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", *words, *executor],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    return done.returncode, done.stdout


def files(folder: Path) -> dict[str, bytes]:
    """Every file under a folder and what it holds, without those of Snakemake itself."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".snakemake" not in path.relative_to(folder).parts
    }


def unsent(folder: Path) -> bool:
    """Whether no job was ever submitted from a folder."""
    return not [*folder.glob(".snakemake/submitit/*/*.pkl"), *folder.rglob("*_log.out")]
