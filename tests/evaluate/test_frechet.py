import numpy as np
import pytest
import scipy.linalg

from sid.evaluate.frechet import FrechetReference
from sid.evaluate.moments import Gaussian, gaussian_of


def gaussian(mean: list[float], variances: list[float]) -> Gaussian:
    return Gaussian(np.array(mean), np.diag(variances))


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
        distance = FrechetReference(gaussian(zeros, a)).distance(gaussian(zeros, b))
        assert distance == pytest.approx(expected, abs=1e-14)


def test_rotated_singular_covariances() -> None:
    # Commuting covariances of rank 2 in a random basis: (1 - 2)^2 + (3 - 0)^2 + (0 - 1)^2.
    basis, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))
    one, other = (
        Gaussian(np.zeros(5), basis @ np.diag(v) @ basis.T)
        for v in ([1.0, 9, 0, 0, 0], [4.0, 0, 1, 0, 0])
    )
    assert FrechetReference(one).distance(other) == pytest.approx(11, abs=1e-6)


@pytest.mark.parametrize("n", [400, 40])  # 40 samples in 64 dimensions: singular.
def test_agrees_with_a_matrix_square_root(n: int) -> None:
    rng = np.random.default_rng(n)
    mixing = rng.normal(size=(64, 64)) / 8
    real = gaussian_of(rng.normal(size=(400, 64)))
    fake = gaussian_of(rng.normal(0.1, 1, size=(n, 64)) @ mixing)
    root = scipy.linalg.sqrtm(real.covariance)
    overlap = np.trace(scipy.linalg.sqrtm(root @ fake.covariance @ root).real)
    shift = fake.mean - real.mean
    expected = shift @ shift + np.trace(fake.covariance + real.covariance) - 2 * overlap
    assert FrechetReference(real).distance(fake) == pytest.approx(expected, rel=1e-6)


def test_itself_is_zero_away() -> None:
    real = gaussian_of(np.random.default_rng(0).normal(size=(500, 64)))
    assert abs(FrechetReference(real).distance(real)) < 1e-10


def test_bias_falls_as_one_over_n() -> None:
    rng = np.random.default_rng(0)
    reference = FrechetReference(Gaussian(np.zeros(16), np.eye(16)))

    def mean_at(n: int) -> float:
        return float(
            np.mean([reference.distance(gaussian_of(rng.normal(size=(n, 16)))) for _ in range(40)])
        )

    # To first order d / n for the mean and d (d + 1) / (4 n) for the covariance.
    for n in (500, 2000):
        assert mean_at(n) == pytest.approx((16 + 16 * 17 / 4) / n, rel=0.06)
