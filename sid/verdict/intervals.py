"""Confidence intervals and equivalence, on any scale; distances are compared on the log scale.

A distance's noise is relative (about a tenth from draw to draw), so differences of logarithms,
which are logarithms of ratios, have comparable variances; `Interval.exp` turns them into ratios.
"""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

Outcome = Literal["equivalent", "better", "not worse", "worse", "inconclusive"]


class Interval(NamedTuple):
    """An estimate with its confidence limits; the limits are nan where nothing repeats."""

    value: float
    low: float
    high: float

    def exp(self) -> "Interval":
        """From logarithms to ratios."""
        return Interval(*(math.exp(part) for part in self))


def no_interval(value: float) -> Interval:
    """A value of which nothing independent repeats."""
    return Interval(value, math.nan, math.nan)


def around(value: float, stderr: float, freedom: float, level: float) -> Interval:
    """Limits at t standard errors, Student's t of `freedom` degrees; none where that is 0."""
    if freedom <= 0 or math.isnan(stderr):
        return no_interval(value)
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


def difference_interval(a: Sequence[float], b: Sequence[float], level: float = 0.95) -> Interval:
    """mean(a) - mean(b): Welch's interval; with one value on a side, the variance is pooled.

    The pooled form (Student) gives the lone value the spread of the other side.

    Args:
        a: independent values, at least one.
        b: the same of the other side.
        level: confidence, as a share.
    """
    value = float(np.mean(a) - np.mean(b))
    n_a, n_b = len(a), len(b)
    if min(n_a, n_b) > 1:
        v_a, v_b = float(np.var(a, ddof=1)) / n_a, float(np.var(b, ddof=1)) / n_b
        total = v_a + v_b
        if total == 0:
            return Interval(value, value, value)
        freedom = total**2 / (v_a**2 / (n_a - 1) + v_b**2 / (n_b - 1))
        return around(value, math.sqrt(total), freedom, level)
    freedom = n_a + n_b - 2
    if freedom <= 0:
        return no_interval(value)
    squares = float(np.var(a)) * n_a + float(np.var(b)) * n_b
    stderr = math.sqrt(squares / freedom * (1 / n_a + 1 / n_b))
    return around(value, stderr, freedom, level)


def equivalence(interval: Interval, margin: float) -> Outcome:
    """Two one-sided tests (Schuirmann 1987), read off an interval.

    Args:
        interval: of a difference where lower is better; for tests at 5 %, the 90 % interval.
        margin: largest difference that counts as none, > 0.

    Returns:
        `equivalent` where the interval lies inside +-margin; `better` or `worse` where it lies
        beyond the margin; `not worse` where it reaches from inside to below, so that one of the
        first two is true; else `inconclusive`.
    """
    if interval.low > -margin and interval.high < margin:
        return "equivalent"
    if interval.high <= -margin:
        return "better"
    if interval.high < margin:
        return "not worse"
    return "worse" if interval.low >= margin else "inconclusive"
