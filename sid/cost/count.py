"""What a network computes and keeps for one image, counted on tensors without numbers."""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from sid.networks import Architecture, EDMPrecond
from sid.networks.unet import UNet


@dataclass(frozen=True)
class Counted:
    """One network.

    Attributes:
        weights: how many numbers.
        forward: floating-point operations of a pass forward, of one image; a multiplication with
            its addition are two.
        encoder: those of the encoder alone.
        saved: bytes that a pass forward keeps for the way back, for each image.
        casts: bytes that it keeps whatever the batch: half-precision copies of the weights.
    """

    weights: int
    forward: int
    encoder: int
    saved: int
    casts: int


@cache
def shapes_alone() -> FakeTensorMode:
    """Within it, tensors have shapes and no numbers."""
    return FakeTensorMode()


@cache
def built(architecture: Architecture) -> EDMPrecond:
    """A denoiser without numbers, which takes a second to make: one for all who count."""
    with shapes_alone():
        return architecture.build()


@cache
def count(architecture: Architecture) -> Counted:
    """Count a network; takes a second and hardly any memory.

    Args:
        architecture: with the dropout and the precision of the training.
    """
    network = built(architecture).model
    with shapes_alone():
        (forward, encoder, one), (_, _, two) = (_pass(architecture, network, n) for n in (1, 2))
    weights = sum(parameter.numel() for parameter in network.parameters())
    return Counted(weights, forward, encoder, two - one, max(2 * one - two, 0))


def _pass(architecture: Architecture, network: UNet, images: int) -> tuple[int, int, int]:
    """Operations of all and of the encoder, and bytes kept for the way back."""
    x = torch.empty(images, *architecture.image_shape)
    classes, augment = architecture.label_dim, architecture.augment_dim
    # On a GPU the trunk's type is that of the images, here too.
    x = x.half() if architecture.use_fp16 else x
    labels = torch.empty(images, classes) if classes else None
    shown = torch.empty(images, augment) if augment else None
    own = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    kept: dict[int, Tensor] = {}

    def keep(tensor: Tensor) -> Tensor:
        memory = tensor.untyped_storage()._cdata
        if memory not in own:
            kept[memory] = tensor
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with FlopCounterMode(display=False) as counter, hooks:
        embedding = network.embed(torch.empty(images), labels, shown)
        outputs = network.encode(x, embedding)
        encoder = counter.get_total_flops()
        network.decode(outputs, embedding)
    saved = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    return counter.get_total_flops(), encoder, saved
