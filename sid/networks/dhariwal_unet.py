"""The ADM U-Net: the teacher on ImageNet at 64x64."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from sid.networks.blocks import Layer, Style, UNetBlock
from sid.networks.embeddings import PositionalEmbedding
from sid.networks.layers import Conv2d, GroupNorm
from sid.networks.unet import UNet, build_decoder, build_encoder, levels_of

EPS, HEAD_WIDTH = 1e-5, 64


def fan_in(layer: Layer) -> Layer:
    """Weights and bias U(-1, 1) / sqrt(fan_in), which is torch's own beginning."""
    return layer


def zero(layer: Layer) -> Layer:
    """No weights and no bias: a branch that begins as nothing."""
    nn.init.zeros_(layer.weight)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


class DhariwalUNet(UNet):
    """ADM (Dhariwal and Nichol 2021, arXiv 2105.05233), as in EDM (2206.00364, table 7).

    The arguments are those of `SongUNet` of the same names.

    Raises:
        ValueError: sizes or widths that do not divide.
    """

    def __init__(
        self,
        img_resolution: int,
        in_channels: int,
        out_channels: int,
        *,
        label_dim: int,
        augment_dim: int,
        model_channels: int,
        channel_mult: Sequence[int],
        channel_mult_emb: int,
        num_blocks: int,
        attn_resolutions: Sequence[int],
        dropout: float,
        label_dropout: float,
    ) -> None:
        super().__init__()
        self.label_dropout = label_dropout
        levels = levels_of(
            img_resolution, model_channels, channel_mult, attn_resolutions, num_blocks
        )
        emb = model_channels * channel_mult_emb
        style = Style(
            embedding=emb,
            dropout=dropout,
            eps=EPS,
            scales=True,
            residual_gain=1.0,
            projects=False,
            head_width=HEAD_WIDTH,
            taps=(1, 1),
            start=fan_in,
            start_last=zero,
            start_attention=fan_in,
        )

        self.map_noise = PositionalEmbedding(model_channels, endpoint=False)
        self.map_augment = (
            zero(nn.Linear(augment_dim, model_channels, bias=False)) if augment_dim else None
        )
        self.map_layer0 = nn.Linear(model_channels, emb)
        self.map_layer1 = nn.Linear(emb, emb)
        self.map_label = nn.Linear(label_dim, emb, bias=False) if label_dim else None
        if self.map_label is not None:
            nn.init.normal_(self.map_label.weight)

        first = Conv2d(in_channels, levels.widths[0], 3)
        self.enc, skips = build_encoder(first, levels.widths[0], levels, style)
        self.dec, n = build_decoder(skips, levels, style, attends_once=False)
        self.out_norm = GroupNorm(n, EPS)
        self.out_conv = zero(Conv2d(n, out_channels, 3))

    def embed(self, noise: Tensor, labels: Tensor | None, augment: Tensor | None) -> Tensor:
        """See `UNet.embed`; E = model_channels * channel_mult_emb."""
        angles = self.map_noise(noise)
        x = torch.cat([angles.cos(), angles.sin()], dim=1)
        if self.map_augment is not None and augment is not None:
            x = x + self.map_augment(augment)
        x = self.map_layer1(silu(self.map_layer0(x)))
        if self.map_label is not None:
            x = x + self.map_label(self._classes(labels, x))
        return silu(x)

    def decode(self, outputs: list[Tensor], embedding: Tensor) -> Tensor:
        """See `UNet.decode`."""
        x, skips = outputs[-1], list(outputs)
        for block in self.dec.values():
            assert isinstance(block, UNetBlock)
            x = self._decoder_step(block, x, skips, embedding)
        image: Tensor = self.out_conv(silu(self.out_norm(x)))
        return image
