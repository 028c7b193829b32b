"""What it brings that a thread reads the next images while this step trains: images per second.

    python -m benchmarks.read_ahead --threads 1
    python -m benchmarks.read_ahead --device cuda --batch 256

SiDA on a zip of PNGs, 64x64 RGB and uncompressed as EDM's tool writes them, that is made for it.
Three sides take turns, because other work on the machine changes its speed: `in memory` decodes
nothing, `in the step` decodes where the images are asked for, `ahead` is `sid.data.loader.Loader`.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

from benchmarks.step_throughput import recipe, spread
from sid.data.images import ImageSet, Picture
from sid.data.loader import Loader, to_unit
from sid.data.zips import read_zip, write_images
from sid.distill.distillation import Distillation
from sid.errors import UserError
from sid.networks import Architecture
from sid.options import Device, Threads, set_up_device
from sid.provenance import describe
from sid.runs.world import World

SIDE, CHANNELS = 64, 16  # Of the images, and of the network: one block a level.


class InTheStep(Loader):
    """A loader that decodes its images where they are asked for."""

    def images(self, start: int, stop: int) -> Tensor:
        """The same images as `Loader` gives."""
        found = self._data.batch(self.index(start, stop))
        return to_unit(torch.from_numpy(found).to(self._device))


def pictures(count: int) -> Iterator[Picture]:
    """Images of noise."""
    rng = np.random.default_rng(0)
    for i in range(count):
        yield Picture(i, rng.integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8), None)


def distillations(path: Path, batch: int, where: torch.device) -> dict[str, Distillation]:
    """One training for each side, of the same network on the same images."""
    torch.manual_seed(0)
    size: dict[str, Any] = {"img_resolution": SIDE, "model_channels": CHANNELS, "num_blocks": 1}
    teacher = Architecture(img_channels=3, augment_dim=9, **size).build()
    made = recipe("sida", batch, batch, 0.0, "fp32")

    def training(images: ImageSet) -> Distillation:
        return Distillation(made, teacher, None, images, 0, where, World())

    lazy = read_zip(path, eager_bytes=0)
    sides = {"in memory": training(read_zip(path)), "in the step": training(lazy)}
    sides["in the step"].loader = InTheStep(lazy, 0, where, World(), batch, batch)
    return {**sides, "ahead": training(lazy)}


def clock() -> float:
    """Seconds on the wall, when the device is done with what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def main(
    images: Annotated[int, typer.Option(help="Images in the zip.")] = 2048,
    batch: Annotated[int, typer.Option(help="Images per update.")] = 64,
    rounds: Annotated[int, typer.Option(help="Rounds of each side.")] = 10,
    steps: Annotated[int, typer.Option(help="Steps per round.")] = 4,
    device: Device = "auto",
    threads: Threads = 1,
) -> None:
    """Print images per second of each side and the ratios, medians and quartiles over rounds."""
    where = set_up_device(device, threads)
    about = describe(where)
    print(
        f"{about['device']}, {threads} thread(s), torch {about['torch']}, commit {about['git']}\n"
        f"SiDA, batch {batch}, {rounds} rounds of {steps} steps; median (quartiles)"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.zip"
        write_images(path, pictures(images))
        sides, speeds = distillations(path, batch, where), dict[str, list[float]]()
        for turn in range(-1, rounds):  # The first round does not count.
            for name in list(sides) if turn % 2 else list(sides)[::-1]:
                begin = clock()
                for k in range(steps):
                    sides[name].step(((turn + 1) * steps + k) * batch)
                if turn >= 0:
                    speeds.setdefault(name, []).append(steps * batch / (clock() - begin))
    found = {name: np.array(values) for name, values in speeds.items()}
    for name, values in found.items():
        print(f"{name:11}  {spread(values)} images/s")
    for name in ("in the step", "in memory"):
        print(f"ahead / {name}: {spread(found['ahead'] / found[name])}")


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        sys.exit(f"error: {error}")
