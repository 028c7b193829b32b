"""The Frechet distance at infinitely many images (Chong & Forsyth 2020, FID-infinity).

At n images the distance is biased by about b / n, b a constant of the generator. A line through
distances of subsets of several sizes, against 1 / n, meets the axis where n is infinite.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sid.evaluate.features.moments import Array, Moments, combine
from sid.evaluate.metrics.frechet import FrechetReference

LEVELS = 5


class Infinity(NamedTuple):
    """The line through the points.

    Attributes:
        value: the distance where 1 / n = 0.
        fit_stderr: standard error of `value` by the points' distance from the line, with
            `LEVELS` - 2 degrees of freedom. The images are the same at every point, so it does not
            hold their sampling error, which is that of the distance at N images
            (`frechet_stderr`): the whole error is the root of the sum of both squares.
        slope: b, in distance times images.
        sizes: images per subset at each point, their harmonic mean [LEVELS].
        distances: the points [LEVELS].
    """

    value: float
    fit_stderr: float
    slope: float
    sizes: Array
    distances: Array


def frechet_infinity(reference: FrechetReference, groups: Sequence[Moments]) -> Infinity:
    """Fit a line to mean distances of the images in 1, 2, ... 5 disjoint parts.

    Chong & Forsyth draw 15 subsets of 15 sizes from a tenth to all of the images. These are 15
    subsets too, but every image is once in each point: what the images have in common by chance
    moves all points alike and does not tilt the line. The scatter about the line of a mean of m
    parts is proportional to m in variance, hence weights 1 / m.

    Args:
        reference: the factored reference; its own bias at finitely many real images stays.
        groups: moments of random parts of the images, of equal size within one; five at least.

    Raises:
        ValueError: fewer than five groups, or too few images for a covariance of a part.
    """
    if len(groups) < LEVELS:
        raise ValueError(f"the fit needs at least {LEVELS} groups, not {len(groups)}")
    total = sum(group.count for group in groups)
    levels = np.arange(1.0, LEVELS + 1)
    distances = np.zeros(LEVELS)
    for point in range(LEVELS):
        for part in np.array_split(np.arange(len(groups)), point + 1):
            moments = combine(groups[k] for k in part)
            # Weighted by size, the parts' mean 1 / n is exactly m / N.
            weight = moments.count / total
            distances[point] += weight * reference.distance(moments.gaussian())
    design = np.stack([np.ones(LEVELS), levels / total], axis=1)
    normal = np.linalg.inv(design.T @ (design / levels[:, None]))
    value, slope = normal @ design.T @ (distances / levels)
    residuals = distances - design @ (value, slope)
    variance = (residuals**2 / levels).sum() / (LEVELS - 2) * normal[0, 0]
    return Infinity(float(value), float(np.sqrt(variance)), float(slope), total / levels, distances)
