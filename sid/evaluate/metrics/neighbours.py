"""Squared distances between feature vectors in tiles, and every vector's nearest others."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from sid.evaluate.features.moments import Array
from sid.evaluate.metrics.metric import Comparison, indexed

NEIGHBOURS = 5  # Density and coverage take so many.
TILE = 1024  # A tile of distances is 8 MB, whatever the number of images.
EPS = float(np.finfo(np.float64).eps)

Features = NDArray[np.floating]
Index = NDArray[np.int64]


def squared_distances(x: Features, y: Features) -> Array:
    """|x_i - y_j|^2 for all pairs, float64: [n, d] and [m, d] to [n, m].

    Computed as |x|^2 + |y|^2 - 2 x.y. What is left of a difference below the rounding of that sum
    is exactly zero, so that copies are copies whatever the tile that they meet in.
    """
    x, y = x.astype(np.float64), y.astype(np.float64)
    sums = np.einsum("nd,nd->n", x, x)[:, None] + np.einsum("md,md->m", y, y)
    found: Array = sums - 2 * (x @ y.T)
    found[found <= (x.shape[1] + 4) * EPS * sums] = 0
    return found


def tiles(items: Index) -> Iterator[Index]:
    """The items in order, at most `TILE` at a time."""
    return (items[start : start + TILE] for start in range(0, len(items), TILE))


def nearest(rows: Features, columns: Features, k: int) -> tuple[Array, Index]:
    """The k vectors of `columns` nearest to each of `rows`, [n, d] and [m, d], m >= k.

    Returns:
        Squared distances, rising, float64 [n, k], and which vectors they are of, int64 [n, k].
    """
    return _nearest(rows, columns, np.arange(len(columns)), k, itself=True)


def nearest_others(features: Features, among: Index, k: int) -> tuple[Array, Index]:
    """The k nearest to every vector of a set among some of it, itself left out.

    Args:
        features: the set, [N, d].
        among: which vectors may be neighbours.
        k: how many; the distance is infinite where there are fewer.

    Returns:
        As `nearest`, [N, k].
    """
    return _nearest(features, features, among, k, itself=False)


def _nearest(
    rows: Features, columns: Features, among: Index, k: int, itself: bool
) -> tuple[Array, Index]:
    squared = np.full((len(rows), k), np.inf)
    index = np.zeros((len(rows), k), np.int64)
    for these in tiles(np.arange(len(rows))):
        tile = rows[these]
        for those in tiles(among):
            distances = squared_distances(tile, columns[those])
            if not itself:
                distances[these[:, None] == those] = np.inf
            found, place = _smallest(distances, min(k, len(those)))
            # Those found before come first, so that of equal distances the lower number stays.
            both = np.concatenate([squared[these], found], axis=1)
            order = both.argsort(axis=1, kind="stable")[:, :k]
            numbers = np.concatenate([index[these], those[place]], axis=1)
            squared[these] = np.take_along_axis(both, order, axis=1)
            index[these] = np.take_along_axis(numbers, order, axis=1)
    return squared, index


def _smallest(distances: Array, k: int) -> tuple[Array, Index]:
    # For a few neighbours several times faster than a partition. Overwrites `distances`.
    rows = np.arange(len(distances))
    squared, place = np.empty((len(rows), k)), np.empty((len(rows), k), np.int64)
    for j in range(k):
        place[:, j] = distances.argmin(axis=1)
        squared[:, j] = distances[rows, place[:, j]]
        distances[rows, place[:, j]] = np.inf
    return squared, place


class Manifold:
    """A set of vectors with each one's nearest others, found once for any number of comparisons.

    A manifold in the sense of Kynkaanniemi et al. 2019: balls that reach to the k-th neighbour.

    Args:
        features: [N, d], indexed like an array; read a tile at a time.
        k: neighbours to find, 1 <= k < N.

    Attributes:
        features: as given.
        squared: squared distances to the k nearest others, rising, float64 [N, k].
        nearest: which vector is the nearest other, int64 [N].

    Raises:
        ValueError: k is not below N: a vector has only N - 1 others.
    """

    def __init__(self, features: Features, k: int = NEIGHBOURS) -> None:
        n = len(features)
        if not 1 <= k < n:
            raise ValueError(
                f"{k} nearest neighbours among {n} images: each has {max(n - 1, 0)} others; "
                f"give at least {k + 1} images"
            )
        self.features = features
        self.squared, index = nearest_others(features, np.arange(n), k)
        self.nearest: Index = index[:, 0]


def manifold_of(asked: Comparison) -> Manifold:
    """The manifold of a reference, found once for all metrics that take it."""
    return asked.made.get(asked.real, Manifold, lambda: Manifold(indexed(asked.real.features)))
