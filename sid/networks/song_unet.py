"""The DDPM++ and NCSN++ U-Nets: the teachers on CIFAR-10, FFHQ and AFHQ-v2."""

import functools
import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from sid.networks.blocks import Layer, Style, UNetBlock
from sid.networks.embeddings import FourierEmbedding, PositionalEmbedding
from sid.networks.layers import Conv2d, GroupNorm, Resample
from sid.networks.unet import Beside, Levels, UNet, build_decoder, build_encoder, levels_of

EPS = 1e-6


def xavier(layer: Layer, gain: float = 1.0) -> Layer:
    """Glorot-uniform weights times `gain`, zero bias; gain 1e-5 starts a branch near zero."""
    nn.init.xavier_uniform_(layer.weight, gain)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer


near_zero = functools.partial(xavier, gain=1e-5)


class SongUNet(UNet):
    """DDPM++ and NCSN++ (Song et al. 2021, arXiv 2011.13456), as in EDM (2206.00364, table 7).

    The defaults of `SongArchitecture` are DDPM++; NCSN++ is embedding_type "fourier",
    channel_mult_noise 2, encoder_type "residual", resample_filter [1, 3, 3, 1].

    Args:
        img_resolution: height and width of the images.
        in_channels: colour channels in.
        out_channels: colour channels out.
        label_dim: number of classes, 0 without.
        augment_dim: width of the augmentation label, 0 without.
        model_channels: channels at full resolution for multiplier 1.
        channel_mult: channel multiplier of each resolution, finest first.
        channel_mult_emb: multiplier of the width of the conditioning.
        num_blocks: residual blocks per resolution in the encoder (one more in the decoder).
        attn_resolutions: resolutions whose blocks have self-attention.
        dropout: probability inside the blocks, in training mode.
        label_dropout: probability that a class is hidden, in training mode.
        embedding_type: geometric or random frequencies of the noise embedding.
        channel_mult_noise: multiplier of the width of the noise embedding.
        encoder_type: how the image enters coarser levels: not, added by 1x1 convolutions ("skip"),
            or carried along as a second residual path ("residual").
        decoder_type: whether the image is made at the finest level, or summed over levels ("skip").
        resample_filter: taps along one side, an even number.

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
        embedding_type: Literal["positional", "fourier"],
        channel_mult_noise: int,
        encoder_type: Literal["standard", "skip", "residual"],
        decoder_type: Literal["standard", "skip"],
        resample_filter: Sequence[float],
    ) -> None:
        super().__init__()
        self.label_dropout, self.carries_side = label_dropout, encoder_type == "residual"
        levels = levels_of(
            img_resolution, model_channels, channel_mult, attn_resolutions, num_blocks
        )
        emb, noise = model_channels * channel_mult_emb, model_channels * channel_mult_noise
        style = Style(
            embedding=emb,
            dropout=dropout,
            eps=EPS,
            scales=False,
            residual_gain=math.sqrt(0.5),
            projects=True,
            head_width=None,
            taps=resample_filter,
            start=xavier,
            start_last=near_zero,
            start_attention=functools.partial(xavier, gain=math.sqrt(0.2)),
        )

        self.map_noise: nn.Module = (
            PositionalEmbedding(noise, endpoint=True)
            if embedding_type == "positional"
            else FourierEmbedding(noise)
        )
        self.map_label = xavier(nn.Linear(label_dim, noise)) if label_dim else None
        self.map_augment = (
            xavier(nn.Linear(augment_dim, noise, bias=False)) if augment_dim else None
        )
        self.map_layer0 = xavier(nn.Linear(noise, emb))
        self.map_layer1 = xavier(nn.Linear(emb, emb))

        first = xavier(Conv2d(in_channels, model_channels, 3))
        beside = _beside_encoder(encoder_type, in_channels, levels, resample_filter)
        self.enc, skips = build_encoder(first, model_channels, levels, style, beside)
        beside = _beside_decoder(decoder_type, out_channels, levels, resample_filter)
        self.dec, _ = build_decoder(skips, levels, style, beside, attends_once=True)

    def embed(self, noise: Tensor, labels: Tensor | None, augment: Tensor | None) -> Tensor:
        """See `UNet.embed`; E = model_channels * channel_mult_emb."""
        angles = self.map_noise(noise)
        x = torch.cat([angles.sin(), angles.cos()], dim=1)
        if self.map_label is not None:
            classes = self._classes(labels, x)
            x = x + self.map_label(classes * self.map_label.in_features**0.5)
        if self.map_augment is not None and augment is not None:
            x = x + self.map_augment(augment)
        return silu(self.map_layer1(silu(self.map_layer0(x))))

    def decode(self, outputs: list[Tensor], embedding: Tensor) -> Tensor:
        """See `UNet.decode`."""
        x, skips = outputs[-1], list(outputs)
        image: Tensor | None = None
        for layer in self.dec.values():
            if isinstance(layer, UNetBlock):
                x = self._decoder_step(layer, x, skips, embedding)
            elif isinstance(layer, Resample):
                image = layer(image)
            elif isinstance(layer, GroupNorm):
                normed = silu(layer(x))
            else:
                image = layer(normed) if image is None else image + layer(normed)
        assert image is not None
        return image


def _beside_encoder(kind: str, channels: int, levels: Levels, taps: Sequence[float]) -> Beside:
    """How the image enters the coarser levels."""

    def layers(level: int, n: int) -> dict[str, nn.Module]:
        if kind == "skip":
            halved = Resample("down", taps)
            return {"aux_down": halved, "aux_skip": xavier(Conv2d(channels, n, 1))}
        if kind == "residual":
            side = levels.widths[level - 2] if level > 1 else channels
            down = Conv2d(side, n, 3, "down", taps, filter_last=True)
            return {"aux_residual": xavier(down)}
        return {}

    return layers


def _beside_decoder(kind: str, channels: int, levels: Levels, taps: Sequence[float]) -> Beside:
    """How the image is made: at the finest level, or summed over levels."""

    def layers(level: int, n: int) -> dict[str, nn.Module]:
        found: dict[str, nn.Module] = {}
        if kind == "skip" and level < len(levels.names) - 1:
            found["aux_up"] = Resample("up", taps)
        if kind == "skip" or not level:
            found["aux_norm"] = GroupNorm(n, EPS)
            found["aux_conv"] = near_zero(Conv2d(n, channels, 3))
        return found

    return layers
