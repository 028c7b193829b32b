"""The t-interval of a mean, on any scale; distances are compared on the log scale.

A distance's noise is relative (about a tenth from draw to draw), so differences of logarithms,
which are logarithms of ratios, have comparable variances; `Interval.exp` turns them into ratios.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats


class Interval(NamedTuple):
    """An estimate with its confidence limits; the limits are nan where nothing repeats."""

    value: float
    low: float
    high: float

    def exp(self) -> "Interval":
        """From logarithms to ratios."""
        return Interval(*(math.exp(part) for part in self))


def around(value: float, stderr: float, freedom: float, level: float) -> Interval:
    """Limits at t standard errors, Student's t of `freedom` degrees; none where that is 0."""
    if freedom <= 0 or math.isnan(stderr):
        return Interval(value, math.nan, math.nan)
    half = float(stats.t.ppf((1 + level) / 2, freedom)) * stderr
    return Interval(value, value - half, value + half)


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """The t-interval of a mean.

    Args:
        values: independent values, at least one.
        level: confidence, as a share.
    """
    n = len(values)
    stderr = float(np.std(values, ddof=1)) / math.sqrt(n) if n > 1 else math.nan
    return around(float(np.mean(values)), stderr, n - 1, level)
