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
from sid.networks.unet import UNet, level_sizes

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

    The defaults are DDPM++; NCSN++ is embedding_type "fourier", channel_mult_noise 2, encoder_type
    "residual", resample_filter [1, 3, 3, 1].

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
        label_dim: int = 0,
        augment_dim: int = 0,
        model_channels: int = 128,
        channel_mult: Sequence[int] = (1, 2, 2, 2),
        channel_mult_emb: int = 4,
        num_blocks: int = 4,
        attn_resolutions: Sequence[int] = (16,),
        dropout: float = 0.1,
        label_dropout: float = 0.0,
        embedding_type: Literal["positional", "fourier"] = "positional",
        channel_mult_noise: int = 1,
        encoder_type: Literal["standard", "skip", "residual"] = "standard",
        decoder_type: Literal["standard", "skip"] = "standard",
        resample_filter: Sequence[float] = (1, 1),
    ) -> None:
        super().__init__()
        self.label_dropout, self.carries_side = label_dropout, encoder_type == "residual"
        sizes = level_sizes(img_resolution, channel_mult)
        widths = [model_channels * mult for mult in channel_mult]
        attends = [size in attn_resolutions for size in sizes]
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

        self.enc = nn.ModuleDict()
        n, side = model_channels, in_channels
        self.enc[f"{sizes[0]}x{sizes[0]}_conv"] = xavier(Conv2d(in_channels, n, 3))
        skips = [n]
        for level, size in enumerate(sizes):
            name = f"{size}x{size}"
            if level:
                self.enc[f"{name}_down"] = UNetBlock(n, n, style, direction="down")
                skips.append(n)
            if level and encoder_type == "skip":
                self.enc[f"{name}_aux_down"] = Resample("down", resample_filter)
                self.enc[f"{name}_aux_skip"] = xavier(Conv2d(in_channels, n, 1))
            if level and encoder_type == "residual":
                down = Conv2d(side, n, 3, "down", resample_filter, filter_last=True)
                self.enc[f"{name}_aux_residual"] = xavier(down)
                side = n
            for index in range(num_blocks):
                block = UNetBlock(n, widths[level], style, attention=attends[level])
                self.enc[f"{name}_block{index}"] = block
                n = widths[level]
                skips.append(n)

        self.dec = nn.ModuleDict()
        for level, size in reversed(list(enumerate(sizes))):
            name, coarsest = f"{size}x{size}", level == len(sizes) - 1
            if coarsest:
                self.dec[f"{name}_in0"] = UNetBlock(n, n, style, attention=True)
                self.dec[f"{name}_in1"] = UNetBlock(n, n, style)
            else:
                self.dec[f"{name}_up"] = UNetBlock(n, n, style, direction="up")
            for index in range(num_blocks + 1):
                last = attends[level] and index == num_blocks
                block = UNetBlock(n + skips.pop(), widths[level], style, attention=last)
                self.dec[f"{name}_block{index}"] = block
                n = widths[level]
            if decoder_type == "skip" and not coarsest:
                self.dec[f"{name}_aux_up"] = Resample("up", resample_filter)
            if decoder_type == "skip" or not level:
                self.dec[f"{name}_aux_norm"] = GroupNorm(n, EPS)
                self.dec[f"{name}_aux_conv"] = near_zero(Conv2d(n, out_channels, 3))

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
