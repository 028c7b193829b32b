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
    """MMD^2 of one pair of sets, and what its variance is made of (Hoeffding's decomposition).

    Attributes:
        value: MMD^2, unbiased.
        witness_x: variance over x of the witness, which is a vector's mean kernel with its own
            side less that with the other side; unbiased, so it may be below zero.
        witness_y: likewise over y.
        pairs_x: variance of the kernel within x, less what a vector has in common with all others.
        pairs_y: likewise within y.
        pairs_across: likewise between x and y.
    """

    value: float
    witness_x: float
    witness_y: float
    pairs_x: float
    pairs_y: float
    pairs_across: float

    def variance(self, n: int, m: int) -> float:
        """Of the MMD^2 between n and m vectors of these distributions (Serfling 1980, sec. 5.2)."""
        linear = max(0.0, 4 * self.witness_x / n + 4 * self.witness_y / m)
        within = 2 * self.pairs_x / (n * (n - 1)) + 2 * self.pairs_y / (m * (m - 1))
        return linear + within + 4 * self.pairs_across / (n * m)


def kernel(x: Array, y: Array) -> Array:
    """k(x, y) = (x.y / d + 1)^3 for all pairs: [n, d] and [m, d] to [n, m]."""
    base: Array = x @ y.T / x.shape[1] + 1
    return base * base * base  # `** 3` is several times slower.


def mmd(x: Array, y: Array) -> Discrepancy:
    """Unbiased MMD^2 (Gretton et al. 2012, eq. 3) between x [n, d] and y [m, d], float64.

    Terms of a vector with itself are left out, so the value may be below zero.
    """
    across = kernel(x, y)
    of_x, of_y = across.mean(axis=1), across.mean(axis=0)
    across -= of_x[:, None] + of_y - of_x.mean()
    pairs = float((across**2).mean())

    def side(vectors: Array, other: Array) -> tuple[float, float, float]:
        n, own = len(vectors), kernel(vectors, vectors)
        np.fill_diagonal(own, 0)
        mean = own.sum(axis=1) / (n - 1)
        own -= mean[:, None] + mean - mean.mean()
        np.fill_diagonal(own, 0)
        within = float((own**2).sum()) / (n * (n - 1))
        # A witness is a mean over finitely many others, whose noise is not its variance.
        noise = within / (n - 1) + pairs * n / across.size
        return float((mean - other).mean()), float((mean - other).var(ddof=1)) - noise, within

    value_x, witness_x, pairs_x = side(x, of_x)
    value_y, witness_y, pairs_y = side(y, of_y)
    return Discrepancy(value_x + value_y, witness_x, witness_y, pairs_x, pairs_y, pairs)


def kernel_distance(
    generated: NDArray[np.floating],
    reference: NDArray[np.floating],
    subsets: int,
    size: int,
    seed: int,
) -> KernelDistance:
    """Mean of `mmd` over random subsets, which are those of torch-fidelity 0.4 for this seed.

    Its variance is that of the MMD^2 of all N and M images, by the subsets' estimates of its
    components, and that of the mean over subsets around it.

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
    mean = Discrepancy(*np.mean(found, axis=0).tolist())
    of_subsets = float(np.var([one.value for one in found], ddof=1)) / subsets
    return KernelDistance(
        mean.value, math.sqrt(mean.variance(n, m) + of_subsets), math.sqrt(of_subsets)
    )
