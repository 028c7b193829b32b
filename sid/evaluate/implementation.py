"""What an implementation of the metrics is: the same images in, its own numbers out."""

from collections.abc import Callable
from typing import Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sid.data.zips import ImageSet
from sid.evaluate.extractor import Extractor

# Twenty subsets of 1,000, not the customary 100: the error of the mean over subsets is then still
# well below the difference between two draws, at a fifth of the time.
KERNEL_SUBSETS = 20
KERNEL_SUBSET_SIZE = 1000
SCORE_SPLITS = 10


class Value(NamedTuple):
    """One metric.

    Attributes:
        metric: `frechet_distance`, `kernel_distance` or `inception_score`.
        value: the value.
        stderr: standard deviation over subsets or splits, as the implementation gives it, divided
            by the root of their number; None where it gives none.
    """

    metric: str
    value: float
    stderr: float | None = None


class Implementation(Protocol):
    """A way to compute metrics from images.

    Attributes:
        name: as in the records.
        version: of the library.
    """

    name: str
    version: str

    def evaluate(
        self, images: NDArray[np.uint8], reference: ImageSet, extractor: Extractor, seed: int
    ) -> list[Value]:
        """All metrics that this implementation has.

        Args:
            images: generated, uint8, [N, C, H, W].
            reference: real images.
            extractor: of features and logits.
            seed: of subsets and shuffles.
        """
        ...


def subset_size(n_images: int, n_reference: int) -> int:
    """Images per subset of the kernel distance: 1,000, or all where there are fewer."""
    return min(KERNEL_SUBSET_SIZE, n_images, n_reference)


T = TypeVar("T")


class Kept(Generic[T]):
    """What was made last for a reference and an extractor, for many snapshots in a row."""

    def __init__(self) -> None:
        self._last: tuple[tuple[str, str], T] | None = None

    def get(self, reference: ImageSet, extractor: Extractor, make: Callable[[], T]) -> T:
        """The kept result, or that of `make` where the two files are others than the last time."""
        key = (reference.sha256, extractor.sha256)
        if self._last is None or self._last[0] != key:
            self._last = (key, make())
        return self._last[1]
