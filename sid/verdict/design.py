"""Runs crossed with draws: the mean, its error, and what an interval decides.

y_ij is the log value of run i on draw j. All runs, and the teacher, are drawn with the same noise,
so that they move together from draw to draw; the spread over runs does not show that, the spread
of the draws' means does. With run means r_i, draw means c_j and grand mean M the error of M is

    V = s_r^2 / N + s_c^2 / K,    N - 1 degrees of freedom,

and of a single run s^2 / K with K - 1 degrees, which says nothing of training. `docs/verdicts.md`
has what simulation makes of it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Array = NDArray[np.float64]

# Expected minimum of three standard normal values is -0.846, and its variance 0.56.
MINIMUM_OF_3 = 0.846
VARIANCE_OF_MINIMUM = 0.56


class Estimate(NamedTuple):
    """A mean of logarithms and its error.

    Attributes:
        mean: M.
        runs, draws: N and K.
        run_sd: s_r, over run means; nan of one run.
        redraw_sd: over the draws of one run, pooled over runs; nan of one draw.
        variance: V, of the mean.
        new_variance: of a new run about the mean, noise apart; of one run that of a new draw.
        freedom: degrees of freedom of both; 0 where nothing repeats.
    """

    mean: float
    runs: int
    draws: int
    run_sd: float
    redraw_sd: float
    variance: float
    new_variance: float
    freedom: int

    def decides(self) -> bool:
        """Whether there is an error to decide by: a variance of zero is a sign of copies."""
        return self.freedom > 0 and math.isfinite(self.variance) and self.variance > 0


def crossed(y: Array) -> Estimate:
    """The estimate of logarithms [N, K]; every run has every draw.

    Raises:
        ValueError: there is no value.
    """
    runs, draws = y.shape
    if not y.size:
        raise ValueError("no values")
    mean, within = float(y.mean()), math.nan
    if draws > 1:
        within = float(y.var(axis=1, ddof=1).mean())
    if runs == 1:
        return Estimate(
            mean, 1, draws, math.nan, math.sqrt(within), within / draws,
            within * (1 + 1 / draws), draws - 1,
        )  # fmt: skip
    over_runs = float(y.mean(axis=1).var(ddof=1))
    over_draws = float(y.mean(axis=0).var(ddof=1)) if draws > 1 else math.nan
    return Estimate(
        mean,
        runs,
        draws,
        math.sqrt(over_runs),
        math.sqrt(within),
        over_runs / runs + over_draws / draws,
        over_runs * (1 + 1 / runs) + over_draws / draws,
        runs - 1,
    )


def unpaired(a: Array, b: Array) -> Estimate:
    """The mean of `a` less that of `b`, of different runs [N, K] and [M, K] on the same draws.

    The degrees of freedom are those of the side with fewer runs, which is cautious.
    """
    one, other = crossed(a), crossed(b)
    runs = min(one.runs, other.runs)
    steps = a.mean(axis=0) - b.mean(axis=0)
    draws = len(steps)
    over_draws = float(steps.var(ddof=1)) / draws if draws > 1 else math.nan
    over_runs = one.run_sd**2 / one.runs + other.run_sd**2 / other.runs
    each = one.run_sd**2 + other.run_sd**2
    return Estimate(
        one.mean - other.mean,
        runs,
        draws,
        math.sqrt(each),
        math.hypot(one.redraw_sd, other.redraw_sd),
        over_runs + over_draws,
        each + over_runs + over_draws,
        runs - 1,
    )


def published_shift(of: str, s: float) -> float:
    """What the logarithm of a published value is below that of its generator's mean.

    Args:
        of: what kind of value it is: `mean of 10`, `single`, `minimum of 3` or `unknown`.
        s: standard deviation of our own draws, on the log scale.
    """
    return MINIMUM_OF_3 * s if of == "minimum of 3" else 0.0


def published_variance(of: str, s: float, draws: Array, share: float) -> Array:
    """The variance of a published value about its generator's mean, on the log scale.

    Args:
        of: as of `published_shift`.
        s: standard deviation of our own draws, on the log scale.
        draws: K, how many these are, [any].
        share: half a unit of the published value's last decimal, over the value.

    Returns:
        As many variances; of a minimum with the error of its shift, and so inf for one draw.
    """
    spread = np.full(len(draws), 0.1 if of == "mean of 10" else 1.0)
    if of == "minimum of 3":
        freedom = np.maximum(draws - 1, 0)
        spread = VARIANCE_OF_MINIMUM + np.divide(
            0.36, freedom, out=np.full(len(draws), math.inf), where=freedom > 0
        )
    return s**2 * spread + share**2 / 3


def quantile(level: float, freedom: int) -> float:
    """Student's t that a two-sided interval of this level reaches to."""
    return float(stdtrit(freedom, (1 + level) / 2)) if freedom > 0 else math.nan


def beyond(distance: float, variance: float, freedom: int) -> float:
    """One-sided p of a mean that lies `distance` beyond a bound; nan where nothing repeats."""
    if freedom <= 0 or not variance > 0:
        return math.nan
    return float(stdtr(freedom, -distance / math.sqrt(variance)))


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p of tests that are read together (Holm 1979); nan stays and counts not."""
    adjusted, least = [math.nan] * len(p), 0.0
    order = sorted((i for i in range(len(p)) if not math.isnan(p[i])), key=lambda i: p[i])
    for place, i in enumerate(order):
        least = max(least, min(1.0, (len(order) - place) * p[i]))
        adjusted[i] = least
    return adjusted
