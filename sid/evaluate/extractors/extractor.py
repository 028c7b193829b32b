"""What an extractor is: a network that gives features and logits, and what records say of it."""

import copy
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn

from sid.errors import UserError
from sid.runs.precision import full_float32

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Extractor:
    """A network that images are seen by.

    Attributes:
        name: distances are named after it; only that of `inception-2015` is FID.
        sha256: of the weights.
        network: images [B, C, H, W] in 0 .. 255 (uint8, or float32 where a library has resized
            them) to features [B, d] and logits [B, K], float32; in evaluation mode.
        width: d.
        classes: K, 0 without logits.
        chunk: images per forward, everywhere: a share of a chunk would round differently.
        preprocessing: what the network does to the images first.
        accuracy: share of unseen images that it classifies rightly, NaN if not known.
        shape: (C, H, W) of the images that it takes; None for any that are grey or RGB.
        device: where the network is.
        path: of the published file, for libraries that read it themselves.
    """

    name: str
    sha256: str
    network: nn.Module
    width: int
    classes: int
    chunk: int
    preprocessing: str
    accuracy: float = math.nan
    shape: tuple[int, int, int] | None = None
    device: torch.device = CPU
    path: Path | None = None

    def check(self, shape: tuple[int, ...]) -> None:
        """Refuse images that the network does not take.

        Raises:
            UserError: `shape` (of one image) is another than the extractor's.
        """
        if self.shape and shape != self.shape:
            raise UserError(
                f"images are {shape} (C, H, W), but the extractor {self.name} takes {self.shape}; "
                "make one from their data set with `sid evaluate extractor`, or take another"
            )
        if len(shape) != 3 or shape[0] not in (1, 3) or min(shape) < 1:
            raise UserError(
                f"images are {shape} (C, H, W), but the extractor {self.name} takes grey or RGB; "
                "convert them"
            )

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        if device == self.device:
            return self
        return replace(self, network=copy.deepcopy(self.network).to(device), device=device)

    def features_and_logits(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features and logits, in fixed chunks, without TF32 whatever the caller has set.

        Args:
            images: uint8, or float32 in 0 .. 255, [B, C, H, W], on any device.

        Returns:
            float32, [B, d] and [B, K], on the extractor's device.

        Raises:
            UserError: images of another shape.
        """
        self.check(tuple(images.shape[1:]))
        # Strides of a grey image say nothing, but a convolution is chosen, and rounds, by them.
        images = images.clone(memory_format=torch.contiguous_format)
        with full_float32(), torch.inference_mode():
            pairs = [self.network(part.to(self.device)) for part in torch.split(images, self.chunk)]
        features, logits = zip(*pairs, strict=True)
        return torch.cat(features), torch.cat(logits)


def rgb(images: Tensor) -> Tensor:
    """Images [B, 1 or 3, H, W] with three channels: a grey one three times."""
    return images.expand(-1, 3, -1, -1)
