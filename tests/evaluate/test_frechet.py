import mpmath
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sid.evaluate.features.moments import Array, Gaussian, gaussian_of
from sid.evaluate.implementations.libraries import clean_fid, torch_fidelity
from sid.evaluate.metrics.frechet import FrechetReference, cholesky, rank


def gaussian(mean: list[float], variances: list[float]) -> Gaussian:
    return Gaussian(np.array(mean), np.diag(variances))


def features(n: int, d: int, seed: int, shift: float = 0, power: float = 1) -> Array:
    """n vectors whose deviations fall as a power; their covariance is singular where n <= d."""
    rng = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(rng.normal(size=(d, d)))
    drawn: Array = rng.normal(shift, 1, (n, d)) * np.arange(1.0, d + 1) ** -power @ basis
    return drawn


def exact(one: Array, other: Array) -> float:
    """The distance of features in 50 digits, moments included, by R^1/2 C R^1/2.

    The moments too, as a covariance rounded to 1e-16 is not singular: roots make 1e-8 of it.
    """

    def moments(x: Array) -> tuple[list[mpmath.mpf], mpmath.matrix]:
        rows = [[mpmath.mpf(value) for value in row] for row in x.tolist()]
        mean = [mpmath.fsum(column) / len(rows) for column in zip(*rows, strict=True)]
        centred = mpmath.matrix([[v - m for v, m in zip(r, mean, strict=True)] for r in rows])
        return mean, centred.T * centred / (len(rows) - 1)

    def roots(values: mpmath.matrix) -> list[mpmath.mpf]:
        return [mpmath.sqrt(max(value, 0)) for value in values]

    with mpmath.workdps(50):
        (mean, covariance), (other_mean, other_covariance) = moments(one), moments(other)
        values, vectors = mpmath.eigsy(covariance)
        root = vectors * mpmath.diag(roots(values)) * vectors.T
        inner = mpmath.eigsy(root * other_covariance * root, eigvals_only=True)
        shift = mpmath.fsum((a - b) ** 2 for a, b in zip(mean, other_mean, strict=True))
        traces = mpmath.fsum(covariance[i, i] + other_covariance[i, i] for i in range(len(mean)))
        return float(shift + traces - 2 * mpmath.fsum(roots(inner)))


def random(n: int, d: int, seed: int, shift: float = 0, power: float = 1) -> Gaussian:
    return gaussian_of(features(n, d, seed, shift, power))


def test_diagonal_closed_form() -> None:
    reference = FrechetReference(gaussian([0, 0, 1], [1, 4, 9]))
    # |(3, 0, -4)|^2 + (1 - 2)^2 + (2 - 5)^2 + (3 - 1)^2
    assert reference.distance(gaussian([3, 0, -3], [4, 25, 1])) == pytest.approx(39, rel=1e-14)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ([1, 0, 0], [4, 9, 0], 10.0),  # (1 - 2)^2 + 9
        ([0, 0, 0], [1, 4, 9], 14.0),
        ([0, 2, 0], [0, 0, 3], 5.0),
        ([0, 0, 0], [0, 0, 0], 0.0),
    ],
)
def test_singular_covariances(one: list[float], other: list[float], expected: float) -> None:
    zeros = [0.0] * 3
    for a, b in ((one, other), (other, one)):
        reference = FrechetReference(gaussian(zeros, a))
        assert reference.rank == np.count_nonzero(a)
        assert reference.distance(gaussian(zeros, b)) == pytest.approx(expected, abs=1e-14)


def test_rotated_singular_covariances() -> None:
    # Commuting covariances of rank 2 in a random basis: (1 - 2)^2 + (3 - 0)^2 + (0 - 1)^2.
    basis, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))
    one, other = (
        Gaussian(np.zeros(5), basis @ np.diag(v) @ basis.T)
        for v in ([1.0, 9, 0, 0, 0], [4.0, 0, 1, 0, 0])
    )
    assert rank(one) == rank(other) == 2
    assert FrechetReference(one).distance(other) == pytest.approx(11, abs=1e-13)


@pytest.mark.parametrize(("n", "m"), [(40, 30), (40, 5), (4, 5)])  # Ranks 8, 4 and 3.
@pytest.mark.parametrize("power", [0, 1, 3])
def test_fifty_digits(n: int, m: int, power: float) -> None:
    one, other = features(n, 8, 0, power=power), features(m, 8, 1, 0.3, power)
    reference, generated = FrechetReference(gaussian_of(one)), gaussian_of(other)
    assert (reference.rank, rank(generated)) == (min(n - 1, 8), min(m - 1, 8))
    assert reference.distance(generated) == pytest.approx(exact(one, other), rel=1e-13)


def test_fifty_digits_of_degenerate_features() -> None:
    one, other = features(30, 6, 0), features(30, 6, 1, 0.3)
    one[:, 3] = one[:, 2]  # Twice the same feature.
    one[:, 4], other[:, 0] = 1.5, -2.0  # Dead features.
    other[:, 5] = other[0, 5] + 1e-6 * other[:, 4]
    reference, generated = FrechetReference(gaussian_of(one)), gaussian_of(other)
    assert (reference.rank, rank(generated)) == (4, 4)
    assert reference.distance(generated) == pytest.approx(exact(one, other), rel=1e-13)


@pytest.mark.parametrize("power", [0, 1])
def test_agrees_with_the_libraries_on_float64_features(power: float) -> None:
    one, other = features(900, 96, 0, power=power), features(700, 96, 1, 0.1, power)
    ours = FrechetReference(gaussian_of(one)).distance(gaussian_of(other))
    metric = torch_fidelity.metric_fid
    statistics = [metric.fid_features_to_statistics(torch.from_numpy(x)) for x in (one, other)]
    fidelity = metric.fid_statistics_to_metric(*statistics, verbose=False)
    assert ours == pytest.approx(fidelity["frechet_inception_distance"], rel=1e-10)
    moments = [x for side in statistics for x in (side["mu"], side["sigma"])]
    assert ours == pytest.approx(clean_fid.frechet_distance(*moments), rel=1e-10)


@pytest.mark.parametrize(("n", "power"), [(500, 0), (500, 4), (40, 1)])
def test_itself_is_zero_away(n: int, power: float) -> None:
    real = random(n, 64, 0, 0.5, power)
    assert abs(FrechetReference(real).distance(real)) < 1e-12


def test_swapped_is_the_same() -> None:
    one, other = random(400, 32, 0), random(20, 32, 1, 0.2)
    there, back = FrechetReference(one).distance(other), FrechetReference(other).distance(one)
    assert there == pytest.approx(back, rel=1e-13)


def test_rank_of_what_people_have() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(100, 6)).astype(np.float32)
    doubled = np.concatenate([features, features[:, :2], np.full((100, 1), 7)], axis=1)
    assert rank(gaussian_of(doubled)) == 6
    assert rank(gaussian_of(np.repeat(features[:1], 100, axis=0))) == 0
    assert rank(gaussian_of(np.repeat(features[:3], 30, axis=0))) == 2


def test_identical_images() -> None:
    same = gaussian_of(np.full((50, 3), 0.1))
    # All at one point: the distance of the means, and all the variance of the other side.
    assert FrechetReference(gaussian([0.1, 0.1, 0.1], [1, 4, 0])).distance(same) == 5
    assert FrechetReference(same).distance(gaussian([1.1, 0.1, 0.1], [1, 4, 0])) == 6


@pytest.mark.parametrize(
    "covariance",
    [
        np.diag([1.0, -1, 1]),
        np.array([[0.0, 1], [1, 0]]),
        np.array([[2.0, 1], [0, 2]]),
        np.diag([1.0, np.nan]),
        np.ones((2, 3)),
    ],
)
def test_what_is_no_covariance(covariance: Array) -> None:
    with pytest.raises(ValueError, match="the covariance is not"):
        cholesky(covariance)


def test_inputs_stay_as_they_are() -> None:
    one, other = random(300, 16, 0), random(300, 16, 1)
    before: list[NDArray[np.float64]] = [one.covariance.copy(), other.covariance.copy()]
    reference = FrechetReference(one)
    assert reference.distance(other) == reference.distance(other)
    np.testing.assert_array_equal(before, [one.covariance, other.covariance])


def test_bias_falls_as_one_over_n() -> None:
    rng = np.random.default_rng(0)
    reference = FrechetReference(Gaussian(np.zeros(16), np.eye(16)))

    def mean_at(n: int) -> float:
        drawn = (gaussian_of(rng.normal(size=(n, 16))) for _ in range(40))
        return float(np.mean([reference.distance(one) for one in drawn]))

    # To first order d / n for the mean and d (d + 1) / (4 n) for the covariance.
    for n in (500, 2000):
        assert mean_at(n) == pytest.approx((16 + 16 * 17 / 4) / n, rel=0.06)
