"""Do images come in random order, or sorted by class? Some protocols take the first for granted."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sid.data.rows import Rows
from sid.evaluate.moments import CHUNK

PARTS = 10
CHANCE = 1e-6  # Of calling images in random order sorted.


def sorted_by_class(logits: NDArray[np.floating] | Rows) -> bool:
    """Whether contiguous tenths differ in their predicted classes by more than chance.

    Pearson's chi-square test of tenth against class. Classes that alternate differ by less than
    chance, and are no fault.

    Args:
        logits: [N, K] of the images in their order; a chunk at a time is read into memory.
    """
    n = len(logits)
    if not n or not logits.shape[1]:
        return False
    chunks = [logits[start : start + CHUNK].argmax(axis=1) for start in range(0, n, CHUNK)]
    classes = np.unique(np.concatenate(chunks), return_inverse=True)[1]
    counts = np.zeros((PARTS, classes.max() + 1))
    np.add.at(counts, (np.arange(n) * PARTS // n, classes), 1)
    counts = counts[counts.any(axis=1)]
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return freedom > 0 and float(chdtrc(freedom, statistic)) < CHANCE
