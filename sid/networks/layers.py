"""Convolutions that resample and norms, in the precision of what they are given.

Parameters stay float32 and are cast to the input's type, so that one network serves both the
published float32 and the published fp16 (Karras et al. 2022, appendix F.5).
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, group_norm, interpolate


class GroupNorm(nn.GroupNorm):
    """Group normalisation with groups of at least 4 channels and at most 32 groups.

    Raises:
        ValueError: the channels do not fall into equal groups.
    """

    def __init__(self, channels: int, eps: float) -> None:
        groups = min(32, channels // 4)
        if not groups or channels % groups:
            raise ValueError(
                f"a layer of {channels} channels cannot be normalised in equal groups; choose "
                "model_channels and channel_mult for multiples of 4, above 128 of 32"
            )
        super().__init__(groups, channels, eps)

    def forward(self, x: Tensor) -> Tensor:
        """[B, channels, ...] -> the same."""
        weight, bias = self.weight.to(x.dtype), self.bias.to(x.dtype)
        return group_norm(x, self.num_groups, weight, bias, self.eps)


class Resampling(nn.Module):
    """Halving or doubling of height and width with a separable filter.

    Its taps are part of the official state dicts as `resample_filter`.
    """

    resample_filter: Tensor

    def set_filter(self, direction: str, taps: Sequence[float]) -> None:
        """Choose "up", "down" or "" (none), and the taps of the filter along one side.

        Raises:
            ValueError: the taps do not keep even sizes or do not sum to anything.
        """
        self.direction, self.box = direction, len(taps) == 2 and taps[0] == taps[1]
        if not direction:
            return
        if len(taps) % 2 or not sum(taps):
            raise ValueError(
                f"resample_filter {list(taps)} needs an even number of taps and a sum other than 0"
            )
        row = np.asarray(taps, np.float32)  # Not torch: its arithmetic without data loads slowly.
        kernel = np.outer(row, row) / row.sum() ** 2
        self.register_buffer("resample_filter", torch.tensor([[kernel.tolist()]]))

    def resample(self, x: Tensor, padding: int | None = None) -> Tensor:
        """[B, C, H, W] -> [B, C, H', W'], H' = H / 2, 2 H or H (for the default padding)."""
        if not self.direction:
            return x
        if self.box:
            return avg_pool2d(x, 2) if self.direction == "down" else interpolate(x, scale_factor=2)
        if padding is None:
            padding = self.resample_filter.shape[-1] // 2 - 1
        kernel, channels = self.resample_filter.to(x.dtype), x.shape[1]
        kernel = kernel.expand(channels, -1, -1, -1)
        if self.direction == "down":
            return conv2d(x, kernel, stride=2, padding=padding, groups=channels)
        return conv_transpose2d(x, 4 * kernel, stride=2, padding=padding, groups=channels)


class Resample(Resampling):
    """Resampling alone."""

    def __init__(self, direction: str, taps: Sequence[float]) -> None:
        super().__init__()
        self.set_filter(direction, taps)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, H, W] -> [B, C, H', W']."""
        return self.resample(x)


class Conv2d(nn.Conv2d, Resampling):
    """A convolution that keeps the size, and the resampling that goes with it.

    Args:
        n_in: input channels.
        n_out: output channels.
        size: of the kernel, odd.
        direction: "up", "down" or "" for none.
        taps: of the resampling filter.
        filter_last: whether to resample after the convolution; only for "down".
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        size: int,
        direction: str = "",
        taps: Sequence[float] = (1, 1),
        *,
        filter_last: bool = False,
    ) -> None:
        super().__init__(n_in, n_out, size, padding=size // 2)
        self.set_filter(direction, taps)
        self.filter_last = filter_last

    def forward(self, x: Tensor) -> Tensor:
        """[B, n_in, H, W] -> [B, n_out, H', W'], H' = H / 2, 2 H or H."""
        weight = self.weight.to(x.dtype)
        bias = None if self.bias is None else self.bias.to(x.dtype)
        if not self.filter_last:
            return conv2d(self.resample(x), weight, bias, padding=self.padding)
        # All the padding comes first: the filter sees the convolution beyond the image's edge.
        # It sums to 1, so the bias passes unchanged.
        edge = self.kernel_size[0] // 2 + self.resample_filter.shape[-1] // 2 - 1
        return self.resample(conv2d(x, weight, bias, padding=edge), padding=0)
