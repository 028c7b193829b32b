import numpy as np
import pytest

from sid.evaluate.features.moments import Gaussian, gaussian_of
from sid.evaluate.metrics.frechet import FrechetReference
from sid.evaluate.metrics.jackknife import frechet_stderr, grouped_moments, random_groups

UNIT = FrechetReference(Gaussian(np.zeros(4), np.eye(4)))


def test_error_is_the_spread_of_new_images() -> None:
    rng = np.random.default_rng(0)
    deviations = np.array([0.5, 0.8, 1, 1.4])
    distances, errors = [], []
    for seed in range(300):
        features = rng.normal(0.1, 1, (500, 4)) * deviations
        distances.append(UNIT.distance(gaussian_of(features)))
        errors.append(frechet_stderr(UNIT, grouped_moments(features, seed)))
    # The spread of 300 is good to 4 %, a mean of 300 squares with 9 degrees of freedom to 3 %.
    assert np.sqrt(np.mean(np.square(errors))) == pytest.approx(np.std(distances), rel=0.15)
    # Nine degrees of freedom, as the docstring has it: by itself, uncertain by a quarter.
    assert np.std(errors) / np.mean(errors) == pytest.approx(0.25, abs=0.06)


def test_images_all_alike_have_no_error() -> None:
    groups = grouped_moments(np.ones((50, 4)), 0)
    assert frechet_stderr(UNIT, groups) == 0


def test_groups_are_random_by_seed() -> None:
    one, again, other = (random_groups(95, seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert sorted(np.bincount(one).tolist()) == [9] * 5 + [10] * 5
    # Images sorted by class: every group gets its share of the first half.
    assert np.bincount(random_groups(10_000, 0)[:5000]).min() > 400
