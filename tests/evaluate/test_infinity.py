import numpy as np
import pytest

from sid.evaluate.features.moments import Gaussian, gaussian_of
from sid.evaluate.metrics.frechet import FrechetReference
from sid.evaluate.metrics.infinity import frechet_infinity
from sid.evaluate.metrics.jackknife import frechet_stderr, grouped_moments

D = 16
UNIT = FrechetReference(Gaussian(np.zeros(D), np.eye(D)))


def test_two_gaussians() -> None:
    rng = np.random.default_rng(0)
    mean, deviations = np.full(D, 0.1), np.linspace(0.7, 1.3, D)
    truth = float(mean @ mean + ((deviations - 1) ** 2).sum())
    n, finite, infinite, errors = 1000, [], [], []
    for seed in range(60):
        features = mean + rng.normal(size=(n, D)) * deviations
        groups = grouped_moments(features, seed)
        found = frechet_infinity(UNIT, groups)
        finite.append(UNIT.distance(gaussian_of(features)))
        infinite.append(found.value)
        errors.append(np.hypot(found.fit_stderr, frechet_stderr(UNIT, groups)))
    off, error = np.array(infinite) - truth, np.array(errors)
    # Nine degrees of freedom and a little: within 2.26 errors 95 times of 100.
    assert (np.abs(off) < 2.26 * error).mean() > 0.85
    # An error of the right size: the mean of 60 is within 3 errors of a mean of 60.
    bias = np.mean(finite) - truth
    assert abs(off.mean()) < 3 * off.std() / np.sqrt(60)
    assert abs(off.mean()) < 0.2 * bias
    # d / n of the mean and d (d + 1) / 4n of the covariance, where both are of variance one.
    assert bias == pytest.approx((D + D * (D + 1) / 4) / n, rel=0.2)


def test_bias_of_equal_gaussians() -> None:
    rng = np.random.default_rng(1)
    found = [
        frechet_infinity(UNIT, grouped_moments(rng.normal(size=(2000, D)), seed))
        for seed in range(20)
    ]
    assert np.mean([f.slope for f in found]) == pytest.approx(D + D * (D + 1) / 4, rel=0.05)
    assert abs(np.mean([f.value for f in found])) < 0.05 * found[0].distances[0]


def test_points() -> None:
    features = np.random.default_rng(0).normal(size=(1003, D))
    found = frechet_infinity(UNIT, grouped_moments(features, 0))
    np.testing.assert_allclose(found.sizes, 1003 / np.arange(1, 6))
    assert found.distances[0] == pytest.approx(UNIT.distance(gaussian_of(features)), rel=1e-12)
    assert (np.diff(found.distances) > 0).all()
    # The line through the points, by another routine.
    levels = np.arange(1, 6)
    (slope, value), covariance = np.polyfit(
        levels / 1003, found.distances, 1, w=levels**-0.5, cov=True
    )
    assert (found.value, found.slope) == pytest.approx((value, slope), rel=1e-9)
    assert found.fit_stderr == pytest.approx(np.sqrt(covariance[1, 1]), rel=1e-9)
