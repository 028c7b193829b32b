import math

import pytest
from scipy import stats

from sid.verdict.intervals import mean_interval


def test_mean_interval_is_the_t_interval() -> None:
    found = mean_interval([1.0, 2.0, 3.0])
    half = stats.t.ppf(0.975, 2) / math.sqrt(3)
    assert found == pytest.approx((2.0, 2.0 - half, 2.0 + half))


def test_one_value_has_no_limits() -> None:
    assert math.isnan(mean_interval([5.0]).low)
