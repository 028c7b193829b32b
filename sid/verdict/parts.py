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
    p = max(each)  # Of fewest degrees; the answer lies between it and that of most.
    if min(each) < p:
        p = float(brentq(lambda p: reach(parts, 1 - 2 * p) - abs(distance), min(each), p))
    return p if distance > 0 else 1 - p
