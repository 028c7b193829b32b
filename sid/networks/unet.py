"""What SongUNet and DhariwalUNet have in common."""

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from sid.networks.blocks import UNetBlock
from sid.networks.layers import Resample


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


def level_sizes(img_resolution: int, channel_mult: Sequence[int]) -> list[int]:
    """Height of the images at each level, finest first.

    Raises:
        ValueError: the resolution cannot be halved so often.
    """
    halvings = len(channel_mult) - 1
    if img_resolution % 2**halvings:
        raise ValueError(
            f"img_resolution {img_resolution} is not divisible by 2^{halvings}, as the "
            f"{len(channel_mult)} levels of channel_mult need"
        )
    return [img_resolution >> level for level in range(halvings + 1)]
