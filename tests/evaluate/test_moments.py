import numpy as np
import pytest

from sid.evaluate.features.moments import Moments, combine, gaussian_of
from sid.evaluate.metrics.jackknife import grouped_moments


@pytest.mark.parametrize("size", [1, 7, 100, 2500])
def test_any_chunking_equals_numpy(size: int) -> None:
    # A mean a thousand deviations away: sums of squares would lose six digits.
    features = np.random.default_rng(0).normal(1000, 1, (2500, 6))
    moments = Moments(6)
    for start in range(0, 2500, size):
        moments.add(features[start : start + size])
    gaussian = moments.gaussian()
    np.testing.assert_allclose(gaussian.mean, features.mean(axis=0), rtol=1e-13)
    np.testing.assert_allclose(gaussian.covariance, np.cov(features.T), rtol=1e-9, atol=1e-12)


def test_float32_features_are_summed_in_float64() -> None:
    features = np.random.default_rng(0).normal(3, 1, (2500, 4)).astype(np.float32)
    gaussian = gaussian_of(features)
    expected = features.astype(np.float64)
    np.testing.assert_allclose(gaussian.mean, expected.mean(axis=0), rtol=1e-14)
    np.testing.assert_allclose(gaussian.covariance, np.cov(expected.T), rtol=1e-12, atol=1e-14)


def test_equal_images_have_a_covariance_of_zero() -> None:
    gaussian = gaussian_of(np.full((2500, 3), 0.1))
    assert (gaussian.mean == 0.1).all()
    assert not gaussian.covariance.any()


def test_divisor() -> None:
    features = np.random.default_rng(0).normal(size=(50, 3))
    moments = Moments(3)
    moments.add(features)
    for ddof in (0, 1):
        found = moments.gaussian(ddof).covariance
        np.testing.assert_allclose(found, np.cov(features.T, ddof=ddof), rtol=1e-12)


def test_combined_groups_are_the_whole() -> None:
    features = np.random.default_rng(0).normal(1000, 1, (2503, 4))
    groups = grouped_moments(features, seed=0)
    assert [group.count for group in groups] == [251] * 3 + [250] * 7
    before = groups[0].gaussian().covariance.copy()
    whole, expected = combine(groups).gaussian(), gaussian_of(features)
    np.testing.assert_allclose(whole.mean, expected.mean, rtol=1e-14)
    np.testing.assert_allclose(whole.covariance, expected.covariance, rtol=1e-11, atol=1e-13)
    np.testing.assert_array_equal(groups[0].gaussian().covariance, before)
    np.testing.assert_array_equal(combine(groups).gaussian().covariance, whole.covariance)
