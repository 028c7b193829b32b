"""The suite's own noise: how far values spread that ought to be the same."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from sid.evaluate.records import once
from sid.report.naming import first_ours
from sid.report.spread import GENERATOR, Spread, redraws

MEASURE = ["metric", "extractor", "n_images"]


def _error(rows: pd.DataFrame) -> Spread | None:
    """The median of the values' own standard errors."""
    rows = rows[rows["stderr"].notna() & (rows["value"] != 0)]
    if rows.empty:
        return None
    relative = float((rows["stderr"] / rows["value"].abs()).median())
    sources = len(rows[GENERATOR].drop_duplicates())
    return Spread(sources, len(rows), 0, float(rows["value"].median()), relative)


def _real(rows: pd.DataFrame) -> Spread:
    mean, deviation = float(rows["value"].mean()), float(rows["value"].std(ddof=1))
    relative = deviation / abs(mean) if mean else np.nan
    return Spread(1, len(rows), len(rows) - 1, mean, relative)


def noise(records: pd.DataFrame) -> pd.DataFrame:
    """Relative spreads by metric, extractor and number of images, ours where there are ours.

    A value's own standard error stands in where no generator was drawn from twice. Values of the
    same images count once.

    Args:
        records: records as of `sid.evaluate.records`.

    Returns:
        One row a kind (`redraw`: one draw of a generator to the next; `error`: standard error of
        one value; `halves`: one half of the real images against the other; `redrawn`: real images
        drawn again), metric, extractor and number of images, with its `Spread`.
    """
    whose = sorted(set(records["implementation"]), key=first_ours)[:1]
    values = once(records[records["implementation"].isin(whose)])
    numbers = {
        name: pd.to_numeric(values[name], errors="coerce").astype(float)
        for name in ("value", "stderr")
    }
    values = values.assign(**numbers)
    values = values[np.isfinite(values["value"])]
    parts: dict[str, tuple[tuple[str, ...], Callable[[pd.DataFrame], Spread | None]]] = {
        "redraw": (("final", "sample", "teacher"), redraws),
        "error": (("final", "sample", "teacher", "curve"), _error),
        "halves": (("halves",), _real),
        "redrawn": (("redrawn",), _real),
    }
    rows: list[tuple[object, ...]] = []
    for kind, (roles, measure) in parts.items():
        for key, group in values[values["role"].isin(roles)].groupby(MEASURE, sort=False):
            redrawn = ("redraw", *key) in {row[:4] for row in rows}
            if not (kind == "error" and redrawn) and (spread := measure(group)):
                rows.append((kind, *key, *spread))
    return pd.DataFrame(rows, columns=["kind", *MEASURE, *Spread._fields])
