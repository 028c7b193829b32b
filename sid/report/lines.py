"""Distance over images seen, of every recipe over its training seeds."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sid.report.benchmark import Benchmark
from sid.report.naming import titles
from sid.verdict.claim import Claims

Array = NDArray[np.float64]


class Line(NamedTuple):
    """One recipe's curve over training seeds.

    Attributes:
        kimg: thousands of images seen, [N]; a recipe that starts from another counts from there.
        middle: geometric mean over seeds, [N].
        low: least over seeds, [N].
        high: greatest over seeds, [N].
        seeds: training seeds.
        tails: of each seed that is ahead of another, its kimg and its distances from there on.
    """

    kimg: Array
    middle: Array
    low: Array
    high: Array
    seeds: int
    tails: tuple[tuple[Array, Array], ...] = ()

    @property
    def end(self) -> tuple[float, float]:
        """Where the seed that is farthest ahead stands: kimg and distance."""
        ends = [(float(x[-1]), float(y[-1])) for x, y in ((self.kimg, self.middle), *self.tails)]
        return max(ends)


def lines(benchmark: Benchmark, claims: Claims) -> dict[str, Line]:
    """Each recipe's curve at the images that all of its seeds have, in the claims' order.

    Args:
        benchmark: whose records.
        claims: whose subjects have the order.
    """
    rows = benchmark.distances("curve")
    rows = rows[rows["draw"] == 0].assign(log=lambda frame: np.log(frame["value"]))
    found = {}
    for recipe in titles(claims.subjects, rows["recipe"].unique()):
        of = rows[rows["recipe"] == recipe].assign(kimg=lambda frame: frame["images"] / 1000)
        of = of[of.groupby("run_seed")["kimg"].transform("max") > 0]  # Others only began.
        every = of.pivot_table(index="kimg", columns="run_seed", values="log")
        table = every.dropna()
        if len(table):
            logs = table.to_numpy()
            found[recipe] = Line(
                table.index.to_numpy(float),
                np.exp(logs.mean(axis=1)),
                np.exp(logs.min(axis=1)),
                np.exp(logs.max(axis=1)),
                logs.shape[1],
                _tails(every, float(table.index[-1])),
            )
    return found


def _tails(every: pd.DataFrame, end: float) -> tuple[tuple[Array, Array], ...]:
    """What each seed has from `end` on, where all have points; of those that go on."""
    ahead = [column.loc[end:].dropna() for _, column in every.items()]
    pairs = [(one.index.to_numpy(float), np.exp(one.to_numpy())) for one in ahead]
    return tuple(pair for pair in pairs if len(pair[0]) > 1)
