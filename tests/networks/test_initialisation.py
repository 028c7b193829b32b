"""Fresh weights have the official distributions: which kind, and how wide, for every tensor."""

import math

import pytest
import torch
from torch import Tensor

from sid.networks import Architecture
from tests.networks.cases import NCSNPP

SHAPE = {"img_resolution": 16, "img_channels": 3, "label_dim": 40, "augment_dim": 30}
SHAPE |= {"model_channels": 64, "num_blocks": 1}


def is_uniform(tensor: Tensor, bound: float) -> None:
    """U(-bound, bound): no entry beyond, the variance bound^2 / 3, the mean 0."""
    n = tensor.numel()
    assert tensor.abs().max() <= bound * (1 + 1e-6)
    # The variance of the variance is 4/45 bound^4 / n, that of the mean bound^2 / (3 n).
    assert abs(tensor.var().item() / bound**2 - 1 / 3) < 5 * math.sqrt(4 / 45 / n)
    assert abs(tensor.mean().item()) < 5 * bound / math.sqrt(3 * n)


def is_normal(tensor: Tensor, std: float) -> None:
    """N(0, std^2), by its second and fourth moment."""
    z = tensor / std
    assert abs(z.square().mean().item() - 1) < 5 * math.sqrt(2 / z.numel())
    assert abs(z.pow(4).mean().item() - 3) < 5 * math.sqrt(96 / z.numel())


def fans(tensor: Tensor) -> tuple[int, int]:
    """Inputs and outputs that one output and one input meet."""
    area = math.prod(tensor.shape[2:])
    return tensor.shape[1] * area, tensor.shape[0] * area


def is_norm(name: str) -> bool:
    return "norm" in name.split(".")[-2]


@pytest.mark.parametrize("kind", [{}, {**NCSNPP}, {"encoder_type": "skip", "decoder_type": "skip"}])
def test_song_unet_is_glorot_uniform(kind: dict[str, object]) -> None:
    torch.manual_seed(0)
    made = Architecture.model_validate({**SHAPE, "channel_mult": [1, 2], **kind}).build()
    for name, tensor in made.named_parameters():
        if is_norm(name):
            assert (tensor == float(name.endswith("weight"))).all()
        elif name.endswith("bias"):
            assert not tensor.any()
        else:
            gain = math.sqrt(0.2) if "qkv" in name else 1.0
            if any(last in name for last in ("conv1", "proj", "aux_conv")):
                gain = 1e-5
            is_uniform(tensor, gain * math.sqrt(6 / sum(fans(tensor))))
    if kind.get("embedding_type") == "fourier":
        is_normal(made.get_buffer("model.map_noise.freqs"), 16)


def test_dhariwal_unet_is_uniform_by_fan_in_with_zero_ends() -> None:
    torch.manual_seed(0)
    values = {**SHAPE, "model_type": "DhariwalUNet", "channel_mult": [1, 2]}
    made = Architecture.model_validate(values).build()
    parameters = dict(made.named_parameters())
    for name, tensor in parameters.items():
        if is_norm(name):
            assert (tensor == float(name.endswith("weight"))).all()
        elif any(last in name for last in ("conv1", "proj", "out_conv", "map_augment")):
            assert not tensor.any()
        elif "map_label" in name:
            is_normal(tensor, 1)
        else:
            weight = parameters[name.removesuffix("bias").removesuffix("weight") + "weight"]
            is_uniform(tensor, 1 / math.sqrt(fans(weight)[0]))
