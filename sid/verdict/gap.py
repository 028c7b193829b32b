"""The gap between a generator and a published value of it, with the law of its error.

D = M - log p is the gap and an error: M is the mean of our K draws, and p one value, a mean of ten
or the least of three of as many draws of the publisher's. With s the standard deviation of our
draws, (D - gap) / s has a law that depends on K alone, if logarithms are normal: Student's t with
K - 1 degrees times sqrt(1/K + spread). That of a minimum is lopsided, and is integrated here.
"""

import math
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri, ndtr, stdtr, stdtrit

from sid.verdict.entries import Of

Array = NDArray[np.float64]

# A published value about its generator's mean: what its logarithm is below that on the average, in
# standard deviations of a draw, and its variance, in variances of a draw.
SHIFT: dict[Of, float] = {"mean of 10": 0, "single": 0, "unknown": 0, "minimum of 3": 0.846}
SPREAD: dict[Of, float] = {"mean of 10": 0.1, "single": 1, "unknown": 1, "minimum of 3": 0.56}


class Gap(NamedTuple):
    """A gap, and what K draws of the spread s tell of it.

    Attributes:
        value: D, with a minimum's expected shift.
        s: standard deviation of our draws, on the log scale.
        of: what kind of value is published.
        share: half a unit of the published value's last decimal, over the value.
    """

    value: float
    s: float
    of: Of
    share: float

    def _scale(self, draws: int) -> float:
        """s, widened as if rounding (uniform, of variance share^2 / 3) were of the same law."""
        return math.sqrt(self.s**2 + self.share**2 / 3 / (1 / draws + SPREAD[self.of]))

    def limits(self, draws: int, level: float) -> tuple[float, float]:
        """The interval of the gap, each end a one-sided test; nan of one draw."""
        low, high = (_quantile(self.of, draws, (1 + way * level) / 2) for way in (-1, 1))
        scale = self._scale(draws)
        return self.value - scale * high, self.value - scale * low

    def beyond(self, draws: int, margin: float) -> float:
        """P of the test that the gap is within the margin; nan where nothing repeats.

        A gap at one end of the margin may be taken for one beyond either end. So the p at the
        nearer end counts, and the chance that the other end gets as small a one.
        """
        scale = self._scale(draws)
        if draws < 2 or not scale > 0:
            return math.nan
        low, high = (self.value + margin) / scale, (self.value - margin) / scale
        tails = _cdf(self.of, draws, low), 1 - _cdf(self.of, draws, high)
        p = min(tails)
        if p < TINY:
            return p
        if tails[0] == p:
            high = _quantile(self.of, draws, 1 - p)
        else:
            low = _quantile(self.of, draws, p)
        wide = 2 * margin / scale
        other = max(_cdf(self.of, draws, low - wide), 1 - _cdf(self.of, draws, high + wide))
        return min(1.0, p + other)


TINY = 1e-9  # Below it the integral has no digits; no page has so many tests.


def _cdf(of: Of, draws: int, x: float) -> float:
    """Of the law of (D - gap) / s, where D has the shift."""
    if of != "minimum of 3":
        return float(stdtr(draws - 1, x / math.sqrt(1 / draws + SPREAD[of])))
    s, mean, weights = _nodes(draws)
    # M - min <= x s, if all three values are above M - x s.
    above = ndtr((x + SHIFT[of]) * s[:, None] - mean[None]) ** 3
    return float(np.sum(weights * above))


@lru_cache(maxsize=4096)
def _quantile(of: Of, draws: int, p: float) -> float:
    if draws < 2:
        return math.nan
    if of != "minimum of 3":
        return math.sqrt(1 / draws + SPREAD[of]) * float(stdtrit(draws - 1, p))
    end = 2.0
    while not _cdf(of, draws, -end) < p < _cdf(of, draws, end):
        end *= 2
    return float(brentq(lambda x: _cdf(of, draws, x) - p, -end, end, xtol=1e-9))


@cache
def _nodes(draws: int) -> tuple[Array, Array, Array]:
    """Of a draw's unit: s [128], M [16] and the weights of both [128, 16]."""
    freedom = draws - 1
    at, weight = np.polynomial.legendre.leggauss(128)
    most = math.sqrt(chdtri(freedom, 1e-15) / freedom)
    s = (at + 1) / 2 * most
    logs = (freedom - 1) * np.log(s) - freedom * s**2 / 2
    weight = weight * np.exp(logs - logs.max())
    mean, normal = np.polynomial.hermite_e.hermegauss(16)
    both = np.outer(weight / weight.sum(), normal / normal.sum())
    return s, mean / math.sqrt(draws), both
