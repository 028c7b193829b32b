"""The error of a mean in parts, each with its own degrees of freedom.

A mean's variance is a sum of parts, v_1 + v_2 + ..., each estimated on its own: one from runs, one
from draws. Its interval reaches

    half^2 = v_1 t_1^2 + v_2 t_2^2 + ...,

with t_i Student's t of the part's own degrees (Banerjee 1960, Sankhya 22, 357). It covers at least
its level, whatever the true parts are: with shares w_i of the true variance, and u_i the estimate
of part i over its truth, it covers if chi-square of one degree is below the sum of w_i (t_i^2 u_i).
Its distribution function is concave, so that this is at least as likely as the average over the
parts, with weights w_i, of what each alone would have, and that is the level. Of one part it is the
t-interval.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

from scipy.optimize import brentq
from scipy.special import stdtr, stdtrit

TINY = 1e-100  # Of a p that is not looked for below it: squares of t overflow.


class Part(NamedTuple):
    """A part of a variance.

    Attributes:
        variance: as estimated; nan where nothing repeats.
        freedom: degrees of freedom; 0 where nothing repeats.
    """

    variance: float
    freedom: int


def quantile(level: float, freedom: int) -> float:
    """Student's t that a two-sided interval of this level reaches to."""
    return float(stdtrit(freedom, (1 + level) / 2)) if freedom > 0 else math.nan


def known(parts: Sequence[Part]) -> bool:
    """Whether there is an error to decide by: a variance of zero is a sign of copies."""
    total = math.fsum(part.variance for part in parts)
    return all(part.freedom > 0 for part in parts) and math.isfinite(total) and total > 0


def reach(parts: Sequence[Part], level: float) -> float:
    """What an interval reaches to either side; nan where nothing repeats."""
    squares = (quantile(level, part.freedom) ** 2 * part.variance for part in parts)
    return math.sqrt(math.fsum(squares))


def beyond(distance: float, parts: Sequence[Part]) -> float:
    """One-sided p of a mean that lies `distance` beyond a bound; nan where nothing repeats."""
    if not known(parts):
        return math.nan
    total = math.fsum(part.variance for part in parts)
    each = [float(stdtr(part.freedom, -abs(distance) / math.sqrt(total))) for part in parts]
    varying = [part for part in parts if part.variance]
    p = _solved(abs(distance), varying, max(min(each), TINY), max(each))
    return p if distance > 0 else 1 - p


def _solved(distance: float, parts: Sequence[Part], low: float, high: float) -> float:
    """The p at which an interval reaches to `distance`, between that of most and fewest degrees."""

    def farther(log_p: float) -> float:
        # Of p itself, since 1 - p is 1 for a small one.
        p = math.exp(log_p)
        squares = (float(stdtrit(part.freedom, p)) ** 2 * part.variance for part in parts)
        return math.sqrt(math.fsum(squares)) - distance

    if low >= high or farther(math.log(high)) >= 0:
        return high
    if farther(math.log(low)) <= 0:
        return low
    return math.exp(brentq(farther, math.log(low), math.log(high), xtol=1e-12))
