"""Implementations against each other on the same images: by how much they differ, and why."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from sid.evaluate.metrics import METRICS
from sid.report.naming import first_ours
from sid.report.tables import metrics_of

TOLERANCE = 1e-4
NEGLIGIBLE = 0.01  # Standard errors, where a value is too near zero for a relative difference.
# What two records of the same images have in common; `seed` and the rest may tell them apart.
SAMPLE = [
    *("role", "dataset", "generated_sha256", "recipe", "run_seed", "images", "selection", "nfe"),
    *("n_images", "draw", "metric", "extractor"),
]
PAIR = ["metric", "extractor", "first", "second", "reason"]
EQUAL, ROUNDING, UNEXPLAINED = "none: equal", "rounding", "not explained"


def _other(pairs: pd.DataFrame, column: str) -> pd.Series:
    return pairs[f"{column}_first"] != pairs[f"{column}_second"]


def _depend(pairs: pd.DataFrame, on: str) -> pd.Series:
    """Whether the metric depends on something (`Metric.depends_on`)."""
    metrics = [name for name, metric in METRICS.items() if on in metric.depends_on]
    return pairs["metric"].isin(metrics)


def _moments(pairs: pd.DataFrame) -> pd.Series:
    """Whether one side knows of no images behind its reference."""
    return pairs["n_reference_first"].isna() != pairs["n_reference_second"].isna()


def _in_order(pairs: pd.DataFrame) -> pd.Series:
    """Whether one side takes the tenths of the images in their order, which no field tells."""
    first, second = (pairs[side].str.startswith("nvidia") for side in ("first", "second"))
    return first != second


# What differs, in the order of how much it does.
REASONS: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "weights": lambda pairs: _other(pairs, "extractor_sha256"),
    "preprocessing": lambda pairs: _other(pairs, "preprocessing"),
    "published moments": lambda pairs: _moments(pairs) & _depend(pairs, "reference"),
    "reference": lambda pairs: (
        _other(pairs, "reference_sha256") & ~_moments(pairs) & _depend(pairs, "reference")
    ),
    "subsets": lambda pairs: _depend(pairs, "subsets") & _other(pairs, "seed"),
    "splits": lambda pairs: _depend(pairs, "splits") & (_in_order(pairs) | _other(pairs, "seed")),
    "divisor": lambda pairs: _depend(pairs, "divisor") & _other(pairs, "divisor"),
    "device": lambda pairs: _other(pairs, "device"),
}


def differences(records: pd.DataFrame) -> pd.DataFrame:
    """Every two implementations' values on the same images; values not finite are left out.

    Args:
        records: records as of `sid.evaluate.records`.

    Returns:
        One row for two values: the columns of `SAMPLE`, `first` and `second` (implementations,
        ours first), `relative` (the difference as a share of the larger value; nan where that is
        within three standard errors of zero, and a share of it means nothing), `in_errors` (in
        combined standard errors, nan where none is given) and `reason` (as the records' fields
        tell it, empty where they do not).
    """
    numbers = {
        name: pd.to_numeric(records[name], errors="coerce").astype(float)
        for name in ("value", "stderr", "n_reference")
    }
    values = records.assign(**numbers)
    values = values[np.isfinite(values["value"])]
    order = {
        name: place
        for place, name in enumerate(sorted(set(values["implementation"]), key=first_ours))
    }
    values = values.assign(place=values["implementation"].map(order))
    both = values.merge(values, on=SAMPLE, suffixes=("_first", "_second"))
    both = both[both["place_first"] < both["place_second"]].reset_index(drop=True)
    both = both.rename(columns={f"implementation_{side}": side for side in ("first", "second")})
    apart = (both["value_first"] - both["value_second"]).abs()
    larger = both[["value_first", "value_second"]].abs().max(axis=1)
    error = np.hypot(both["stderr_first"].fillna(0), both["stderr_second"].fillna(0))
    relative = (apart / larger).where(apart > 0, 0.0).where(larger >= 3 * error)
    reason = pd.Series("", index=both.index)
    for name, holds in REASONS.items():
        reason = reason.where(~holds(both), reason.where(reason == "", reason + ", ") + name)
    found: pd.DataFrame = both[[*SAMPLE, "first", "second"]].assign(
        relative=relative, in_errors=apart / error.where(error > 0), reason=reason
    )
    return found


def explained(found: pd.DataFrame) -> pd.DataFrame:
    """The same with a reason in every row: where no field tells one, by the pair's greatest."""

    def settle(group: pd.DataFrame) -> str:
        near_zero = group["relative"].isna() & (group["in_errors"] <= NEGLIGIBLE)
        small = (group["relative"] <= TOLERANCE) | near_zero
        if ((group["relative"] == 0) | (group["in_errors"] == 0)).all():
            return EQUAL
        return ROUNDING if small.all() else UNEXPLAINED

    reason = found["reason"].copy()
    for _, group in found[reason == ""].groupby(PAIR):
        reason[group.index] = settle(group)
    return found.assign(reason=reason)


def agreement_table(found: pd.DataFrame, noise: pd.DataFrame) -> pd.DataFrame:
    """Median and greatest difference of each two implementations, and why they differ.

    Args:
        found: as of `differences`.
        noise: as of `sid.report.noise.noise`.

    Returns:
        One row a metric, pair and reason: `sets` of images, `relative_median`, `relative_max`,
        `errors_max` (in combined standard errors) and `redraws_max` (in the spread from one draw
        of a generator to the next, of as many images; nan where that is not known).
    """
    redraw = noise[noise["kind"] == "redraw"].set_index(["metric", "extractor", "n_images"])
    found = explained(found).join(
        redraw["relative"].rename("spread"), on=["metric", "extractor", "n_images"]
    )
    found["in_redraws"] = found["relative"] / found["spread"].where(found["spread"] > 0)
    rows = [
        {
            **dict(zip(PAIR, key, strict=True)),
            "sets": len(group),
            "relative_median": group["relative"].median(),
            "relative_max": group["relative"].max(),
            "errors_max": group["in_errors"].max(),
            "redraws_max": group["in_redraws"].max(),
        }
        for key, group in found.groupby(PAIR, sort=False)
    ]
    columns = ["sets", "relative_median", "relative_max", "errors_max", "redraws_max"]
    table = pd.DataFrame(rows, columns=[*PAIR[:-1], *columns, "reason"])
    order = {name: place for place, name in enumerate(metrics_of(found))}
    return table.sort_values(
        ["metric", "extractor", "first", "second"],
        key=lambda names: names.map(order if names.name == "metric" else first_ours),
        ignore_index=True,
    )
