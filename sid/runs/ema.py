"""The exponential moving average of the weights that snapshots hold."""

import torch
from torch import nn


def ema_decay(images: int, batch: int, half_life: float, rampup: float) -> float:
    """Decay of one update, 0.5 ** (batch / h) with h = min(half_life, rampup * images).

    Args:
        images: images seen before this update.
        batch: images of this update.
        half_life: in images.
        rampup: early on the half-life is this share of the images seen, so that the average
            forgets the start (Karras et al. 2022, appendix F.1: 0.05).
    """
    return float(0.5 ** (batch / max(min(half_life, rampup * images), 1e-8)))


@torch.no_grad()
def ema_update(average: nn.Module, network: nn.Module, decay: float) -> None:
    """Move each averaged parameter to decay * average + (1 - decay) * network."""
    torch._foreach_lerp_(list(average.parameters()), list(network.parameters()), 1 - decay)
