"""Seconds and memory of each implementation, and images per second of each extractor.

    python -m benchmarks.implementations --threads 2 --n 2000 --n 20000

Digits with noise are compared with as many real ones, drawn again, both in files. Every row is a
process of its own; of its peak memory what the imports take is told beside it. `moments` asks for
the Frechet distance alone, `all` for every metric that the implementation has.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from benchmarks.frechet import GIB, peak
from sid.data.images import ImageSet
from sid.data.sets.digits import digits
from sid.data.sources import read_images
from sid.evaluate.extractors import load_extractor, train_extractor
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.implementations import IMPLEMENTATIONS

NAMES = ("ours", "torch-fidelity", "clean-fid", "nvidia")
CHUNK = 1000
SHAPES = {"digits-cnn": (1, 8, 8), "efficientnet-lite0": (3, 32, 32)}


def write_digits(path: Path, n: int, noise: float) -> None:
    """Digits drawn with replacement, with noise, as `.npy`."""
    images, _ = digits()
    rng = np.random.default_rng(n)
    out = np.lib.format.open_memmap(path, "w+", np.uint8, (n, *images.shape[1:]))
    for start in range(0, n, CHUNK):
        some = images[rng.integers(0, len(images), min(CHUNK, n - start))]
        moved = some + noise * rng.normal(size=some.shape)
        out[start : start + CHUNK] = moved.clip(0, 255)


def child(name: str, what: str, folder: Path, threads: int) -> None:
    """Evaluate once and print seconds, peak memory and what of it was there before."""
    torch.set_num_threads(threads)
    with threadpool_limits(threads):
        extractor = load_extractor(folder / "digits.safetensors")
        one = IMPLEMENTATIONS[name]()
        before, start = peak(), time.perf_counter()
        fake, real = (
            ImageFeatures(read_images(folder / f"{side}.npy"), extractor, folder / side)
            for side in ("fake", "real")
        )
        metrics = one.metrics if what == "all" else ["frechet_distance"]
        one.evaluate(fake, real, metrics, 0)
    print(time.perf_counter() - start, peak() * GIB / 1e6, before * GIB / 1e6)


def extractors(threads: int) -> None:
    """Print images per second of each extractor."""
    torch.set_num_threads(threads)
    images, labels = digits()
    trained = train_extractor(ImageSet("digits", images, labels, ""), 0)
    for extractor in (trained, load_extractor("efficientnet-lite0")):
        shape = SHAPES[extractor.name]
        batch = torch.randint(0, 256, (1000, *shape), dtype=torch.uint8)
        extractor.features_and_logits(batch)
        start = time.perf_counter()
        extractor.features_and_logits(batch)
        seconds = time.perf_counter() - start
        print(f"{extractor.name:20} {shape!s:12} {seconds:8.2f} s per 1,000 images")


def main(
    n: Annotated[list[int] | None, typer.Option(help="Images of either side.")] = None,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 2,
    run: Annotated[str, typer.Option(hidden=True)] = "",
    folder: Annotated[Path, typer.Option(hidden=True)] = Path(),
) -> None:
    """Print a table."""
    if run:
        name, what = run.split(",")
        child(name, what, folder, threads)
        return
    extractors(threads)
    images, labels = digits()
    trained = train_extractor(ImageSet("digits", images, labels, ""), 0)
    print(
        f"{'implementation':16} {'metrics':8} {'n':>7} {'seconds':>8} {'peak MB':>8} {'imports':>8}"
    )
    for count in n or [2000, 20000]:
        with tempfile.TemporaryDirectory() as made:
            place = Path(made)
            trained.save(place / "digits.safetensors")
            write_digits(place / "fake.npy", count, 20.0)
            write_digits(place / "real.npy", count, 0.0)
            for name in NAMES:
                for what in ("moments", "all"):
                    command = [sys.executable, "-m", "benchmarks.implementations"]
                    command += ["--run", f"{name},{what}", "--folder", made]
                    command += ["--threads", str(threads)]
                    output = subprocess.run(
                        command, check=True, stdout=subprocess.PIPE, text=True
                    ).stdout
                    seconds, peak, before = map(float, output.split())
                    row = f"{seconds:8.1f} {peak:8.0f} {before:8.0f}"
                    print(f"{name:16} {what:8} {count:7} {row}", flush=True)


if __name__ == "__main__":
    typer.run(main)
