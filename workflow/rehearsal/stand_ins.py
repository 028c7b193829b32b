"""Stand-ins for what the web has: networks, the Inception, moments, a data set."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sid.evaluate.extractors.inception import load_inception
from sid.files import write_atomic
from sid.networks import Architecture, EDMPrecond
from workflow.rehearsal.inception import save_program, small_layers
from workflow.rehearsal.official_pickle import dumps, edm_extras, snapshot

# As the official pickles have it, but for the widths: 32x32 in colour, attention at 16x16.
ARGUMENTS: Mapping[str, Any] = {
    "img_resolution": 32,
    "img_channels": 3,
    "label_dim": 0,
    "augment_dim": 9,
    "model_channels": 8,
    "channel_mult": [1, 1],
    "num_blocks": 1,
    "attn_resolutions": [16],
    "dropout": 0.13,
}
VARYING = 32  # Of the 2048 features; the others are zero, which makes square roots quick.
SCALE = 10.0  # Of the features: distances as one is used to.


def network(seed: int) -> EDMPrecond:
    """A network of random weights, which makes images of its own kind."""
    torch.manual_seed(seed)
    built = Architecture(**ARGUMENTS).build().eval().requires_grad_(False)
    for tensor in built.parameters():  # Those that begin as zero would make all networks alike.
        tensor.add_(0.1 * torch.randn(tensor.shape))
    return built


def write_network(path: Path, seed: int, *, teacher: bool) -> None:
    """A pickle as EDM's training loop writes a teacher, or SiD's a generator."""
    given = {**ARGUMENTS, "model_type": "SongUNet", "use_fp16": False}
    extras = edm_extras() if teacher else {}
    path.write_bytes(dumps(snapshot(network(seed), given, **extras)))


def write_inception(path: Path) -> None:
    """A TorchScript program with the interface of the 2015 Inception and few varying features."""
    torch.manual_seed(0)
    layers, output = small_layers(), nn.Linear(2048, 1008)
    with torch.no_grad():
        last = layers[2]
        assert isinstance(last, nn.Conv2d)
        assert last.bias is not None
        last.weight *= SCALE
        last.bias *= SCALE
        last.weight[VARYING:], last.bias[VARYING:] = 0, 0
    save_program(path, layers, output)


def write_moments(path: Path, inception: Path, images: NDArray[np.uint8]) -> None:
    """Moments of the images' features as EDM published them: `mu` and `sigma`, nothing else."""
    extractor = load_inception(inception)
    features, _ = extractor.features_and_logits(torch.from_numpy(images))
    found = np.asarray(features, np.float64)
    sigma = np.cov(found, rowvar=False)
    write_atomic(path, functools.partial(_savez, mu=found.mean(axis=0), sigma=sigma))


def _savez(path: Path, **arrays: NDArray[np.float64]) -> None:
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
