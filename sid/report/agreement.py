"""Implementations against each other on the same images."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from sid.report.style import IMPLEMENTATION_COLOURS, INK, MUTED, style
from sid.verdict.distances import DECIDES

TOLERANCE = 1e-4
SMALLEST = 1e-12  # Where exact agreement is drawn on a logarithmic axis.
SAMPLE = ["role", "recipe", "run_seed", "images", "selection", "nfe", "n_images", "draw", "metric"]


def differences(records: pd.DataFrame) -> pd.DataFrame:
    """Every value of another implementation beside ours on the same images.

    Args:
        records: records as of `sid.evaluate.records`.

    Returns:
        One row a value: the columns of `SAMPLE`, `implementation`, `relative` (the difference as
        a share of ours) and `in_errors` (in combined standard errors, nan where none is given).
    """
    values = records.assign(
        value=pd.to_numeric(records["value"], errors="coerce"),
        stderr=pd.to_numeric(records["stderr"], errors="coerce"),
    )
    ours = values[values["implementation"] == DECIDES].set_index(SAMPLE)[["value", "stderr"]]
    ours.columns = pd.Index(["value_ours", "stderr_ours"])
    others = values[values["implementation"] != DECIDES]
    both = others.join(ours, on=SAMPLE, how="inner")
    apart = (both["value"] - both["value_ours"]).abs()
    error = (both["stderr"] ** 2 + both["stderr_ours"] ** 2) ** 0.5
    found = both[[*SAMPLE, "implementation"]].assign(
        relative=apart / both["value_ours"].abs(), in_errors=apart / error.where(error > 0)
    )
    return found.reset_index(drop=True)


def agreement_table(found: pd.DataFrame) -> pd.DataFrame:
    """Median and greatest difference for each metric and implementation.

    Args:
        found: as of `differences`.

    Returns:
        One row a metric and implementation; the kernel distance, which is estimated from random
        subsets, is to be judged in standard errors, the others by the relative difference.
    """
    rows = [
        {
            "metric": metric,
            "implementation": implementation,
            "values": len(group),
            "relative_median": group["relative"].median(),
            "relative_max": group["relative"].max(),
            "errors_median": group["in_errors"].median(),
            "errors_max": group["in_errors"].max(),
        }
        for (metric, implementation), group in found.groupby(["metric", "implementation"])
    ]
    columns = ["metric", "implementation", "values", "relative_median", "relative_max"]
    return pd.DataFrame(rows, columns=[*columns, "errors_median", "errors_max"])


def readable_agreement(table: pd.DataFrame) -> pd.DataFrame:
    """The agreement table for people."""
    names = ["Metric", "Implementation", "Values", "Median difference", "Greatest difference"]
    shown = pd.DataFrame(table[["metric", "implementation", "values"]])
    shown["metric"] = shown["metric"].str.replace("_", " ").str.capitalize()
    for kind in ("median", "max"):
        shown[kind] = [f"{value:.1e}" for value in table[f"relative_{kind}"]]
    for kind in ("median", "max"):
        numbers = table[f"errors_{kind}"]
        shown[f"errors_{kind}"] = ["-" if np.isnan(value) else f"{value:.2f}" for value in numbers]
    shown.columns = pd.Index([*names, "Median in errors", "Greatest in errors"])
    return shown


def plot_agreement(found: pd.DataFrame) -> Figure:
    """Relative difference of the Frechet distance to ours, one dot a set of images.

    Args:
        found: as of `differences`.

    Returns:
        The figure: one row of dots an implementation, the tolerance as a line.
    """
    chosen = found[found["metric"] == "frechet_distance"]
    names = sorted(chosen["implementation"].unique())
    rng = np.random.default_rng(0)  # Only for the heights of the dots.
    with style():
        figure = Figure(figsize=(7.6, 1.35 + 0.5 * max(len(names), 1)))
        axes = figure.subplots()
        figure.subplots_adjust(
            left=0.15, right=0.97, top=0.86, bottom=0.55 / figure.get_figheight()
        )
        low = float(chosen["relative"].clip(lower=SMALLEST).min()) if len(chosen) else 1e-8
        high = float(chosen["relative"].max()) if len(chosen) else TOLERANCE
        axes.set_xlim(low / 3, max(high, TOLERANCE) * 4)
        axes.set_xscale("log")
        for row, name in enumerate(names):
            values = chosen.loc[chosen["implementation"] == name, "relative"].clip(lower=SMALLEST)
            heights = row + rng.uniform(-0.2, 0.2, len(values))
            colour = IMPLEMENTATION_COLOURS[(row + 1) % len(IMPLEMENTATION_COLOURS)]
            axes.scatter(values, heights, s=13, color=colour, alpha=0.55, lw=0)
            axes.plot([values.median()] * 2, [row - 0.33, row + 0.33], color=INK, lw=1.6)
        axes.axvline(TOLERANCE, color=MUTED, lw=1.1, ls=(0, (4, 3)))
        axes.annotate(
            "tolerance 1e-4",
            (TOLERANCE, 1.0),
            xycoords=axes.get_xaxis_transform(),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=7.5,
            color=MUTED,
        )
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(-0.6, max(len(names), 1) - 0.4)
        axes.tick_params(axis="y", length=0)
        axes.xaxis.set_major_locator(LogLocator(numticks=12))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}"))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("relative difference of the Frechet distance to ours (bar: median)")
    return figure
