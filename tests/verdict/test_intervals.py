import math

import numpy as np
import pytest
from scipy import stats

from sid.verdict.intervals import Interval, difference_interval, equivalence, mean_interval


def test_mean_interval_is_the_t_interval():
    found = mean_interval([1.0, 2.0, 3.0])
    half = stats.t.ppf(0.975, 2) / math.sqrt(3)
    assert found == pytest.approx((2.0, 2.0 - half, 2.0 + half))


def test_one_value_has_no_limits():
    assert math.isnan(mean_interval([5.0]).low)
    assert math.isnan(difference_interval([5.0], [4.0]).high)


def test_difference_is_welch_as_scipy_has_it():
    a, b = [1.0, 2.0, 4.0, 3.0], [0.0, 0.5, 2.5]
    expected = stats.ttest_ind(a, b, equal_var=False).confidence_interval(0.9)
    found = difference_interval(a, b, 0.9)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_a_lone_value_takes_the_other_sides_spread():
    a = [1.0, 2.0, 4.0]
    expected = stats.ttest_ind(a, [2.0], equal_var=True).confidence_interval(0.95)
    found = difference_interval(a, [2.0])
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))


def test_equal_values_give_a_point():
    assert difference_interval([1.0, 1.0], [1.0, 1.0]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("low", "high", "outcome"),
    [
        (-0.05, 0.08, "equivalent"),
        (0.02, 0.09, "equivalent"),
        (-0.3, -0.1, "better"),
        (0.11, 0.2, "worse"),
        (-0.05, 0.15, "inconclusive"),
        (-0.2, -0.05, "not worse"),
        (-0.2, 0.2, "inconclusive"),
        (math.nan, math.nan, "inconclusive"),
    ],
)
def test_equivalence(low, high, outcome):
    assert equivalence(Interval((low + high) / 2, low, high), 0.1) == outcome


def test_the_interval_covers_as_often_as_it_says():
    rng = np.random.default_rng(0)
    draws = rng.standard_normal((2000, 3))
    covered = [found.low < 0 < found.high for found in map(mean_interval, draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)
