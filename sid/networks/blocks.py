"""The residual block that DDPM++, NCSN++ and ADM share (Karras et al. 2022, appendix F.1)."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, silu

from sid.networks.layers import Conv2d, GroupNorm, Resample

Layer = TypeVar("Layer", bound=nn.Conv2d | nn.Linear)


@dataclass(frozen=True)
class Style:
    """What all blocks of one U-Net have in common.

    Attributes:
        embedding: width of the noise embedding.
        dropout: probability before the second convolution, in training mode.
        eps: of the norms.
        scales: whether the embedding scales and shifts, or shifts alone.
        residual_gain: factor of each sum of a branch and its shortcut.
        projects: whether a resampled shortcut has a convolution even at equal widths.
        head_width: channels of one attention head; None for one head of all channels.
        taps: of the resampling filter.
        start: initialises a layer.
        start_last: initialises the last layer of a branch.
        start_attention: initialises queries, keys and values.
    """

    embedding: int
    dropout: float
    eps: float
    scales: bool
    residual_gain: float
    projects: bool
    head_width: int | None
    taps: Sequence[float]
    start: Callable[[Layer], Layer]
    start_last: Callable[[Layer], Layer]
    start_attention: Callable[[Layer], Layer]

    def heads(self, channels: int) -> int:
        """Attention heads at a width; ADM has none below the width of one head.

        Raises:
            ValueError: the channels do not fall into equal heads.
        """
        heads = channels // self.head_width if self.head_width else 1
        if heads and channels % heads:
            raise ValueError(
                f"attention over {channels} channels cannot be split into {heads} equal heads; "
                "choose model_channels and channel_mult for multiples of 64"
            )
        return heads


class UNetBlock(nn.Module):
    """Residual block conditioned on the noise embedding, then self-attention where wanted."""

    def __init__(
        self, n_in: int, n_out: int, style: Style, *, direction: str = "", attention: bool = False
    ) -> None:
        super().__init__()
        self.n_in, self.style = n_in, style
        self.norm0 = GroupNorm(n_in, style.eps)
        self.conv0 = style.start(Conv2d(n_in, n_out, 3, direction, style.taps))
        self.affine = style.start(nn.Linear(style.embedding, n_out * (1 + style.scales)))
        self.norm1 = GroupNorm(n_out, style.eps)
        self.conv1 = style.start_last(Conv2d(n_out, n_out, 3))
        self.skip: nn.Module | None = None
        if n_in != n_out or (direction and style.projects):
            self.skip = style.start(Conv2d(n_in, n_out, 1, direction, style.taps))
        elif direction:
            self.skip = Resample(direction, style.taps)
        self.heads = style.heads(n_out) if attention else 0
        if self.heads:
            self.norm2 = GroupNorm(n_out, style.eps)
            self.qkv = style.start_attention(Conv2d(n_out, 3 * n_out, 1))
            self.proj = style.start_last(Conv2d(n_out, n_out, 1))

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """[B, n_in, H, W], [B, n_embedding] -> [B, n_out, H', W']."""
        condition = self.affine(embedding)[:, :, None, None].to(x.dtype)
        h = self.conv0(silu(self.norm0(x)))
        if self.style.scales:
            scale, shift = condition.chunk(2, dim=1)
            h = silu(torch.addcmul(shift, self.norm1(h), scale + 1))
        else:
            h = silu(self.norm1(h.add_(condition)))
        h = self.conv1(dropout(h, self.style.dropout, self.training))
        x = h.add_(x if self.skip is None else self.skip(x)) * self.style.residual_gain
        return (x + self._attend(x)) * self.style.residual_gain if self.heads else x

    def _attend(self, x: Tensor) -> Tensor:
        # The official layout interleaves q, k, v: channel c of a head is at 3c, 3c + 1, 3c + 2.
        width = x.shape[1] // self.heads
        parts = self.qkv(self.norm2(x)).reshape(len(x) * self.heads, width, 3, -1)
        q, k, v = parts.unbind(2)
        attended: Tensor = self.proj((v @ attention_weights(q, k).mT).view_as(x))
        return attended


def attention_weights(q: Tensor, k: Tensor) -> Tensor:
    """softmax(q^T k / sqrt(C)) for q, k of [N, C, P]: [N, P, P], float32 inside, cast back."""
    with torch.autocast(q.device.type, enabled=False):
        scores = q.float().mT @ k.float() / math.sqrt(q.shape[1])
        return torch.softmax(scores, dim=2).to(q.dtype)
