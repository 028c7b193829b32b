"""Seconds of a whole evaluation, and memory of each implementation as the images grow in number.

    python -m benchmarks.evaluate --threads 2

The images are digits drawn again with replacement, noise added, in an `.npy`; the extractor is the
digits classifier. Each figure is of a process of its own; memory is what it held at most.
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

from benchmarks.frechet import peak
from sid.data.sets.digits import digits
from sid.data.sources import read_images
from sid.data.zips import read_zip, write_zip
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.extractors import load_extractor, train_extractor
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.implementations import IMPLEMENTATIONS
from sid.evaluate.metrics import METRICS
from sid.evaluate.workspace import Workspace
from sid.progress import Progress

SIZES = (20_000, 200_000)
NAMES = ("ours", "torch-fidelity", "clean-fid", "nvidia")


def prepare(folder: Path) -> None:
    """Write digits, extractor and images of every size that is measured."""
    images, labels = digits()
    write_zip(folder / "digits.zip", images, labels)
    train_extractor(read_zip(folder / "digits.zip"), 0).save(folder / "e.safetensors")
    rng = np.random.default_rng(0)
    for n in (10_000, *SIZES):
        noisy = images[rng.integers(0, len(images), n)] + rng.normal(0, 20, (n, 1, 8, 8))
        np.save(folder / f"{n}.npy", np.clip(noisy, 0, 255).astype(np.uint8))


def one(folder: Path, name: str, n: int) -> None:
    """In a process of its own: one implementation's Frechet distance, or the moments alone."""
    torch.set_num_threads(1)
    extractor = load_extractor(folder / "e.safetensors")
    images, device = read_images(folder / f"{n}.npy"), torch.device("cpu")
    begin = time.perf_counter()
    if name == "moments":
        _ = ImageFeatures(images, extractor, folder / "seen").gaussian
    else:
        with Workspace(None) as workspace, Progress("", 1, quiet=True) as progress:
            asked, reference = [IMPLEMENTATIONS[name]()], read_zip(folder / "digits.zip")
            options = {"workspace": workspace, "device": device, "progress": progress}
            evaluator = Evaluator(reference, extractor, asked, ["frechet_distance"], **options)  # type: ignore[arg-type]
            evaluator.given(images, {"role": "sample", "generated": str(n)}, draw=0, seed=0)
    print(f"{peak()} {time.perf_counter() - begin}")


def whole(folder: Path, threads: int) -> float:
    """Seconds of `sid evaluate` of 10,000 digits, every metric, three implementations."""
    command = [sys.executable, "-m", "sid", "evaluate", str(folder / "10000.npy")]
    command += [str(folder / "digits.zip"), "--extractor", str(folder / "e.safetensors")]
    command += ["--metrics", ",".join(METRICS), "--implementations", ",".join(NAMES[:3])]
    command += ["--allow-unequal-n", "--threads", str(threads), "--quiet"]
    begin = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begin


def main(threads: Annotated[int, typer.Option(min=1)] = 2) -> None:
    """Measure, and print Markdown."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        prepare(folder)
        print(f"10,000 digits, all metrics, three implementations, {threads} threads: ", end="")
        print(f"{whole(folder, threads):.1f} s\n")
        print("| Frechet distance | " + " | ".join(f"{n:,} images" for n in SIZES) + " | ratio |")
        print("|---|---:|---:|---:|")
        for name in ("moments", *NAMES):
            code = f"from benchmarks.evaluate import *; one(Path({place!r}), {name!r}, %d)"
            found = []
            for n in SIZES:
                command = [sys.executable, "-c", code % n]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                found.append([float(word) for word in done.stdout.split()])
            cells = [f"{held:.3f} GiB, {seconds:.1f} s" for held, seconds in found]
            print(f"| {name} | {' | '.join(cells)} | {found[1][0] / found[0][0]:.3f} |")


if __name__ == "__main__":
    typer.run(main)
