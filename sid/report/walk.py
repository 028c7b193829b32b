"""The walk from one method to another, one option at a time, and the other methods below it.

Distances with intervals at the end of training, each seed a dot, and passes of an image beside.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from sid.config import recipe_path
from sid.cost.cost import step_passes
from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.evaluate.metrics import label
from sid.recipes.listing import load
from sid.report.axes import caption, plain, steps
from sid.report.benchmark import DISTANCE, Benchmark
from sid.report.labels import SIZE, figures, width_of
from sid.report.naming import titles
from sid.report.ours import LEVEL
from sid.report.style import MUTED, looks, style
from sid.verdict.claim import Claims
from sid.verdict.entries import Subject

PLOT, RIGHT, TOP, BOTTOM, ROW = 4.0, 1.45, 0.45, 0.95, 0.3  # Inches.
COLUMNS = (1.13, 1.33)  # Right ends of distance and passes, as shares of the plot.
COLUMN = f"{DISTANCE}_retrained"


class Row(NamedTuple):
    """A recipe: what stands beside it, its mean with limits, each seed's mean, and its passes."""

    recipe: str
    text: str
    mean: float
    low: float
    high: float
    seeds: list[float]
    passes: str


def walk(subjects: Mapping[str, Subject], recipes: list[str]) -> list[str]:
    """The longest chain of recipes of which each differs from the one before in one option.

    Args:
        subjects: that say what comes before what.
        recipes: those that may stand in it.

    Returns:
        From the first to the last; empty where no two are linked.
    """
    chains: list[list[str]] = []
    for last in recipes:
        chain = [last]
        while subjects[chain[0]].before in recipes and subjects[chain[0]].before not in chain:
            chain.insert(0, subjects[chain[0]].before)
        chains.append(chain)
    longest = max(chains, key=len, default=[])
    return longest if len(longest) > 1 else []


def rows_of(benchmark: Benchmark, claims: Claims, paper: pd.DataFrame) -> tuple[list[Row], int]:
    """The walk's rows, then those of other recipes by their distance, and how many are the walk's.

    Args:
        benchmark: whose records.
        claims: whose subjects say what comes before what.
        paper: its table, as of `sid.report.papers.paper_table`.
    """
    if COLUMN not in paper:
        return [], 0
    table = paper[paper[COLUMN].notna()].set_index("subject")
    table = table[
        [name in claims.subjects and str(nfe) == "1" for name, nfe in table["nfe"].items()]
    ]
    chain = walk(claims.subjects, [str(name) for name in table.index])
    others = table.drop(index=chain)[COLUMN].astype(float).sort_values().index
    final = benchmark.distances("final")
    final = final[final["selection"] == "last"]
    named = titles(claims.subjects, [str(name) for name in table.index])
    ends = [f"{COLUMN}{end}" for end in ("", "_low", "_high")]
    numbers = table.reindex(columns=ends).astype(float).T
    found = []
    for recipe in [*chain, *map(str, others)]:
        about = claims.subjects[recipe]
        runs = final[final["recipe"] == recipe].groupby("run_seed")["value"]
        seeds = [float(np.exp(np.log(values).mean())) for _, values in runs]
        mean, low, high = numbers[recipe].tolist()
        text = f"+ {about.change}" if recipe in chain[1:] else named[recipe]
        text += f": {named[recipe]}" if recipe in chain[-1:] else ""
        passes = passes_of(recipe, benchmark.dataset)
        found.append(Row(recipe, text, mean, low, high, seeds, passes))
    return found, len(chain)


def passes_of(recipe: str, dataset: str) -> str:
    """Passes that an image of training takes, `11`, or `5 + 6.4` of the encoder alone; or nothing.

    Args:
        recipe: name of a recipe of this suite.
        dataset: folder of it, where several have the name.
    """
    for name in (f"{dataset}/{recipe}", recipe):
        try:
            found = load(recipe_path(name))
        except UserError:
            continue
        if isinstance(found, Recipe):
            whole, encoder = step_passes(found.method.players(found))
            return f"{whole:.3g} + {encoder:.3g}" if encoder else f"{whole:.3g}"
    return ""


def plot_walk(benchmark: Benchmark, claims: Claims, paper: pd.DataFrame) -> Figure | None:
    """Distances of the walk's recipes from top to bottom, and below them those of the others.

    Args:
        benchmark: as of `rows_of`.
        claims: as of `rows_of`.
        paper: as of `rows_of`.

    Returns:
        The figure; None where no two recipes of the records are linked.
    """
    rows, first = rows_of(benchmark, claims, paper)
    if not first:
        return None
    places = [place + (place >= first) for place in range(len(rows))]
    left = 0.25 + max(width_of(row.text) for row in rows) / 72
    width, height = left + PLOT + RIGHT, TOP + BOTTOM + ROW * (places[-1] + 1)
    looked = looks(claims.subjects, [row.recipe for row in rows])
    with style():
        figure = Figure(figsize=(width, height))
        area = (left / width, BOTTOM / height, PLOT / width, 1 - (TOP + BOTTOM) / height)
        axes = figure.add_axes(area)
        axes.set_xscale("log")
        for place, row in zip(places, rows, strict=True):
            _draw(axes, place, row, looked[row.recipe].colour)
        walked = rows[:first]
        axes.plot([row.mean for row in walked], places[:first], color=MUTED, lw=0.8, zorder=1)
        axes.set_ylim(places[-1] + 0.6, -0.6)
        axes.set_yticks(places, [row.text for row in rows])
        axes.tick_params(axis="y", length=0, labelsize=SIZE)
        axes.xaxis.set_major_locator(FixedLocator(steps(*axes.get_xlim())))
        axes.xaxis.set_major_formatter(FuncFormatter(plain))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="x", lw=0.4, alpha=0.5)
        axes.set_xlabel(label(DISTANCE, benchmark.extractor))
        for x, text in zip(COLUMNS, ("distance", "passes"), strict=True):
            axes.text(x, 1.02, text, transform=axes.transAxes, ha="right", fontsize=SIZE)
        caption(figure, said(rows))
    return figure


def said(rows: list[Row]) -> list[str]:
    """What is shown, in words."""
    most = max(len(row.seeds) for row in rows)
    bars = f"bars: intervals at {100 * LEVEL:.0f} %"
    dots = (
        f"Small: each of {most} training seeds; large: their mean; {bars}."
        if most > 1
        else f"One training seed, which ranks no methods; {bars}, over draws."
    )
    passes = (
        "Passes through a network for each image of training, with those back (one or two each); "
        "after +, through its encoder alone."
    )
    return [dots, passes]


def _draw(axes: Axes, place: int, row: Row, colour: str) -> None:
    axes.plot(row.seeds, [place] * len(row.seeds), "o", color=colour, ms=3, alpha=0.45, zorder=3)
    if np.isfinite([row.low, row.high]).all():
        axes.plot([row.low, row.high], [place] * 2, color=colour, lw=1.3, zorder=2)
    axes.plot([row.mean], [place], "o", color=colour, ms=6, zorder=4, label=row.recipe)
    for x, text in zip(COLUMNS, (figures(row.mean), row.passes), strict=True):
        at = axes.get_yaxis_transform()
        axes.text(x, place, text, transform=at, ha="right", va="center", fontsize=SIZE)
