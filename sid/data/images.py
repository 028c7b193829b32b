"""The noun of the data stage: a set of images, in memory or not, with what identifies it."""

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Images(Protocol):
    """Images [N, C, H, W], uint8, indexed as an array is; they need not be in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> NDArray[np.uint8]: ...


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


class Picked:
    """Some of the images of a set, in a given order, indexed as an array is.

    Args:
        images: of the whole set.
        index: which, int64 [n].
    """

    def __init__(self, images: Images, index: NDArray[np.int64]) -> None:
        self._images, self._index = images, index
        self.shape: tuple[int, ...] = (len(index), *images.shape[1:])

    def __len__(self) -> int:
        return len(self._index)

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
