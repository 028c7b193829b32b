"""What the PNGs of a data set cost in a step of SiDA: images in memory, and decoded in the step.

    python -m benchmarks.decoding

The ratio of both sides is the most that a thread which decodes the next batch ahead could bring.
Images are noise, 64x64 RGB, in a zip of uncompressed PNGs, as EDM's tool writes them. Both sides
take turns; with one thread, seconds are those of the processor (`step_throughput.clock`).
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer

from benchmarks.step_throughput import clock, recipe, spread, throughput
from sid.data.images import Picture
from sid.data.zips import read_zip, write_images
from sid.distill.distillation import Distillation
from sid.networks import Architecture
from sid.options import Device, Threads, set_up_device
from sid.provenance import describe
from sid.runs.world import World

SIDE, CHANNELS, IMAGES = 64, 16, 1024  # Of the images; of the network, with one block a level.


def pictures() -> Iterator[Picture]:
    """Images of noise."""
    rng = np.random.default_rng(0)
    for i in range(IMAGES):
        yield Picture(i, rng.integers(0, 256, (3, SIDE, SIDE), dtype=np.uint8), None)


def main(
    batch: Annotated[int, typer.Option(help="Images per update.")] = 16,
    rounds: Annotated[int, typer.Option(help="Rounds of each side.")] = 10,
    device: Device = "auto",
    threads: Threads = 1,
) -> None:
    """Print milliseconds to decode an image, images per second of each side, and the ratio."""
    where = set_up_device(device, threads)
    about = describe(where)
    torch.manual_seed(0)
    size: dict[str, Any] = {"img_resolution": SIDE, "model_channels": CHANNELS, "num_blocks": 1}
    teacher = Architecture(img_channels=3, augment_dim=9, **size).build()
    made = recipe("sida", batch, batch, 0.0, "fp32")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "noise.zip"
        write_images(path, pictures())
        lazy = read_zip(path, eager_bytes=0)
        begin = clock()
        lazy.batch(np.arange(IMAGES))
        decoding = (clock() - begin) / IMAGES
        sides = {"in memory": read_zip(path), "in the step": lazy}
        steps = {
            name: Distillation(made, teacher, None, data, 0, where, World()).step
            for name, data in sides.items()
        }
        found = throughput(dict(steps), batch, rounds, 1)
    print(
        f"{about['device']}, {threads} thread(s), torch {about['torch']}, commit {about['git']}; "
        f"batch {batch}, {rounds} rounds, median (quartiles)\ndecoding: {decoding * 1e3:.3g} ms, "
        f"{decoding * np.median(found['in memory']):.2%} of a step"
    )
    for name, speeds in found.items():
        print(f"{name:11}  {spread(speeds)} images/s")
    print(f"in memory / in the step: {spread(found['in memory'] / found['in the step'])}")


if __name__ == "__main__":
    typer.run(main)
