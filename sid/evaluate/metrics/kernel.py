"""The kernel distance (KID, Binkowski et al. 2018): an unbiased MMD^2, cubic kernel, on subsets."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sid.evaluate.features.moments import Array
from sid.evaluate.metrics.metric import Comparison, Metric, Value, indexed

NAME = "kernel_distance"
# Twenty subsets of 1,000, not the customary 100: the error of the mean over subsets is then still
# well below the difference between two draws, at a fifth of the time.
SUBSETS = 20
SUBSET_SIZE = 1000
ROWS = 64  # Of kernels at a time: half a megabyte for a subset of 1,000.


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
    return _cubed(x @ y.T, x.shape[1])


def _cubed(products: Array, d: int) -> Array:
    base: Array = products / d
    base += 1
    square = base * base  # `** 3` is several times slower.
    base *= square
    return base


class Side(NamedTuple):
    """What the variance takes of one side's kernels with itself.

    Attributes:
        mean: of a vector's kernels with all others, [n].
        pairs: variance of the kernel, less what a vector has in common with all others.
    """

    mean: Array
    pairs: float


def _sums(x: Array, y: Array) -> tuple[Array, Array, float]:
    """Sums of the kernels [n, m] over y and over x, and of their squares.

    If `y` is `x` itself, a vector's kernel with itself is left out.
    """
    (n, d), m = x.shape, len(y)
    # One product with all, which is fast; the rest by rows that stay in the processor's cache.
    products = x @ y.T
    of_x, of_y, squares = np.empty(n), np.zeros(m), 0.0
    for start in range(0, n, ROWS):
        part = _cubed(products[start : start + ROWS], d)
        if y is x:
            np.fill_diagonal(part[:, start:], 0)
        of_x[start : start + ROWS] = part.sum(axis=1)
        of_y += part.sum(axis=0)
        squares += float(np.vdot(part, part))
    return of_x, of_y, squares


def side(x: Array) -> Side:
    """What `mmd` needs of the kernels within x [n, d]."""
    n = len(x)
    total, _, squares = _sums(x, x)
    mean = total / (n - 1)
    pairs = squares / (n * (n - 1)) - mean.mean() ** 2 - 2 * mean.var(ddof=1)
    return Side(mean, max(0.0, float(pairs)))


def mmd(x: Array, y: Array, of_y: Side | None = None) -> Discrepancy:
    """Unbiased MMD^2 (Gretton et al. 2012, eq. 3) between x [n, d] and y [m, d], float64.

    Terms of a vector with itself are left out, so the value may be below zero.

    Args:
        x: one set.
        y: the other.
        of_y: `side(y)`, where it is known.
    """
    n, m = len(x), len(y)
    with_y, with_x, squares = _sums(x, y)
    with_y, with_x = with_y / m, with_x / n
    pairs = squares / (n * m) - with_y.mean() ** 2 - with_y.var() - with_x.var()
    pairs = max(0.0, float(pairs))

    def witness(own: Side, other: Array) -> tuple[float, float]:
        found, count = own.mean - other, len(own.mean)
        # A witness is a mean over finitely many others, whose noise is not its variance.
        noise = own.pairs / (count - 1) + pairs * count / (n * m)
        return float(found.mean()), float(found.var(ddof=1)) - noise

    of_x, of_y = side(x), of_y or side(y)
    value_x, witness_x = witness(of_x, with_y)
    value_y, witness_y = witness(of_y, with_x)
    return Discrepancy(value_x + value_y, witness_x, witness_y, of_x.pairs, of_y.pairs, pairs)


def kernel_distance(
    generated: NDArray[np.floating],
    reference: NDArray[np.floating],
    subsets: int,
    size: int,
    seed: int,
    sides: list[Side] | None = None,
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
        sides: of the reference's subsets, which are the same for any N generated images: what an
            earlier call put into this list, or an empty one to fill.

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
    found, sides = [], [] if sides is None else sides
    for k in range(subsets):
        x = generated[rng.choice(n, size, replace=False)].astype(np.float64)
        y = reference[rng.choice(m, size, replace=False)].astype(np.float64)
        if k == len(sides):
            sides.append(side(y))
        found.append(mmd(x, y, sides[k]))
    mean = Discrepancy(*np.mean(found, axis=0).tolist())
    of_subsets = float(np.var([one.value for one in found], ddof=1)) / subsets
    return KernelDistance(
        mean.value, math.sqrt(mean.variance(n, m) + of_subsets), math.sqrt(of_subsets)
    )


def subset_size(n_images: int, n_reference: int) -> int:
    """Images per subset: 1,000, or all where there are fewer."""
    return min(SUBSET_SIZE, n_images, n_reference)


def compute(asked: Comparison) -> list[Value]:
    """The kernel distance (see `Metric.compute`)."""
    fake, real = indexed(asked.generated.features), indexed(asked.real.features)
    # The real subsets are drawn alike for all sets of as many images: a curve, or each draw.
    sides = asked.made.get(asked.real, (NAME, len(fake), asked.seed), list[Side])
    found = kernel_distance(
        fake, real, SUBSETS, subset_size(len(fake), len(real)), asked.seed, sides
    )
    return [Value(NAME, found.value, found.stderr, "images")]


# Unbiased, so it may be below zero.
METRICS = (
    Metric(
        NAME,
        compute,
        title="Kernel distance",
        inception_title="KID",
        short=("kd", "kid"),
        usual=True,
        depends_on=frozenset({"reference", "subsets"}),
    ),
)
