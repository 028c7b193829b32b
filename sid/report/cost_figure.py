"""Cost against quality: GPU-hours of training, by `sid.cost`, against the distance reached."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from sid.config import recipe_path
from sid.cost.cost import cost
from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.evaluate.metrics import label
from sid.recipes.listing import load
from sid.report.axes import caption, plain, steps
from sid.report.benchmark import DISTANCE, Benchmark
from sid.report.bracket import marks
from sid.report.curves import draw_mark
from sid.report.labels import Name, margin_of, write_names
from sid.report.levels import colour_of, draw_levels, levels
from sid.report.naming import start, titles
from sid.report.style import looks, style
from sid.verdict.claim import Claims
from sid.verdict.entries import Subject

GPU = "A100"
LEFT, PLOT, TOP, BOTTOM, HEIGHT = 0.75, 4.6, 0.15, 1.1, 4.2  # Inches.


class Price(NamedTuple):
    """What a thousand images of a recipe cost, in GPU-hours, and what is known of that rate."""

    hours: float
    evidence: str


class Point(NamedTuple):
    """A recipe where it ends: GPU-hours, start included, and its distance."""

    recipe: str
    hours: float
    value: float


def prices(recipes: list[str]) -> dict[str, Price]:
    """The rate of each recipe of this suite on one GPU; those without one are left out."""
    found = {}
    for name in recipes:
        try:
            recipe = load(recipe_path(name))
            known = cost(recipe, GPU) if isinstance(recipe, Recipe) else None
        except UserError:
            continue
        if known:
            found[name] = Price(known.gpu_hours / known.kimg, known.rate.evidence)
    return found


def hours(
    subjects: Mapping[str, Subject],
    recipe: str,
    kimg: float,
    known: Mapping[str, Price],
    ends: Mapping[str, float],
) -> float | None:
    """GPU-hours up to some thousand images, with those of what the recipe starts from.

    Args:
        subjects: that say what it starts from.
        recipe: the recipe.
        kimg: thousands of images of its own.
        known: prices by recipe.
        ends: thousands of images at which a start was taken, by recipe.

    Returns:
        None where a price, or the images of the start, are not known.
    """
    if recipe not in known:
        return None
    own, first = known[recipe].hours * kimg, start(subjects, recipe)
    if not first:
        return own
    if first not in ends:
        return None
    before = hours(subjects, first, ends[first], known, ends)
    return None if before is None else own + before


def reached(
    benchmark: Benchmark, claims: Claims, known: Mapping[str, Price]
) -> tuple[list[Point], list[Point]]:
    """Where recipes end: trained here, and as published.

    Ours is the geometric mean of the fresh draws at the last snapshot.
    """
    rows = benchmark.distances("final")
    rows = rows[rows["selection"] == "last"]
    rows = rows.assign(log=np.log(rows["value"])).groupby("recipe")[["log", "kimg"]].mean()
    values = {str(name): float(np.exp(log)) for name, log in rows["log"].items()}
    stars = marks(claims, list(known))
    ours = {str(name): float(at) for name, at in rows["kimg"].items()}
    theirs = {name: mark.kimg for name, mark in stars.items()}
    found: tuple[list[Point], list[Point]] = [], []
    for name in titles(claims.subjects, known):
        for place, (own, other) in enumerate(((ours, theirs), (theirs, ours))):
            spent = hours(claims.subjects, name, own.get(name, 0.0), known, {**other, **own})
            if spent and name in own:
                value = stars[name].number.value if place else values[name]
                found[place].append(Point(name, spent, value))
    return found


def plot_cost(benchmark: Benchmark, claims: Claims, paper: pd.DataFrame) -> Figure | None:
    """Distance against GPU-hours of training, with those of what a recipe starts from.

    Args:
        benchmark: whose records.
        claims: that say what starts from what, and have the published checkpoints.
        paper: its table, as of `sid.report.papers.paper_table`.

    Returns:
        The figure; None where no recipe that was trained here has a known rate.
    """
    trained = list(benchmark.distances("final")["recipe"].unique())
    rows = paper.get("subject", pd.Series(dtype=str))
    known = prices(list(dict.fromkeys([*trained, *(name for name in rows if name)])))
    ours, theirs = reached(benchmark, claims, known)
    if not ours:
        return None
    stars = marks(claims, list(known))
    named = titles(claims.subjects, [point.recipe for point in (*ours, *theirs)])
    looked = looks(claims.subjects, named)
    flat = [one for one in levels(benchmark, claims, paper) if one.kind in ("teacher", "published")]
    texts = [level.said for level in flat]
    width = LEFT + PLOT + margin_of([*named.values(), *texts])
    with style():
        figure = Figure(figsize=(width, HEIGHT))
        axes = figure.add_axes(
            (LEFT / width, BOTTOM / HEIGHT, PLOT / width, 1 - (TOP + BOTTOM) / HEIGHT)
        )
        axes.set(xscale="log", yscale="log")
        names = {}
        for point in theirs:
            colour = looked[point.recipe].colour
            draw_mark(axes, point.hours, stars[point.recipe].number, looked[point.recipe])
            names[point.recipe] = Name(named[point.recipe], point.hours, point.value, colour)
        for point in ours:
            colour, marker, _ = looked[point.recipe]
            axes.plot([point.hours], [point.value], color=colour, marker=marker, ms=6, ls="none")
            at = (point.hours, point.value)
            names[point.recipe] = Name(named[point.recipe], *at, colour, True)
        draw_levels(axes, flat)
        _scales(axes, [*ours, *theirs], [level.value for level in flat])
        axes.set_xlabel(f"GPU-hours of training, one {GPU}")
        axes.set_ylabel(label(DISTANCE, benchmark.extractor))
        edge = axes.get_xlim()[1]
        flats = [
            Name(text, edge, level.value, colour_of(level), level.kind == "teacher")
            for text, level in zip(texts, flat, strict=True)
        ]
        write_names(axes, [*names.values(), *flats])
        caption(figure, assumption([known[name] for name in named]))
    return figure


def assumption(known: list[Price]) -> list[str]:
    """What the GPU-hours rest on, and what the marks are."""
    evidence = ", ".join(sorted({price.evidence for price in known}))
    return [
        f"Not measured in these runs: images seen times the rate of `sid cost` ({evidence}), "
        "with those of what a recipe starts from, without evaluation.",
        "Markers: trained here, last snapshot. Stars: published checkpoints, hollow where the "
        "value is unverified.",
    ]


def _scales(axes: Axes, points: list[Point], flat: list[float]) -> None:
    spent, values = [point.hours for point in points], [point.value for point in points]
    axes.set_xlim(min(spent) / 1.6, max(spent) * 1.6)
    axes.set_ylim(min([*values, *flat]) / 1.25, max([*values, *flat]) * 1.25)
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        axis.set_major_locator(FixedLocator(steps(*limits)))
        axis.set_major_formatter(FuncFormatter(plain))
        axis.set_minor_formatter(NullFormatter())
