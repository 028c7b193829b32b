"""Random tenths of the images, for errors by leaving a tenth out."""

import numpy as np
from numpy.typing import NDArray

from sid.evaluate.moments import CHUNK, Moments
from sid.streams import Stream

GROUPS = 10


def groups_of(count: int, seed: int) -> NDArray[np.int64]:
    """A group, 0 to 9, for each of `count` images at random, of equal size within one.

    Random, because images may come sorted by class.
    """
    order = np.argsort(Stream(seed, "groups").uniform(0, count).numpy(), kind="stable")
    found = np.empty(count, np.int64)
    found[order] = np.arange(count) % GROUPS
    return found


def grouped_moments(features: NDArray[np.floating], seed: int) -> list[Moments]:
    """Moments of random tenths of features [N, d], read in order, chunk by chunk."""
    moments = [Moments(features.shape[1]) for _ in range(GROUPS)]
    groups = groups_of(len(features), seed)
    for start in range(0, len(features), CHUNK):
        chunk, group = features[start : start + CHUNK], groups[start : start + CHUNK]
        for k, part in enumerate(moments):
            part.add(chunk[group == k])
    return moments
