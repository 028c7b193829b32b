"""Runs crossed with draws: the mean, its error, and what an interval decides.

y_ij is the log value of run i on draw j. All runs, and the teacher, are drawn with the same noise,
so that they move together from draw to draw; the spread over runs does not show that, the spread
of the draws' means does. With run means r_i, draw means c_j and grand mean M the error of M has two
parts,

    s_r^2 / N with N - 1 degrees of freedom, and s_c^2 / K with K - 1,

and of a single run only s^2 / K with K - 1 degrees, which says nothing of training.
`docs/verdicts.md` has what simulation makes of it.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sid.verdict.parts import Part

Array = NDArray[np.float64]


class Estimate(NamedTuple):
    """A mean of logarithms and its error.

    Attributes:
        mean: M.
        runs, draws: N and K.
        run_sd: s_r, over run means; nan of one run.
        redraw_sd: over the draws of one run, pooled over runs; nan of one draw.
        parts: of the variance of the mean; the last is that of draws.
        new: of the variance of a new run about the mean, noise apart; of one run, of a new draw.
    """

    mean: float
    runs: int
    draws: int
    run_sd: float
    redraw_sd: float
    parts: tuple[Part, ...]
    new: tuple[Part, ...]


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
        parts, new = Part(within / draws, draws - 1), Part(within * (1 + 1 / draws), draws - 1)
        return Estimate(mean, 1, draws, math.nan, math.sqrt(within), (parts,), (new,))
    over_runs, over_draws = float(y.mean(axis=1).var(ddof=1)), _of_draws(y.mean(axis=0))
    return Estimate(
        mean,
        runs,
        draws,
        math.sqrt(over_runs),
        math.sqrt(within),
        (Part(over_runs / runs, runs - 1), over_draws),
        (Part(over_runs * (1 + 1 / runs), runs - 1), over_draws),
    )


def unpaired(a: Array, b: Array) -> Estimate:
    """The mean of `a` less that of `b`, of different runs [N, K] and [M, K] on the same draws."""
    sides = crossed(a), crossed(b)
    over_draws = _of_draws(a.mean(axis=0) - b.mean(axis=0))
    squares = [(side.run_sd**2, side.runs) for side in sides]
    return Estimate(
        sides[0].mean - sides[1].mean,
        min(side.runs for side in sides),
        over_draws.freedom + 1,
        math.hypot(*(side.run_sd for side in sides)),
        math.hypot(*(side.redraw_sd for side in sides)),
        (*(Part(square / runs, runs - 1) for square, runs in squares), over_draws),
        (*(Part(square * (1 + 1 / runs), runs - 1) for square, runs in squares), over_draws),
    )


def _of_draws(means: Array) -> Part:
    """The part of draws, from their means [K]."""
    draws = len(means)
    return Part(float(means.var(ddof=1)) / draws if draws > 1 else math.nan, draws - 1)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p of tests that are read together (Holm 1979); nan stays and counts not."""
    adjusted, least = [math.nan] * len(p), 0.0
    order = sorted((i for i in range(len(p)) if not math.isnan(p[i])), key=lambda i: p[i])
    for place, i in enumerate(order):
        least = max(least, min(1.0, (len(order) - place) * p[i]))
        adjusted[i] = least
    return adjusted
