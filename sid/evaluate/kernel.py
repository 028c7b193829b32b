"""The kernel distance (KID, Binkowski et al. 2018): an unbiased MMD^2, cubic kernel, on subsets."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sid.evaluate.moments import Array


class KernelDistance(NamedTuple):
    """Mean of the MMD^2 of the subsets, and how far it can be trusted.

    Attributes:
        value: the mean.
        stderr: how much it would change with other images, generated and real, drawn anew; other
            subsets included.
        subset_stderr: how much it would change with other subsets of these images: the standard
            deviation over subsets divided by the root of their number. It goes to zero as
            subsets are added, though the images stay as few as they are.
    """

    value: float
    stderr: float
    subset_stderr: float


class Discrepancy(NamedTuple):
    """MMD^2 of one pair of sets, and the variance of its witness over either set.

    The witness of x is its mean kernel with the other vectors of its own side less that with the
    other side; MMD^2 is the sum of the means of both witnesses.
    """

    value: float
    variance_x: float
    variance_y: float


def kernel(x: Array, y: Array) -> Array:
    """k(x, y) = (x.y / d + 1)^3 for all pairs: [n, d] and [m, d] to [n, m]."""
    base: Array = x @ y.T / x.shape[1] + 1
    return base * base * base  # `** 3` is several times slower.


def mmd(x: Array, y: Array) -> Discrepancy:
    """Unbiased MMD^2 (Gretton et al. 2012, eq. 3) between x [n, d] and y [m, d], float64.

    Terms of a vector with itself are left out, so the value may be below zero.
    """
    across = kernel(x, y)
    witnesses = []
    for own, other in ((kernel(x, x), across.mean(axis=1)), (kernel(y, y), across.mean(axis=0))):
        witnesses.append((own.sum(axis=1) - own.diagonal()) / (len(own) - 1) - other)
    value = sum(float(witness.mean()) for witness in witnesses)
    return Discrepancy(value, *(float(witness.var(ddof=1)) for witness in witnesses))


def kernel_distance(
    generated: NDArray[np.floating],
    reference: NDArray[np.floating],
    subsets: int,
    size: int,
    seed: int,
) -> KernelDistance:
    """Mean of `mmd` over random subsets, which are those of torch-fidelity 0.4 for this seed.

    The error of the images is that of the linear part of the MMD^2 (Serfling 1980, section 5.3):
    4 / N times the variance of the witness, on either side. Witnesses of a subset are noisier than
    those of all images, so it errs upwards where the two sets are almost alike.

    Args:
        generated: features, [N, d]; only a subset at a time is read into memory.
        reference: features, [M, d]; likewise.
        subsets: how many, at least 2.
        size: vectors of each side per subset, drawn without replacement.
        seed: of the subsets.

    Raises:
        ValueError: fewer than two subsets, or a size that is below 2 or beyond N or M.
    """
    n, m = len(generated), len(reference)
    if subsets < 2 or not 2 <= size <= min(n, m):
        raise ValueError(
            f"{subsets} subsets of {size} images: need at least 2, of 2 to {min(n, m)} images "
            f"({n} generated, {m} real)"
        )
    rng = np.random.RandomState(seed)
    found = []
    for _ in range(subsets):
        x = generated[rng.choice(n, size, replace=False)].astype(np.float64)
        y = reference[rng.choice(m, size, replace=False)].astype(np.float64)
        found.append(mmd(x, y))
    values, in_x, in_y = np.array(found).T
    subset_variance = float(values.var(ddof=1)) / subsets
    image_variance = 4 * float(in_x.mean()) / n + 4 * float(in_y.mean()) / m
    return KernelDistance(
        float(values.mean()),
        math.sqrt(image_variance + subset_variance),
        math.sqrt(subset_variance),
    )
