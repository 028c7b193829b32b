"""The standard error of a Frechet distance of one set of images, by the delete-a-group jackknife.

The distance has no simple error formula, and computing it again on resampled images is the
bootstrap's mistake: a set with repeats has the bias of a smaller set. Leaving out a tenth in turn
(Shao & Wu 1989; Kott 2001) has every vector at most once, and needs nothing but moments.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sid.evaluate.features.moments import CHUNK, Moments, combine
from sid.evaluate.metrics.frechet import FrechetReference
from sid.streams import Stream

GROUPS = 10


def random_groups(count: int, seed: int) -> NDArray[np.int64]:
    """A group, 0 to 9, for each of `count` images at random, of equal size within one.

    Random, because images may come sorted by class.
    """
    order = np.argsort(Stream(seed, "groups").uniform(0, count).numpy(), kind="stable")
    found = np.empty(count, np.int64)
    found[order] = np.arange(count) % GROUPS
    return found


def grouped_moments(features: NDArray[np.floating], seed: int) -> list[Moments]:
    """Moments of the random groups of features [N, d], read in order, chunk by chunk."""
    moments = [Moments(features.shape[1]) for _ in range(GROUPS)]
    groups = random_groups(len(features), seed)
    for start in range(0, len(features), CHUNK):
        chunk, group = features[start : start + CHUNK], groups[start : start + CHUNK]
        for k, part in enumerate(moments):
            part.add(chunk[group == k])
    return moments


def frechet_stderr(reference: FrechetReference, groups: Sequence[Moments]) -> float:
    """How much the distance would change with other images of the same generator.

    sqrt((G - 1) / G sum_g (D_g - mean D)^2), D_g the distance of all groups but g. Between G = 10
    groups it has nine degrees of freedom: it is itself uncertain by a quarter.

    It is the error of the value expected at N images, not of the distance between the populations:
    it holds the reference fixed, so that what the distance would change with other real images is
    not in it, nor is the bias at finite N (see `frechet_infinity` for that of the generated images,
    `sid.verdict.bias` for that of both), nor another training of the generator.

    Args:
        reference: the factored reference.
        groups: moments of random parts of the images, of equal size within one; two at least.

    Raises:
        ValueError: fewer than two groups, or too few images for a covariance.
    """
    count = len(groups)
    if count < 2:
        raise ValueError(f"a jackknife needs at least 2 groups, not {count}")
    distances = [
        reference.distance(combine([*groups[:g], *groups[g + 1 :]]).gaussian())
        for g in range(count)
    ]
    return math.sqrt((count - 1) * float(np.var(distances)))
