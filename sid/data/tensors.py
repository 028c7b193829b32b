"""Batches of a data set as the tensors that networks take."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from sid.data.images import ImageSet


def to_unit(images: Tensor) -> Tensor:
    """Images 0 .. 255, uint8 -> float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


def image_batch(data: ImageSet, index: NDArray[np.int64], device: torch.device) -> Tensor:
    """The images with these numbers in [-1, 1], [len(index), C, H, W]."""
    return to_unit(torch.from_numpy(data.batch(index)).to(device))


def class_batch(
    data: ImageSet, index: NDArray[np.int64], classes: int, device: torch.device
) -> Tensor | None:
    """Their classes, one-hot, [len(index), classes]; None where a network knows no classes."""
    if not classes or data.labels is None:
        return None
    return one_hot(torch.from_numpy(data.labels[index]), classes).float().to(device)
