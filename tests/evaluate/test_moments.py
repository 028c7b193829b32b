import numpy as np
import pytest

from sid.evaluate.moments import Moments, gaussian_of


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


def test_one_image_has_no_covariance() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        gaussian_of(np.zeros((1, 3)))
