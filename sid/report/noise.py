"""The suite's own noise: how far values spread that ought to be the same."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from sid.report.tables import first_ours

GENERATOR = ["role", "dataset", "generated", "recipe", "run_seed", "images", "selection", "nfe"]
MEASURE = ["metric", "extractor", "n_images"]


class Spread(NamedTuple):
    """How far values spread.

    Attributes:
        sources: generators, or 1 for the real images.
        draws: of all of them.
        value: median of the generators' means, or the mean of the real images.
        relative: standard deviation as a share of the value; nan where there is none.
    """

    sources: int
    draws: int
    value: float
    relative: float


def _relative(values: pd.Series) -> float:
    mean = abs(float(values.mean()))
    return float(values.std(ddof=1)) / mean if mean > 0 else np.nan


def _redraw(rows: pd.DataFrame) -> Spread | None:
    """Draws of each generator, their relative variances pooled over generators."""
    groups = [group["value"] for _, group in rows.groupby(GENERATOR) if len(group) > 1]
    spreads = np.array([_relative(values) for values in groups])
    freedom = np.array([len(values) - 1 for values in groups])
    known = np.isfinite(spreads)
    if not known.any():
        return None
    pooled = float(np.average(spreads[known] ** 2, weights=freedom[known])) ** 0.5
    middle = float(np.median([values.mean() for values in groups]))
    return Spread(len(groups), sum(map(len, groups)), middle, pooled)


def _error(rows: pd.DataFrame) -> Spread | None:
    """The median of the values' own standard errors."""
    rows = rows[rows["stderr"].notna() & (rows["value"] != 0)]
    if rows.empty:
        return None
    relative = float((rows["stderr"] / rows["value"].abs()).median())
    sources = len(rows[GENERATOR].drop_duplicates())
    return Spread(sources, len(rows), float(rows["value"].median()), relative)


def _real(rows: pd.DataFrame) -> Spread:
    return Spread(1, len(rows), float(rows["value"].mean()), _relative(rows["value"]))


def noise(records: pd.DataFrame) -> pd.DataFrame:
    """Relative spreads by metric, extractor and number of images, ours where there are ours.

    A value's own standard error stands in where no generator was drawn from twice.

    Args:
        records: records as of `sid.evaluate.records`.

    Returns:
        One row a kind (`redraw`: one draw of a generator to the next; `error`: standard error of
        one value; `halves`: one half of the real images against the other; `floor`: real images
        drawn again), metric, extractor and number of images, with its `Spread`.
    """
    whose = sorted(set(records["implementation"]), key=first_ours)[:1]
    values = records[records["implementation"].isin(whose)]
    numbers = {
        name: pd.to_numeric(values[name], errors="coerce").astype(float)
        for name in ("value", "stderr")
    }
    values = values.assign(**numbers)
    values = values[np.isfinite(values["value"])]
    parts: dict[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], Spread | None]]] = {
        "redraw": (("final", "sample", "teacher"), _redraw),
        "error": (("final", "sample", "teacher", "curve"), _error),
        "halves": (("halves",), _real),
        "floor": (("floor",), _real),
    }
    rows: list[tuple[object, ...]] = []
    for kind, (roles, measure) in parts.items():
        for key, group in values[values["role"].isin(roles)].groupby(MEASURE, sort=False):
            redrawn = ("redraw", *key) in {row[:4] for row in rows}
            if not (kind == "error" and redrawn) and (spread := measure(group)):
                rows.append((kind, *key, *spread))
    return pd.DataFrame(rows, columns=["kind", *MEASURE, *Spread._fields])
