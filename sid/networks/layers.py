"""The blocks of the DDPM++ U-Net (Song et al. 2021, in the form of Karras et al. 2022, table 7)."""

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, dropout, interpolate, silu


def xavier(module: nn.Conv2d | nn.Linear, gain: float = 1.0) -> None:
    """Glorot-uniform weights times `gain` and a zero bias; gain 1e-5 starts a branch near zero."""
    nn.init.xavier_uniform_(module.weight, gain)
    if module.bias is not None:
        nn.init.zeros_(module.bias)


def conv(n_in: int, n_out: int, size: int, gain: float = 1.0) -> nn.Conv2d:
    """A same-size convolution with DDPM++'s initialisation."""
    module = nn.Conv2d(n_in, n_out, size, padding=size // 2)
    xavier(module, gain)
    return module


def linear(n_in: int, n_out: int, bias: bool = True) -> nn.Linear:
    """A fully connected layer with DDPM++'s initialisation."""
    module = nn.Linear(n_in, n_out, bias)
    xavier(module)
    return module


def group_norm(channels: int) -> nn.GroupNorm:
    """Groups of at least 4 channels, at most 32 groups, eps 1e-6."""
    return nn.GroupNorm(min(32, channels // 4), channels, eps=1e-6)


class ResampleConv(nn.Conv2d):
    """A convolution after a factor-2 resampling with the box filter [1, 1] / 2.

    Args:
        n_in: input channels.
        n_out: output channels.
        size: kernel size.
        direction: "up", "down", or "" for none.
    """

    resample_filter: Tensor

    def __init__(self, n_in: int, n_out: int, size: int, direction: str) -> None:
        super().__init__(n_in, n_out, size, padding=size // 2)
        xavier(self)
        self.direction = direction
        if direction:  # Part of the official state dicts, so that those load unchanged.
            self.register_buffer("resample_filter", torch.full((1, 1, 2, 2), 0.25))

    def forward(self, x: Tensor) -> Tensor:
        """[B, n_in, H, W] -> [B, n_out, H', W'], H' = H / 2, 2 H or H."""
        if self.direction == "down":
            x = avg_pool2d(x, 2)
        elif self.direction == "up":
            x = interpolate(x, scale_factor=2.0, mode="nearest")
        return super().forward(x)


class UNetBlock(nn.Module):
    """Residual block with noise conditioning by shift and optional single-head self-attention.

    Args:
        n_in: input channels.
        n_out: output channels.
        n_embedding: width of the noise embedding.
        direction: "up", "down" or "" (see `ResampleConv`).
        attention: whether self-attention follows.
        dropout: probability before the second convolution, in training mode.
    """

    def __init__(
        self,
        n_in: int,
        n_out: int,
        n_embedding: int,
        *,
        direction: str = "",
        attention: bool = False,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.n_in, self.n_out, self.dropout = n_in, n_out, dropout
        self.norm0 = group_norm(n_in)
        self.conv0 = ResampleConv(n_in, n_out, 3, direction)
        self.affine = linear(n_embedding, n_out)
        self.norm1 = group_norm(n_out)
        self.conv1 = conv(n_out, n_out, 3, gain=1e-5)
        resized = n_in != n_out or direction
        self.skip = ResampleConv(n_in, n_out, 1, direction) if resized else None
        self.attention = attention
        if attention:
            self.norm2 = group_norm(n_out)
            self.qkv = conv(n_out, 3 * n_out, 1, gain=math.sqrt(0.2))
            self.proj = conv(n_out, n_out, 1, gain=1e-5)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """[B, n_in, H, W], [B, n_embedding] -> [B, n_out, H', W']."""
        h = self.conv0(silu(self.norm0(x)))
        h = silu(self.norm1(h + self.affine(embedding)[:, :, None, None]))
        h = self.conv1(dropout(h, self.dropout, self.training))
        x = (h + (x if self.skip is None else self.skip(x))) * math.sqrt(0.5)
        return (x + self._attend(x)) * math.sqrt(0.5) if self.attention else x

    def _attend(self, x: Tensor) -> Tensor:
        # The official layout interleaves q, k, v: channel c of head 0 is at 3c, 3c + 1, 3c + 2.
        q, k, v = self.qkv(self.norm2(x)).unflatten(1, (self.n_out, 3)).flatten(3).unbind(2)
        weights = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(self.n_out), dim=2)
        attended: Tensor = self.proj((v @ weights.transpose(1, 2)).view_as(x))
        return attended


class PositionalEmbedding(nn.Module):
    """Sines and cosines of the noise label (Vaswani et al. 2017), frequencies 1 to 1e-4.

    Args:
        channels: width of the embedding.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels

    def forward(self, labels: Tensor) -> Tensor:
        """[B] -> [B, channels], sines first as in DDPM++."""
        half = self.channels // 2
        steps = torch.arange(half, dtype=torch.float32, device=labels.device) / (half - 1)
        angles = labels[:, None] * 1e-4**steps
        return torch.cat([angles.sin(), angles.cos()], dim=1)
