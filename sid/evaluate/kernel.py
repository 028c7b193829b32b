"""The kernel distance (KID, Binkowski et al. 2018): an unbiased MMD^2, cubic kernel, on subsets."""

import math

import numpy as np
from numpy.typing import NDArray

from sid.evaluate.moments import Array
from sid.streams import Stream


def kernel(x: Array, y: Array) -> Array:
    """k(x, y) = (x.y / d + 1)^3 for all pairs: [n, d] and [m, d] to [n, m]."""
    base: Array = x @ y.T / x.shape[1] + 1
    return base * base * base  # `** 3` is several times slower.


def mmd(x: Array, y: Array) -> float:
    """Unbiased MMD^2 (Gretton et al. 2012, eq. 3) between x [n, d] and y [m, d].

    Terms of a vector with itself are left out, so the value may be below zero.
    """
    n, m = len(x), len(y)
    xx, yy = kernel(x, x), kernel(y, y)
    within_x = (xx.sum() - np.trace(xx)) / (n * (n - 1))
    within_y = (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within_x + within_y - 2 * kernel(x, y).mean())


def kernel_distance(
    generated: NDArray[np.floating],
    reference: NDArray[np.floating],
    subsets: int,
    size: int,
    seed: int,
) -> tuple[float, float]:
    """Mean of `mmd` over random subsets, and its standard error.

    Args:
        generated: features, [N, d].
        reference: features, [M, d].
        subsets: how many, at least 2.
        size: vectors of each side per subset, drawn without replacement; at most N and M.
        seed: of the subsets.

    Returns:
        The mean, and the standard deviation over the subsets divided by sqrt(subsets): the error
        of looking at subsets, not that of generating anew.
    """

    def draw(side: str, k: int, features: NDArray[np.floating]) -> Array:
        uniform = Stream(seed, f"kernel {side} {k}").uniform(0, len(features)).numpy()
        return features[np.argsort(uniform, kind="stable")[:size]].astype(np.float64)

    values = [
        mmd(draw("generated", k, generated), draw("reference", k, reference))
        for k in range(subsets)
    ]
    return float(np.mean(values)), float(np.std(values, ddof=1)) / math.sqrt(subsets)
