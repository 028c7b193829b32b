"""The noise level as angles, whose sines and cosines the U-Nets are conditioned on."""

import math

import torch
from torch import Tensor, nn


class PositionalEmbedding(nn.Module):
    """Geometric frequencies (Vaswani et al. 2017), as in DDPM++ and ADM.

    Args:
        channels: width of the embedding, twice the number of frequencies.
        endpoint: whether the lowest frequency is 1e-4 (DDPM++) or one step above it (ADM).

    Raises:
        ValueError: the width is odd or too small.
    """

    def __init__(self, channels: int, *, endpoint: bool) -> None:
        super().__init__()
        check_width(channels, 4 if endpoint else 2)
        self.frequencies, self.endpoint = channels // 2, endpoint

    def forward(self, labels: Tensor) -> Tensor:
        """Noise labels [B] -> angles [B, channels / 2]."""
        steps = torch.arange(self.frequencies, dtype=torch.float32, device=labels.device)
        return labels[:, None] * 1e-4 ** (steps / (self.frequencies - self.endpoint))


class FourierEmbedding(nn.Module):
    """Random frequencies, N(0, 16^2), fixed for good (Tancik et al. 2020), as in NCSN++.

    Args:
        channels: width of the embedding, twice the number of frequencies.

    Raises:
        ValueError: the width is odd or too small.
    """

    freqs: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        check_width(channels, 2)
        self.register_buffer("freqs", nn.init.normal_(torch.empty(channels // 2), std=16.0))

    def forward(self, labels: Tensor) -> Tensor:
        """Noise labels [B] -> angles [B, channels / 2]."""
        return labels[:, None] * (2 * math.pi * self.freqs)


def check_width(channels: int, least: int) -> None:
    """Refuse widths without a sine for each cosine.

    Raises:
        ValueError: the width is odd or below `least`.
    """
    if channels < least or channels % 2:
        raise ValueError(
            f"a noise embedding of {channels} channels (model_channels times channel_mult_noise) "
            f"is impossible; it needs an even number, at least {least}"
        )
