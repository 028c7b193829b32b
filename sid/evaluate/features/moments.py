"""Mean and covariance in one pass, in float64, with memory that does not grow with the images."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CHUNK = 1000


@dataclass(frozen=True)
class Gaussian:
    """Mean [d] and covariance [d, d] of N feature vectors, float64."""

    mean: Array
    covariance: Array


class Moments:
    """Accumulates features chunk by chunk (Chan, Golub & LeVeque 1983, the pairwise update).

    Merging centred sums loses nothing to cancellation, as sums of squares would.

    Args:
        width: d, the number of features.
    """

    def __init__(self, width: int) -> None:
        self.count = 0
        self._mean: Array = np.zeros(width)
        self._scatter: Array = np.zeros((width, width))

    def add(self, features: NDArray[np.floating]) -> None:
        """Take in features [n, d]; chunks may have any size."""
        if not len(features):
            return
        chunk = features.astype(np.float64)
        # Taken about the first vector, the mean of equal vectors is exact, their covariance zero.
        mean = chunk[0] + (chunk - chunk[0]).mean(axis=0)
        chunk -= mean
        self._merge(len(chunk), mean, chunk.T @ chunk)

    def _merge(self, count: int, mean: Array, scatter: Array) -> None:
        total, shift = self.count + count, mean - self._mean
        self._scatter += scatter
        self._scatter += np.outer(shift, shift) * (self.count * count / total)
        self._mean = self._mean + shift * (count / total)
        self.count = total

    def gaussian(self, ddof: int = 1) -> Gaussian:
        """The moments so far.

        Args:
            ddof: the covariance is divided by N - ddof: 1 is the usual, 0 what SiD takes of
                generated images in training.

        Raises:
            ValueError: fewer than two vectors, which have no covariance.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least 2 images, not {self.count}")
        return Gaussian(self._mean, self._scatter / (self.count - ddof))


def combine(parts: Iterable[Moments]) -> Moments:
    """The moments of all the vectors in `parts`, merged in the order given; parts stay as they are.

    Raises:
        ValueError: no parts.
    """
    whole: Moments | None = None
    for part in parts:
        whole = whole or Moments(len(part._mean))
        if part.count:
            whole._merge(part.count, part._mean, part._scatter)
    if whole is None:
        raise ValueError("there are no moments to combine")
    return whole


def gaussian_of(features: NDArray[np.floating]) -> Gaussian:
    """The moments of features [N, d], divisor N - 1, in chunks, so that copies stay small."""
    moments = Moments(features.shape[1])
    for start in range(0, len(features), CHUNK):
        moments.add(features[start : start + CHUNK])
    return moments.gaussian()
