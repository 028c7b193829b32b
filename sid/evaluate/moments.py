"""Mean and covariance in one pass, in float64, with memory that does not grow with the images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Gaussian:
    """Mean [d] and covariance [d, d] (divisor N - 1) of N feature vectors, float64."""

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
        mean = chunk.mean(axis=0)
        centred, shift = chunk - mean, mean - self._mean
        total = self.count + len(chunk)
        self._scatter += centred.T @ centred
        self._scatter += np.outer(shift, shift) * (self.count * len(chunk) / total)
        self._mean = self._mean + shift * (len(chunk) / total)
        self.count = total

    def gaussian(self) -> Gaussian:
        """The moments so far.

        Raises:
            ValueError: fewer than two vectors, which have no covariance.
        """
        if self.count < 2:
            raise ValueError(f"a covariance needs at least 2 images, not {self.count}")
        return Gaussian(self._mean, self._scatter / (self.count - 1))


def gaussian_of(features: NDArray[np.floating]) -> Gaussian:
    """The moments of features [N, d], in chunks, so that float64 copies stay small."""
    moments = Moments(features.shape[1])
    for start in range(0, len(features), 1000):
        moments.add(features[start : start + 1000])
    return moments.gaussian()
