"""Bytes on disk, from the shapes of networks and the times of snapshots."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import torch

from sid.evaluate.features.image_features import CAP
from sid.networks import Architecture
from sid.runs.loop import LOG_EVERY_STEPS
from sid.runs.state import KEEP

FLOAT = 4  # Bytes of a number of weights, moments and features.
GB = 10**9
LINE = 330  # Bytes of a line of the log.
# Images of the published data sets: a prepared one takes at most its raw bytes.
IMAGES = {
    "cifar10-32x32": 50_000,
    "ffhq-64x64": 70_000,
    "afhqv2-64x64": 15_803,
    "imagenet-64x64": 1_281_167,
}
Shapes = Mapping[str, Sequence[int]]


@dataclass(frozen=True)
class Disk:
    """Bytes: at most while it runs, and when all is done."""

    peak: int
    end: int

    def __add__(self, other: "Disk") -> "Disk":
        return Disk(self.peak + other.peak, self.end + other.end)

    def times(self, runs: int) -> "Disk":
        """That of several alike, all at once."""
        return Disk(runs * self.peak, runs * self.end)


@dataclass(frozen=True)
class Files:
    """Bytes of a snapshot and of a checkpoint."""

    snapshot: int
    checkpoint: int


@cache
def files(architecture: Architecture) -> Files:
    """The files of a distillation with this network; float32 whatever the precision."""
    with torch.device("meta"):
        network = architecture.build()
    weights = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    about = architecture.model_dump_json()
    # As `Distillation.pack` has it: three networks, and of two of them what Adam keeps.
    state: dict[str, Sequence[int]] = {}
    for role in ("fake", "generator", "average"):
        state |= {f"{role}.{name}": shape for name, shape in weights.items()}
    for role in ("fake_adam", "generator_adam"):
        for number, parameter in enumerate(network.parameters()):
            kept = {"step": (), "exp_avg": parameter.shape, "exp_avg_sq": parameter.shape}
            state |= {f"{role}.{number}.{key}": tuple(shape) for key, shape in kept.items()}
    return Files(file_bytes(weights, about), file_bytes(state))


def file_bytes(shapes: Shapes, about: str = "") -> int:
    """Bytes of a file of float32 tensors: the format's head, with the metadata, and the numbers."""
    head, place = {"__metadata__": {"about": about}}, 0
    for name, shape in shapes.items():
        size = FLOAT * torch.Size(shape).numel()
        offsets = [place, place + size]
        head[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": offsets}  # type: ignore[dict-item]
        place += size
    return 8 + len(json.dumps(head, separators=(",", ":"))) + place


def snapshots(times: Sequence[int], ends: Sequence[int], kept: Collection[int]) -> tuple[int, int]:
    """Snapshots on disk at most, and at the end.

    At most: those kept of what is measured, the best and the last of it, and all of two legs, of
    which one is measured while the next one trains.

    Args:
        times: images at which they are taken.
        ends: images at which legs end; the last is that of the run.
        kept: the times whose snapshots stay after they were measured, beside best and last.
    """
    found = []
    for place, end in enumerate(ends):
        measured = ends[place - 2] if place > 1 else -1
        new = sum(measured < time <= end for time in times)
        found.append(new + staying([time for time in times if time <= measured], kept))
    return max(found), staying(times, kept)


def staying(times: Sequence[int], kept: Collection[int]) -> int:
    """How many of these snapshots stay when all are measured: those kept, the best, the last."""
    stay = {*times[-1:], *set(kept).intersection(times)}
    return min(len(stay) + 1, len(times))


def run_disk(
    architecture: Architecture,
    times: Sequence[int],
    ends: Sequence[int],
    kept: Collection[int],
    batch: int,
    workspace: int = 0,
) -> Disk:
    """Bytes of a run.

    Args:
        architecture: of the generator.
        times: as of `snapshots`.
        ends: as of `snapshots`.
        kept: as of `snapshots`.
        batch: images of an update.
        workspace: bytes of its evaluation while it measures.
    """
    size = files(architecture)
    most, last = snapshots(times, ends, kept)
    log = times[-1] // batch // LOG_EVERY_STEPS * LINE
    # One checkpoint more while it is written.
    peak = (KEEP + 1) * size.checkpoint + most * size.snapshot + log + workspace
    return Disk(peak, KEEP * size.checkpoint + last * size.snapshot + log)


def workspace(shape: Sequence[int], n: int, width: int, processes: int = 1) -> int:
    """Bytes that an evaluation needs: images, their features and logits, and the real images'.

    Args:
        shape: (C, H, W).
        n: images of a set.
        width: features and logits of an image.
        processes: that measure sets of their own.
    """
    features = min(n, CAP) * width * FLOAT
    return processes * (n * torch.Size(shape).numel() + 2 * features)


def data(name: str, shape: Sequence[int]) -> Disk:
    """Bytes of a prepared data set at most, 0 where its number of images is not known."""
    size = IMAGES.get(name, 0) * torch.Size(shape).numel()
    return Disk(size, size)
