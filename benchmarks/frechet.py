"""Seconds and memory of a Frechet distance: ours, and the usual `scipy.linalg.sqrtm` beside it.

    python -m benchmarks.frechet --threads 2

Features are Gaussian, their covariance has eigenvalues that fall as a power, in a random basis. The
reference is of 50,000 images; the other side once of as many, once of fewer images than features.
Ours has the reference factored beforehand, as the evaluation of one snapshot after another has.
Rounds of both sides take turns. Memory is that of a process of its own for each side.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import scipy.linalg
import typer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sid.evaluate.features.moments import CHUNK, Gaussian, Moments
from sid.evaluate.metrics.frechet import FrechetReference

SIDES = ("ours", "sqrtm")
GIB = 2**30


def draw(n: int, d: int, power: float, seed: int) -> Gaussian:
    """Moments of n vectors; the bases and means of two seeds differ by a little."""
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(np.eye(d) + 0.1 / np.sqrt(d) * rng.normal(size=(d, d)))
    shape = np.arange(1.0, d + 1)[:, None] ** (-power / 2) * basis
    mean, moments = 0.01 * rng.normal(size=d), Moments(d)
    for start in range(0, n, CHUNK):
        moments.add(mean + rng.normal(size=(min(CHUNK, n - start), d)) @ shape)
    return moments.gaussian()


def usual(one: Gaussian, other: Gaussian) -> float:
    """Heusel et al. 2017, eq. 6, as most scripts compute it."""
    shift = one.mean - other.mean
    root = scipy.linalg.sqrtm(one.covariance @ other.covariance)
    traces = np.trace(one.covariance) + np.trace(other.covariance)
    return float(shift @ shift + traces - 2 * np.trace(root).real)


def times(
    one: Gaussian, other: Gaussian, rounds: int, threads: int
) -> tuple[dict[str, float], np.ndarray]:
    """The distance by each side, and their seconds [rounds, 2].

    Of one thread, those that it computed: other work on the machine does not count.
    """
    clock = time.process_time if threads == 1 else time.perf_counter
    reference = FrechetReference(one)
    sides = {"ours": lambda: reference.distance(other), "sqrtm": lambda: usual(one, other)}
    values, seconds = {}, np.zeros((rounds, len(SIDES)))
    for turn in range(rounds):
        for k, name in list(enumerate(SIDES))[:: 1 if turn % 2 else -1]:
            begin = clock()
            values[name] = sides[name]()
            seconds[turn, k] = clock() - begin
    return values, seconds


def peak() -> float:
    """The most memory that this process ever held, in GiB.

    Not `ru_maxrss`: it begins with what the parent held when it started this process.
    """
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return int(status["VmHWM"].split()[0]) * 1024 / GIB


def memory(side: str, path: Path) -> tuple[float, float]:
    """Peak of a process with imports and inputs alone, and after the distance, in GiB.

    Of ours, factoring the reference is among what counts.
    """
    arrays = np.load(path)
    one, other = (Gaussian(arrays[f"mean{k}"], arrays[f"covariance{k}"]) for k in range(2))
    before = peak()
    if side == "ours":
        FrechetReference(one).distance(other)
    else:
        usual(one, other)
    return before, peak()


def measure_memory(one: Gaussian, other: Gaussian, threads: int) -> dict[str, tuple[float, ...]]:
    """`memory` of each side, in a process of its own."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "moments.npz"
        np.savez(
            path,
            mean0=one.mean,
            covariance0=one.covariance,
            mean1=other.mean,
            covariance1=other.covariance,
        )
        for side in SIDES:
            command = [sys.executable, "-m", "benchmarks.frechet", "--threads", str(threads)]
            command += ["--memory-of", side, "--moments", str(path)]
            printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            found[side] = tuple(map(float, printed.split()))
    return found


def main(
    features: Annotated[int, typer.Option(help="d.")] = 2048,
    images: Annotated[int, typer.Option(help="Of the reference and of the first case.")] = 50_000,
    few: Annotated[int, typer.Option(help="Images of the second case.")] = 1000,
    power: Annotated[float, typer.Option(help="Eigenvalue i is i to the minus this.")] = 1.5,
    rounds: Annotated[int, typer.Option(help="Of each side.")] = 3,
    threads: Annotated[int, typer.Option(help="Of the linear algebra.")] = 2,
    memory_of: Annotated[str, typer.Option(hidden=True)] = "",
    moments: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Print seconds of both sides, their ratio and their memory."""
    with threadpool_limits(threads):
        if memory_of:
            print(*memory(memory_of, moments))
            return
        load = Path("/proc/loadavg")
        busy = f", load {load.read_text().split()[0]}" if load.exists() else ""
        print(f"d = {features}, {threads} thread(s), scipy {scipy.__version__}{busy}")
        one = draw(images, features, power, 0)
        begin = time.perf_counter()
        rank = FrechetReference(one).rank
        print(f"reference of {images} images, rank {rank}: factored in", end=" ")
        print(f"{time.perf_counter() - begin:.2f} s, once")
        for n in (images, few):
            other = draw(n, features, power, 1)
            values, seconds = times(one, other, rounds, threads)
            print(f"{n} images, rank {FrechetReference(other).rank}")
            for k, side in enumerate(SIDES):
                shown = " ".join(f"{second:.2f}" for second in seconds[:, k])
                print(f"  {side:6} {shown} s, distance {values[side]:.12g}")
            ratios = seconds[:, 1] / seconds[:, 0]
            print(f"  ratio  {' '.join(f'{ratio:.1f}' for ratio in ratios)}", flush=True)
            for side, (before, after) in measure_memory(one, other, threads).items():
                print(f"  {side:6} peak {after:.2f} GiB, of it {after - before:.2f} GiB its own")


if __name__ == "__main__":
    typer.run(main)
