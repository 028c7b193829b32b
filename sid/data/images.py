"""Images with their labels: one, a set in memory or not, some of a set, and batches as tensors."""

import hashlib
import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import one_hot

from sid.errors import UserError

CLASSES = 2**20  # More than any data set has; a network has weights for each.


class Picture(NamedTuple):
    """One image of a data set.

    Attributes:
        number: its place in the data set, which gives its name in the zip.
        pixels: uint8, [C, H, W].
        label: its class, or None.
    """

    number: int
    pixels: NDArray[np.uint8]
    label: int | None


class Images(Protocol):
    """Images [N, C, H, W], uint8, indexed as an array is; they need not be in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> NDArray[np.uint8]: ...


class OnDisk(ABC):
    """What is read when it is asked for, indexed along its first axis as an array is."""

    shape: tuple[int, ...]

    def __len__(self) -> int:
        return self.shape[0]

    @abstractmethod
    def __getitem__(self, index: Any, /) -> NDArray[Any]: ...

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All of it, in memory."""
        return self[:] if dtype is None else self[:].astype(dtype)


@dataclass(frozen=True)
class ImageSet:
    """Images, with what identifies them.

    Attributes:
        name: of the data set, `digits` for `digits.zip`.
        images: uint8, [N, C, H, W], an array, or what is indexed like one but stays on the disk
            until it is asked for.
        labels: class of each image, int64 [N], or None.
        sha256: of the file that they came from; of a folder, see `sid.data.sources`.
    """

    name: str
    images: Images
    labels: NDArray[np.int64] | None
    sha256: str

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        return self.images.shape

    @property
    def n_classes(self) -> int:
        """Number of classes, 0 without labels."""
        return 0 if self.labels is None else int(self.labels.max()) + 1

    def batch(self, index: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The images with these numbers, uint8 [len(index), C, H, W].

        Raises:
            UserError: one of them is damaged or of another size.
        """
        return self.images[index]


class Picked(OnDisk):
    """Some of the images of a set, in a given order, indexed as an array is."""

    def __init__(self, images: Images, index: NDArray[np.int64]) -> None:
        self._images, self._index = images, index
        self.shape: tuple[int, ...] = (len(index), *images.shape[1:])

    def __getitem__(self, index: int | slice | NDArray[Any]) -> NDArray[np.uint8]:
        """Images by their place among the chosen, uint8 [..., C, H, W]."""
        return self._images[self._index[index]]


def picked(images: ImageSet, index: NDArray[np.int64], what: str) -> ImageSet:
    """Some images of a set; `what` says which, and goes into their checksum."""
    labels = None if images.labels is None else images.labels[index]
    digest = hashlib.sha256(f"{images.sha256} {what}".encode()).hexdigest()
    return ImageSet(images.name, Picked(images.images, index), labels, digest)


def first(images: ImageSet, n: int) -> ImageSet:
    """The first `n` images of a set."""
    return images if n == len(images) else picked(images, np.arange(n), f"first {n}")


def parse_labels(content: bytes) -> dict[str, int] | None:
    """The labels in `dataset.json`: `{"labels": [["00000/img00000000.png", 6], ...]}`.

    Returns:
        The class of each file by its name, in any order, or None where `labels` is null.

    Raises:
        ValueError: this is not such a file, it labels a file twice, or a label is no class (a
            vector, say).
    """
    try:
        pairs = json.loads(content, object_pairs_hook=_once)["labels"]
        known = None if pairs is None else _once(pairs)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"dataset.json: not EDM's labels ({error})") from error
    for name, label in (known or {}).items():
        if type(label) is not int or not 0 <= label < CLASSES:
            raise ValueError(
                f"dataset.json: the label of {name} is {str(label)[:60]}, "
                f"not a class 0, 1, ... {CLASSES - 1}"
            )
    return known


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary of pairs; Python's own would take the last of two that differ."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name} stands there twice; leave one")
        found[name] = value
    return found


def check_classes(labels: NDArray[np.int64], source: object) -> None:
    """See that every class below the highest has an image: a network would have weights for each.

    Raises:
        UserError: a class has none.
    """
    counts = np.bincount(labels)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        raise UserError(
            f"{source}: {len(empty)} of the classes 0 to {len(counts) - 1} have no image, first "
            f"{empty[0]}; number the classes in dataset.json without gaps"
        )


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
