"""Seconds of a `snakemake` that finds nothing to do, over every published recipe with three seeds.

    python -m benchmarks.dag

The graph is that of `workflow/published.smk`. Its outputs are empty files here, touched so that
Snakemake takes them for finished; rounds are of the whole command, its start included.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).resolve().parent.parent


def snakemake(folder: Path, *words: str) -> str:
    """What one call prints, both streams."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/published.smk"]
    command += ["--config", "seeds=[0,1,2]", "--cores", "2", "--nolock", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout + done.stderr


def prepare(folder: Path) -> int:
    """A folder in which everything is made; returns the number of jobs that there were."""
    for name in ("config", "workflow", "baselines"):
        (folder / name).symlink_to(ROOT / name)
    plan = snakemake(folder, "--dry-run", "--quiet", "host", "reason")
    jobs = next(line.split()[1] for line in plan.splitlines() if line.startswith("total"))
    for line in snakemake(folder, "--summary").splitlines()[1:]:
        name = line.split("\t")[0]
        if name.startswith(("results/", "reports/")):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    snakemake(folder, "--touch", "--forceall")
    return int(jobs)


def main(rounds: Annotated[int, typer.Option(min=1)] = 3) -> None:
    """Measure, and print a line."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        jobs, seconds = prepare(folder), []
        for _ in range(rounds):
            begin = time.perf_counter()
            printed = snakemake(folder)
            seconds.append(time.perf_counter() - begin)
            if "Nothing to be done" not in printed:
                sys.exit(printed)
    shown = ", ".join(f"{value:.1f}" for value in sorted(seconds))
    print(f"{jobs} jobs, nothing to be done: {shown} s")


if __name__ == "__main__":
    typer.run(main)
