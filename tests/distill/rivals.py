"""Losses of the rivals on small networks, whose weights and draws follow from names.

They are computed in float64: FGM's is a difference of two errors that are nearly the same.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor, nn

from sid.data.images import ImageSet
from sid.distill.method import build_method
from sid.distill.player import Batch, Player
from sid.streams import Stream
from tests.conftest import CPU, tiny_recipe
from tests.distill.cases import CASES, gradients, players
from tests.networks.cases import values

BATCH, SEED = 4, 5
# The player whose loss it is, the method's section, and images seen.
LOSSES: dict[str, tuple[str, dict[str, Any], int]] = {
    "diff-instruct generator": ("generator", {"name": "diff-instruct"}, 0),
    "diff-instruct fake": ("fake", {"name": "diff-instruct"}, 0),
    "dmd2 generator": ("generator", {"name": "dmd2"}, 0),
    "dmd2 fake": ("fake", {"name": "dmd2"}, 0),
    "dmd2-no-gan generator": ("generator", {"name": "dmd2", "adversarial": False}, 0),
    "f-distill kl": ("generator", {"name": "f-distill"}, 0),
    "f-distill js": ("generator", {"name": "f-distill", "divergence": "js"}, 0),
    "real-uid generator": ("generator", {"name": "real-uid"}, 0),
    "real-uid fake": ("fake", {"name": "real-uid"}, 0),
    "fgm generator": ("generator", {"name": "fgm"}, 0),
    "fgm fake": ("fake", {"name": "fgm"}, 0),
    "ect first stage": ("generator", {"name": "ect", "double_kimg": 3200}, 0),
    "ect fourth stage": ("generator", {"name": "ect", "double_kimg": 3200}, 10_000_000),
}
NAMES = ("ddpmpp-classes", "adm")  # Of the cases.


# Of methods whose loss has the gradient of the authors' and another value.
DIRECTIONS = {loss for loss in LOSSES if loss.startswith(("dmd2", "f-distill"))} - {"dmd2 fake"}


@contextmanager
def float64() -> Iterator[None]:
    """What asks for float32 gets float64."""
    torch.set_default_dtype(torch.float64)
    try:
        with mock.patch.object(Tensor, "float", Tensor.double):
            yield
    finally:
        torch.set_default_dtype(torch.float32)


def batch_of(name: str, loss: str) -> Batch:
    """The micro-batch of a case that a loss is handed."""
    player, section, images = LOSSES[loss]
    case = CASES[name]
    recipe = tiny_recipe(kimg=1e6, method=section)
    networks: dict[str, nn.Module] = dict(players(case))
    teacher = networks.pop("teacher")
    method = build_method(section, paper=False)
    for key, network in method.networks(lambda: networks["fake"]).items():  # type: ignore[arg-type, return-value]
        networks[key] = network
    with torch.no_grad():
        for key, weights in networks.get("head", nn.Module()).named_parameters():
            weights.copy_(0.3 * values(f"head {key}", weights.shape))
    for network in (teacher, *networks.values()):
        network.double().requires_grad_(False)
    side, classes = case.architecture["img_resolution"], case.architecture.get("label_dim", 0)
    pixels = Stream(SEED, "pixels").normal(0, 8, (3, side, side)).mul(64).add(128).clamp(0, 255)
    labels = np.arange(8) % max(classes, 1)
    data = ImageSet("small", pixels.numpy().astype(np.uint8), labels, "")
    return Batch(recipe, teacher, networks, data, player, SEED, 0, BATCH, images, CPU)  # type: ignore[arg-type]


def trained(batch: Batch, loss: str) -> nn.ModuleDict:
    """The networks that the loss's player moves."""
    return nn.ModuleDict({name: batch.networks[name] for name in mine(batch, loss).trains})


def mine(batch: Batch, loss: str) -> Player:
    """The player whose loss it is."""
    player, section, _ = LOSSES[loss]
    method = build_method(section, paper=False)
    (found,) = (each for each in method.players(batch.recipe) if each.name == player)
    return found


def ours(name: str, loss: str) -> tuple[Tensor, dict[str, Tensor]]:
    """The mean loss, [1], and its gradient for what it trains, by name."""
    batch = batch_of(name, loss)
    moved = trained(batch, loss).requires_grad_(True)
    with float64():
        found = mine(batch, loss).loss(batch).per_image.mean()
    return found.detach()[None], gradients(moved, found)
