"""An empty rule through the executor against plain `sbatch --wait`, paired, in one lab.

    python -m benchmarks.executor [PAIRS]

Starts a private Slurm (root) in a temporary folder, and stops it. Each pair runs both in turn;
the order changes from pair to pair.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "workflow" / "lab" / "slurm-lab.sh"
RULE = 'rule empty:\n    output: touch("{n}.done")\n    resources: mem_mb=100\n    shell: "true"\n'


def sbatch(folder: Path, n: int) -> None:
    """Submit an empty script and wait for its end."""
    words = ["sbatch", "--wait", "--mem=100", "--output=/dev/null", "--wrap", "true"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def executor(folder: Path, n: int) -> None:
    """The same through Snakemake and submitit."""
    words = [sys.executable, "-m", "snakemake", f"{n}.done", "--executor", "submitit"]
    subprocess.run([*words, "--jobs", "1"], cwd=folder, check=True, capture_output=True)


def snakemake(folder: Path, n: int) -> None:
    """What Snakemake takes for the same on this machine, without any executor plugin."""
    words = [sys.executable, "-m", "snakemake", f"{n}.here.done", "--cores", "1"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


def measure(folder: Path, pairs: int) -> dict[str, list[float]]:
    """Seconds of each way, by its name; the first pair only warms up."""
    (folder / "Snakefile").write_text(RULE)
    seconds: dict[str, list[float]] = {way.__name__: [] for way in (sbatch, executor, snakemake)}
    for n in range(pairs + 1):
        for way in (sbatch, executor, snakemake)[:: 1 if n % 2 else -1]:
            start = time.perf_counter()
            way(folder, n)
            if n:
                seconds[way.__name__].append(time.perf_counter() - start)
    return seconds


def main(pairs: int) -> None:
    """Print both and the difference."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lab = {**os.environ, "SLURMLAB": str(folder / "lab"), "OWNER": str(os.getpid())}
        subprocess.run([SCRIPT, "up"], env=lab, check=True, stdout=subprocess.DEVNULL)
        os.environ["SLURM_CONF"] = str(folder / "lab" / "etc" / "slurm.conf")
        try:
            seconds = measure(folder, pairs)
        finally:
            subprocess.run([SCRIPT, "down"], env=lab, check=True)
    more = [a - b for a, b in zip(seconds["executor"], seconds["sbatch"], strict=True)]
    print(f"{pairs} pairs, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}; median (range), s")
    rows = [("plain sbatch", seconds["sbatch"]), ("executor", seconds["executor"])]
    rows += [("difference", more), ("Snakemake alone, no Slurm", seconds["snakemake"])]
    for title, values in rows:
        low, high = min(values), max(values)
        print(f"{title:26} {statistics.median(values):6.2f}  ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
