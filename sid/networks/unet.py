"""What SongUNet and DhariwalUNet have in common."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sid.networks.blocks import Style, UNetBlock
from sid.networks.layers import Conv2d, Resample


class UNet(nn.Module, ABC):
    """A raw network F(x; noise, labels, augment) in three parts, so that each can be had alone.

    Beside the encoder's blocks may run a side path that begins with the image. `carries_side` says
    whether it goes on with its sum with the blocks (NCSN++) or as the image that it is.
    """

    enc: nn.ModuleDict
    dec: nn.ModuleDict
    carries_side = False
    map_label: nn.Linear | None
    map_augment: nn.Linear | None
    label_dropout: float

    @abstractmethod
    def embed(self, noise: Tensor, labels: Tensor | None, augment: Tensor | None) -> Tensor:
        """Noise label [B], classes [B, label_dim], augmentation [B, augment_dim] -> [B, E].

        Absent labels count as zeros.
        """

    def encode(self, x: Tensor, embedding: Tensor) -> list[Tensor]:
        """The encoder's outputs that the decoder sees, finest first; the last is the bottleneck."""
        first, *rest = self.enc.values()
        side, outputs = x, [first(x)]
        for layer in rest:
            if isinstance(layer, UNetBlock):
                outputs.append(layer(outputs[-1], embedding))
            elif isinstance(layer, Resample):
                side = layer(side)
            else:
                outputs[-1] = outputs[-1] + layer(side)
                if self.carries_side:
                    side = outputs[-1] = outputs[-1] * math.sqrt(0.5)
        return outputs

    @abstractmethod
    def decode(self, outputs: list[Tensor], embedding: Tensor) -> Tensor:
        """Encoder outputs -> [B, out_channels, H, W]."""

    def forward(
        self,
        x: Tensor,
        noise: Tensor,
        labels: Tensor | None = None,
        augment: Tensor | None = None,
    ) -> Tensor:
        """[B, in_channels, H, W] and conditions as for `embed` -> [B, out_channels, H, W]."""
        embedding = self.embed(noise, labels, augment)
        return self.decode(self.encode(x, embedding), embedding)

    @staticmethod
    def _decoder_step(
        block: UNetBlock, x: Tensor, skips: list[Tensor], embedding: Tensor
    ) -> Tensor:
        # A block that is wider than what comes up takes the encoder's next output beside it.
        if x.shape[1] != block.n_in:
            x = torch.cat([x, skips.pop()], dim=1)
        stepped: Tensor = block(x, embedding)
        return stepped

    def _classes(self, labels: Tensor | None, like: Tensor) -> Tensor:
        # One class in so many is hidden in training, for guidance without a classifier.
        assert self.map_label is not None
        if labels is None:
            return like.new_zeros(len(like), self.map_label.in_features)
        labels = labels.to(like.dtype)
        if self.training and self.label_dropout:
            shown = torch.rand(len(labels), 1, device=labels.device) >= self.label_dropout
            labels = labels * shown
        return labels


class Levels(NamedTuple):
    """The resolutions of a U-Net, finest first.

    Attributes:
        names: `64x64` and so on, as in the parameters of the official weights.
        widths: channels of each.
        attends: whether its blocks have self-attention.
        blocks: residual blocks of each in the encoder; the decoder has one more.
    """

    names: list[str]
    widths: list[int]
    attends: list[bool]
    blocks: int


# Layers beside the blocks of a level, by the end of their names; of the level and its channels.
Beside = Callable[[int, int], dict[str, nn.Module]]


def no_layers(level: int, channels: int) -> dict[str, nn.Module]:
    """No layers beside the blocks."""
    return {}


def levels_of(
    img_resolution: int,
    model_channels: int,
    channel_mult: Sequence[int],
    attn_resolutions: Sequence[int],
    num_blocks: int,
) -> Levels:
    """The levels for the arguments of a network.

    Raises:
        ValueError: the resolution cannot be halved so often.
    """
    halvings = len(channel_mult) - 1
    if img_resolution % 2**halvings:
        raise ValueError(
            f"img_resolution {img_resolution} is not divisible by 2^{halvings}, as the "
            f"{len(channel_mult)} levels of channel_mult need"
        )
    sizes = [img_resolution >> level for level in range(halvings + 1)]
    return Levels(
        [f"{size}x{size}" for size in sizes],
        [model_channels * mult for mult in channel_mult],
        [size in attn_resolutions for size in sizes],
        num_blocks,
    )


def build_encoder(
    first: Conv2d, channels: int, levels: Levels, style: Style, beside: Beside = no_layers
) -> tuple[nn.ModuleDict, list[int]]:
    """The encoder, and the channels of its outputs, of which the first has `channels`."""
    layers = nn.ModuleDict({f"{levels.names[0]}_conv": first})
    n, skips = channels, [channels]
    for level, name in enumerate(levels.names):
        if level:
            layers[f"{name}_down"] = UNetBlock(n, n, style, direction="down")
            skips.append(n)
            layers.update({f"{name}_{key}": layer for key, layer in beside(level, n).items()})
        for index in range(levels.blocks):
            width = levels.widths[level]
            block = UNetBlock(n, width, style, attention=levels.attends[level])
            layers[f"{name}_block{index}"] = block
            n = width
            skips.append(n)
    return layers, skips


def build_decoder(
    skips: list[int],
    levels: Levels,
    style: Style,
    beside: Beside = no_layers,
    *,
    attends_once: bool,
) -> tuple[nn.ModuleDict, int]:
    """The decoder, and the channels of its output.

    Args:
        skips: channels of the encoder's outputs.
        levels: as of the encoder.
        style: of the blocks.
        beside: called after the blocks of a level.
        attends_once: whether of a level with attention only the last block has it.
    """
    layers, n, skips = nn.ModuleDict(), skips[-1], list(skips)
    for level, name in reversed(list(enumerate(levels.names))):
        if level == len(levels.names) - 1:
            layers[f"{name}_in0"] = UNetBlock(n, n, style, attention=True)
            layers[f"{name}_in1"] = UNetBlock(n, n, style)
        else:
            layers[f"{name}_up"] = UNetBlock(n, n, style, direction="up")
        for index in range(levels.blocks + 1):
            attention = levels.attends[level] and (index == levels.blocks or not attends_once)
            width = levels.widths[level]
            block = UNetBlock(n + skips.pop(), width, style, attention=attention)
            layers[f"{name}_block{index}"] = block
            n = width
        layers.update({f"{name}_{key}": layer for key, layer in beside(level, n).items()})
    return layers, n
