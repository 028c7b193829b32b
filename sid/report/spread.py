"""How far draws of one generator spread, pooled over generators, and the errors of means."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from sid.evaluate.records import once

# Metrics that may be near zero or below, where no share of the value means anything.
SIGNED = ("kernel_distance", "frechet_distance_infinity")
GENERATOR = ["role", "dataset", "generated", "recipe", "run_seed", "images", "selection", "nfe"]


class Spread(NamedTuple):
    """How far values spread.

    Attributes:
        sources: generators, or 1 for the real images.
        draws: of all of them.
        freedom: degrees of freedom of the spread; 0 where nothing repeats.
        value: median of the generators' means, or the mean of the real images.
        relative: standard deviation as a share of the value; nan where there is none.
    """

    sources: int
    draws: int
    freedom: int
    value: float
    relative: float

    def around(self, metric: str, mean: float) -> float:
        """The standard deviation of one draw of a generator with that mean."""
        return self.relative * abs(self.value if metric in SIGNED else mean)


def redraws(rows: pd.DataFrame) -> Spread | None:
    """Draws of each generator, their variances pooled over generators.

    Variances are relative to each generator's mean, since a distance's noise grows with it; those
    of `SIGNED` metrics are pooled as they are.

    Args:
        rows: records of one metric, extractor and number of images, each once, values as floats.

    Returns:
        None where no generator was drawn from twice.
    """
    groups = [group["value"] for _, group in rows.groupby(GENERATOR) if len(group) > 1]
    if not groups:
        return None
    means = np.array([values.mean() for values in groups])
    middle = float(np.median(means))
    signed = rows["metric"].iloc[0] in SIGNED
    units = np.abs(np.full(len(groups), middle) if signed else means)
    known = units > 0
    if not known.any():
        return None
    deviations = np.array([values.std(ddof=1) for values in groups])[known]
    freedom = np.array([len(values) - 1 for values in groups])[known]
    pooled = float(np.average((deviations / units[known]) ** 2, weights=freedom)) ** 0.5
    return Spread(len(groups), sum(map(len, groups)), int(freedom.sum()), middle, pooled)


class Errors:
    """Standard errors of means, each over what repeats most independently.

    Over training seeds where there are two. Else over draws of a generator, whose spread is pooled
    over all generators and both selections at that number of images: three draws of one alone
    know it to a factor of two or more. Draws of the real images have their own spread, and a lone
    draw has the error of its images, where it is known.

    Args:
        records: those of the main table, values as floats.
    """

    def __init__(self, records: pd.DataFrame) -> None:
        rows = once(records[records["role"].isin(("final", "teacher"))])
        self._spreads: dict[tuple[object, ...], Spread | None] = {
            key: redraws(group)
            for key, group in rows.groupby(["metric", "implementation", "n_images"])
        }

    def over(self, rows: pd.DataFrame) -> str:
        """What the error of such a group of records, of all metrics, is taken over."""
        seeds, draws = rows["run_seed"].nunique(), rows["draw"].nunique()
        if seeds > 1:
            return f"{seeds} seeds"
        if draws == 1:
            return "images" if rows["stderr"].notna().any() else ""
        pooled = rows["role"].iloc[0] in ("final", "teacher")
        return f"{draws} draws, pooled" if pooled else f"{draws} draws"

    def of(self, rows: pd.DataFrame) -> tuple[float, float]:
        """Mean and standard error of one metric's records; nan where there is none."""
        means = rows.groupby("run_seed")["value"].mean()
        mean, n = float(means.mean()), rows["draw"].nunique()
        if len(means) > 1:
            return mean, float(means.std(ddof=1)) / math.sqrt(len(means))
        if n <= 1:
            return mean, float(rows["stderr"].iloc[0]) if n else math.nan
        first = rows.iloc[0]
        key = first["metric"], first["implementation"], first["n_images"]
        spread = self._spreads.get(key)
        if first["role"] in ("final", "teacher") and spread:
            return mean, spread.around(first["metric"], mean) / math.sqrt(n)
        return mean, float(rows["value"].std(ddof=1)) / math.sqrt(n)
