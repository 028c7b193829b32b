import numpy as np
import pytest

from sid.evaluate.features.moments import Array
from sid.evaluate.metrics import neighbours
from sid.evaluate.metrics.neighbours import Manifold, nearest, nearest_others, squared_distances


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many tiles, the last of them a part."""
    monkeypatch.setattr(neighbours, "TILE", 16)


def brute(x: Array, y: Array) -> Array:
    found: Array = ((x[:, None] - y) ** 2).sum(axis=2)
    return found


def test_squared_distances() -> None:
    x, y = np.random.default_rng(0).normal(3, 1, (2, 30, 7))
    np.testing.assert_allclose(squared_distances(x, y), brute(x, y), rtol=1e-12)


@pytest.mark.parametrize("offset", [0, 1, 1e6])
def test_copies_are_at_zero_whatever_the_tile(offset: float) -> None:
    x = (np.random.default_rng(0).normal(size=(70, 300)) + offset).astype(np.float32)
    for stop in (1, 3, 70):
        distances = squared_distances(x[:stop], x)
        assert (distances[range(stop), range(stop)] == 0).all()
        assert np.count_nonzero(distances == 0) == stop


def test_nearest() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 50, 3))
    squared, index = nearest(x, y[:41], 4)
    expected = brute(x, y[:41])
    np.testing.assert_array_equal(index, expected.argsort(axis=1)[:, :4])
    np.testing.assert_allclose(squared, np.sort(expected, axis=1)[:, :4], rtol=1e-11)


def test_nearest_others_among_some() -> None:
    x = np.random.default_rng(0).normal(size=(50, 3))
    among = np.arange(1, 50, 7)
    squared, index = nearest_others(x, among, 3)
    expected = brute(x, x)
    np.fill_diagonal(expected, np.inf)
    expected[:, np.setdiff1d(np.arange(50), among)] = np.inf
    np.testing.assert_array_equal(index, expected.argsort(axis=1)[:, :3])
    np.testing.assert_allclose(squared, np.sort(expected, axis=1)[:, :3], rtol=1e-11)


def test_fewer_than_asked_for() -> None:
    squared, _ = nearest_others(np.array([[0.0], [1], [3]]), np.array([0, 1]), 2)
    np.testing.assert_array_equal(squared, [[1, np.inf], [1, np.inf], [4, 9]])


def test_manifold_with_duplicates() -> None:
    found = Manifold(np.array([[5.0], [5], [5], [7], [20]]), 2)
    np.testing.assert_array_equal(found.squared, [[0, 0]] * 3 + [[4, 4], [169, 225]])
    np.testing.assert_array_equal(found.nearest, [1, 0, 0, 0, 3])
