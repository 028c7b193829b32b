"""The headline figure: distance over images seen, for every recipe, in log-log."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sid.evaluate.metrics import label
from sid.report.axes import finish, what
from sid.report.benchmark import DISTANCE, Benchmark
from sid.report.bracket import Mark, marks
from sid.report.labels import SIZE, Name, figures, margin_of, write_names
from sid.report.levels import colour_of, draw_levels, levels
from sid.report.lines import Line, lines
from sid.report.naming import start, titles
from sid.report.style import INK, Look, looks, style
from sid.report.unfinished import draw_bracket, said_below, unfinished
from sid.verdict.claim import Claims
from sid.verdict.published import GRADES, Number

Array = NDArray[np.float64]

BESIDE = 1.08  # Fresh draws stand right of the last snapshot, by this factor.
LEFT, PLOT, TOP, BOTTOM, HEIGHT = 0.8, 5.6, 0.5, 0.95, 5.3  # Inches.
LINE = 0.14  # Inches of a further line below.


def _fresh(axes: Axes, rows: pd.DataFrame, look: Look, kimg: float) -> None:
    """Fresh draws of the last snapshot: geometric mean and standard deviation, all seeds."""
    if rows.empty:
        return
    logs = np.log(rows["value"].to_numpy())
    middle, spread = logs.mean(), logs.std(ddof=1) if len(logs) > 1 else 0.0
    low, high = np.exp(middle) - np.exp(middle - spread), np.exp(middle + spread) - np.exp(middle)
    axes.errorbar(
        kimg * BESIDE,
        np.exp(middle),
        yerr=[[low], [high]],
        fmt="D",
        ms=4.5,
        mfc="white",
        mec=look.colour,
        ecolor=look.colour,
        mew=1.2,
        elinewidth=1.2,
        capsize=2,
        zorder=5,
    )


def _draw_line(axes: Axes, recipe: str, line: Line, look: Look) -> None:
    """A curve with its band over seeds; image 0 has a panel of its own."""
    shown = line.kimg > 0
    kimg, colour = line.kimg[shown], look.colour
    if line.seeds > 1:
        axes.fill_between(kimg, line.low[shown], line.high[shown], color=colour, alpha=0.16, lw=0)
    every = max(1, len(kimg) // 14)
    axes.plot(
        kimg,
        line.middle[shown],
        color=colour,
        marker=look.marker,
        markevery=every,
        ms=3.6,
        lw=1.6,
        ls=look.dash,
        label=recipe,
    )
    for x, y in line.tails:
        seen = x > 0
        axes.plot(x[seen], y[seen], color=colour, lw=0.8, ls=look.dash, label="_tail")


def draw_mark(axes: Axes, x: float, published: Number, look: Look) -> None:
    """A published value as a star, hollow where it is unverified."""
    filled = GRADES[published.evidence]
    axes.plot(
        [x],
        [published.value],
        marker="*",
        ms=11,
        mfc=look.colour if filled else "white",
        mec="white" if filled else look.colour,
        mew=0.7,
        ls="none",
        label="_published",
        zorder=7,
    )


def _start(axes: Axes, shown: dict[str, Line], claims: Claims, looked: dict[str, Look]) -> None:
    """The narrow panel of image 0, which a logarithmic axis cannot hold."""
    begun = {recipe: line.middle[0] for recipe, line in shown.items() if line.kimg[0] == 0}
    values = [value for recipe, value in begun.items() if not start(claims.subjects, recipe)]
    axes.set(yscale="log", xlim=(-1, 1))
    axes.set_xticks([0], ["0"])
    axes.tick_params(axis="x", length=0)
    for recipe in (name for name in begun if start(claims.subjects, name)):
        colour, marker, _ = looked[recipe]
        axes.plot([0], [begun[recipe]], marker=marker, ms=5, color=colour, zorder=4)
    if values:
        value = float(np.exp(np.log(values).mean()))
        axes.plot([0], [value], marker="*", ms=11, color=INK, clip_on=False, zorder=4)
        axes.annotate(
            f"one step,\nundistilled\n{figures(value)}",
            (0, value),
            xytext=(0, -9),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=SIZE - 1,
            color=INK,
        )


def _names(
    shown: dict[str, Line], stars: dict[str, Mark], named: dict[str, str], looked: dict[str, Look]
) -> list[Name]:
    """The names of curves, and of published checkpoints without one."""
    names = []
    for recipe, text in named.items():
        if recipe in shown:
            x, y = shown[recipe].end[0] * BESIDE, shown[recipe].end[1]
            names.append(Name(text, x, y, looked[recipe].colour, True, looked[recipe]))
        else:
            x, y = stars[recipe].kimg, stars[recipe].number.value
            names.append(Name(f"{text}, published", x, y, looked[recipe].colour))
    return names


def plot_curves(benchmark: Benchmark, claims: Claims, paper: pd.DataFrame) -> Figure | None:
    """Distance over images seen and iterations, beside published checkpoints, teacher and rivals.

    Args:
        benchmark: whose records.
        claims: that name recipes, and have their published checkpoints.
        paper: its table, as of `sid.report.papers.paper_table`.

    Returns:
        The figure: `axes[0]` holds image 0, `axes[1]` the curves; None without a curve.
    """
    shown = lines(benchmark, claims)
    if not shown:
        return None
    subjects = [str(name) for name in paper.get("subject", []) if name]
    stars, flat = marks(claims, subjects), levels(benchmark, claims, paper)
    named = titles(claims.subjects, [*shown, *stars])
    looked = looks(claims.subjects, named)
    names = _names(shown, stars, named, looked)
    texts = [level.said for level in flat]
    ahead = unfinished(shown, claims)
    more = said_below(shown, ahead)
    margin = margin_of([*(name.text for name in names), *texts])
    width = LEFT + PLOT + margin
    with style():
        figure, left, main = _panels(width, BOTTOM + LINE * len(more))
        _start(left, shown, claims, looked)
        main.set(xscale="log", yscale="log")
        finals = benchmark.distances("final")
        finals = finals[finals["selection"] == "last"]
        for recipe, line in shown.items():
            _draw_line(main, recipe, line, looked[recipe])
            rows = finals[finals["recipe"] == recipe]
            _fresh(main, rows, looked[recipe], line.end[0])
        for recipe, mark in stars.items():
            draw_mark(main, mark.kimg, mark.number, looked[recipe])
        draw_levels(main, flat)
        _limits(main, shown, stars, [level.value for level in flat])
        for recipe, known in ahead.items():
            draw_bracket(main, shown[recipe], known, looked[recipe])
        edge = main.get_xlim()[1]
        names += [
            Name(text, edge, level.value, colour_of(level), level.kind == "teacher")
            for text, level in zip(texts, flat, strict=True)
        ]
        write_names(main, names)
        seeds = max(line.seeds for line in shown.values())
        counted = [named[recipe] for recipe in shown if start(claims.subjects, recipe)]
        name = label(DISTANCE, benchmark.extractor)
        said = [*what(benchmark, seeds, counted, bool(stars)), *more]
        finish(figure, (left, main), benchmark, name, said)
    return figure


def _panels(width: float, bottom: float) -> tuple[Figure, Axes, Axes]:
    """The figure, its panel of image 0 and that of the curves; inches."""
    figure = Figure(figsize=(width, HEIGHT))
    left, main = figure.subplots(
        1, 2, width_ratios=[1, 8.2], gridspec_kw={"wspace": 0.03}, sharey=True
    )
    figure.subplots_adjust(
        left=LEFT / width,
        right=(LEFT + PLOT) / width,
        top=1 - TOP / HEIGHT,
        bottom=bottom / HEIGHT,
    )
    return figure, left, main


def _limits(axes: Axes, shown: dict[str, Line], stars: dict[str, Mark], flat: list[float]) -> None:
    """Room for everything that is drawn."""
    kimg = np.concatenate([line.kimg[line.kimg > 0] for line in shown.values()])
    ends = [*kimg, *(line.end[0] for line in shown.values())]
    ends += [mark.kimg for mark in stars.values()]
    axes.set_xlim(float(min(ends)) / 1.15, float(max(ends)) * BESIDE * 1.12)
    values = [*flat, *(mark.number.value for mark in stars.values())]
    values += [float(y) for line in shown.values() for _, tail in line.tails for y in tail]
    for line in shown.values():
        values += [float(line.low.min()), float(line.high.max())]
    axes.set_ylim(min(values) / 1.3, max(values) * 1.5)
