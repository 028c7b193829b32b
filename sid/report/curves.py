"""The headline figure: distance over images seen, for every method, in log-log."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from sid.evaluate.metrics import label
from sid.report.labels import SIZE, Level, name_curves, name_levels, number
from sid.report.style import FAINT, INK, MUTED, look, style
from sid.verdict.distances import BRANCHES, TEACHER_NFE, Array, Distances, names_of

BESIDE = 1.08  # Fresh draws stand right of the last snapshot, by this factor.
PERFECT, DRAWN = "perfect generator, estimated", "real images drawn again"


class Line(NamedTuple):
    """One method's curve over training seeds.

    Attributes:
        kimg: thousands of images seen, [N], branches counted from SiD's start.
        middle: geometric mean over seeds, [N].
        low: least over seeds, [N].
        high: greatest over seeds, [N].
        seeds: training seeds.
    """

    kimg: Array
    middle: Array
    low: Array
    high: Array
    seeds: int


def _offset(distances: Distances, recipe: str, seed: int) -> float:
    """Images of the SiD snapshot that a branch began from; 0 for other recipes."""
    if recipe not in BRANCHES:
        return 0.0
    start = distances.curves("sid").get(seed)
    return float(start.images[-1]) if start else 0.0


def line_of(distances: Distances, recipe: str) -> Line | None:
    """A recipe's curve at the images that all of its seeds have; None without records."""
    runs = {}
    for seed, curve in distances.curves(recipe).items():
        images = curve.images + _offset(distances, recipe, seed)
        runs[seed] = pd.Series(curve.distances, index=images)
    if not runs:
        return None
    table = pd.DataFrame(runs).dropna()
    logs = np.log(table.to_numpy(float))
    return Line(
        table.index.to_numpy(float) / 1000,
        np.exp(logs.mean(axis=1)),
        np.exp(logs.min(axis=1)),
        np.exp(logs.max(axis=1)),
        len(runs),
    )


def _fresh(axes: Axes, distances: Distances, recipe: str, line: Line) -> None:
    """Fresh draws of the last snapshot: geometric mean and standard deviation, all seeds."""
    draws = [np.log(values) for values in distances.fresh(recipe).values()]
    if not draws:
        return
    logs = np.concatenate(draws)
    middle, spread = logs.mean(), logs.std(ddof=1) if len(logs) > 1 else 0.0
    low, high = np.exp(middle) - np.exp(middle - spread), np.exp(middle + spread) - np.exp(middle)
    axes.errorbar(
        line.kimg[-1] * BESIDE,
        np.exp(middle),
        yerr=[[low], [high]],
        fmt="D",
        ms=5,
        mfc="white",
        mec=look(recipe)[0],
        ecolor=look(recipe)[0],
        mew=1.3,
        elinewidth=1.3,
        capsize=2,
        zorder=5,
    )


def _draw_line(axes: Axes, recipe: str, line: Line) -> tuple[Array, Array]:
    """A curve with its band over seeds; returns what a logarithmic axis can show of it."""
    shown = line.kimg > 0
    kimg, middle = line.kimg[shown], line.middle[shown]
    colour, marker = look(recipe)
    if line.seeds > 1:
        axes.fill_between(kimg, line.low[shown], line.high[shown], color=colour, alpha=0.18, lw=0)
    size = 2.6 if recipe in BRANCHES else 3.4
    axes.plot(kimg, middle, color=colour, marker=marker, ms=size, lw=1.7, label=recipe)
    return kimg, middle


def _levels(distances: Distances) -> list[Level]:
    """The teacher on the curves' noise, a perfect generator and the real images, at their n."""
    rows = distances.table[distances.table["n_images"] == distances.n_images("curve")]
    levels, teacher = [], rows[(rows["role"] == "teacher") & (rows["draw"] == 0)]
    for key, value in teacher.groupby("nfe")["value"].mean().items():
        nfe = int(str(key))
        name = f"teacher, {nfe} evaluation{'s' if nfe > 1 else ''}"
        main = nfe == TEACHER_NFE
        levels.append(Level(name, float(value), INK if main else MUTED, main))
    redrawn = rows[rows["role"] == "redrawn"]["value"]
    if len(redrawn):
        levels.append(Level(DRAWN, float(redrawn.mean()), MUTED, main=False))
    if distances.bias and len(rows):
        perfect = distances.bias.perfect(distances.n_images("curve"))
        levels.append(Level(PERFECT, perfect.value, MUTED, main=False, stderr=perfect.stderr))
    return levels


def _draw_level(axes: Axes, level: Level) -> None:
    if level.name in (PERFECT, DRAWN):
        dashes = (0, (4, 3)) if level.name == PERFECT else (0, (1, 2))
        axes.axhline(level.value, color=MUTED, lw=1.1, ls=dashes, zorder=1)
        if level.stderr < level.value:
            ends = level.value - level.stderr, level.value + level.stderr
            axes.axhspan(*ends, color=MUTED, alpha=0.12, lw=0, zorder=0)
    else:
        colour, width = (INK, 1.4) if level.main else (FAINT, 0.9)
        axes.axhline(level.value, color=colour, lw=width, zorder=1)


def _start(axes: Axes, lines: dict[str, Line], low: float, high: float) -> None:
    """The narrow panel of image 0, which a logarithmic axis cannot hold."""
    values = [line.middle[0] for line in lines.values() if line.kimg[0] == 0]
    axes.set(yscale="log", ylim=(low, high), xlim=(-1, 1))
    axes.set_xticks([0], ["0"])
    axes.tick_params(axis="x", length=0)
    if values:
        value = float(np.exp(np.log(values).mean()))
        axes.plot([0], [value], marker="*", ms=11, color=INK, clip_on=False, zorder=4)
        axes.annotate(
            f"one step,\nundistilled\n{number(value)}",
            (0, value),
            xytext=(0, -9),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=SIZE - 0.5,
            color=INK,
        )


def _plain(value: float, _position: int) -> str:
    return f"{value:g}"


def _broken(left: Axes, main: Axes) -> None:
    """Slashes where the axis is broken between image 0 and the rest."""
    for axes, x in ((left, 1.0), (main, 0.0)):
        axes.plot(
            [x],
            [0],
            transform=axes.transAxes,
            marker=[(-1, -1.6), (1, 1.6)],
            ms=8,
            color=MUTED,
            mew=0.9,
            ls="none",
            clip_on=False,
        )


def _iterations(axes: Axes, distances: Distances) -> None:
    """The same axis in updates of the generator, on top."""
    rows = distances.table[(distances.table["role"] == "curve") & (distances.table["images"] > 0)]
    last = rows.sort_values("images").iloc[-1]
    batch = float(last["images"]) / max(float(last["iterations"]), 1.0)
    to_iterations: Any = lambda kimg: kimg * 1000 / batch  # noqa: E731 - typed for matplotlib.
    to_kimg: Any = lambda iterations: iterations * batch / 1000  # noqa: E731
    top = axes.secondary_xaxis("top", functions=(to_iterations, to_kimg))
    top.set_xlabel(f"iterations (batch {batch:.0f})", color=MUTED)
    top.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    top.xaxis.set_minor_formatter(NullFormatter())
    top.spines["top"].set_visible(True)


def plot_curves(distances: Distances) -> Figure:
    """Distance over images seen and iterations, with the teacher's and the real images' levels.

    Args:
        distances: those of one implementation.

    Returns:
        The figure: `axes[0]` holds image 0, `axes[1]` the curves.
    """
    trained = distances.table[distances.table["role"] == "curve"]["recipe"]
    names = names_of(trained)
    found = {recipe: line_of(distances, recipe) for recipe in names}
    lines = {recipe: line for recipe, line in found.items() if line and line.kimg[-1] > 0}
    with style():
        figure = Figure(figsize=(7.6, 5.0))
        left, main = figure.subplots(
            1, 2, width_ratios=[1, 8.2], gridspec_kw={"wspace": 0.03}, sharey=True
        )
        figure.subplots_adjust(left=0.085, right=0.838, top=0.89, bottom=0.135)
        rows = distances.table[distances.table["n_images"] == distances.n_images("curve")]
        values = rows["value"] if len(rows) else pd.Series([1.0, 10.0])
        low, high = float(values.min()) / 1.35, float(values.max()) * 1.5
        _start(left, lines, low, high)
        main.set(xscale="log", yscale="log", ylim=(low, high))
        drawn = {}
        for recipe, line in lines.items():
            drawn[recipe] = _draw_line(main, recipe, line)
            _fresh(main, distances, recipe, line)
        kimg = np.concatenate([x for x, _ in drawn.values()] or [np.array([1.0, 10.0])])
        main.set_xlim(float(kimg.min()) / 1.15, float(kimg.max()) * BESIDE * 1.12)
        levels = _levels(distances)
        for level in levels:
            _draw_level(main, level)
        name_levels(main, levels, list(drawn.values()))
        ends = {
            names[recipe]: (x[-1] * BESIDE, y[-1], look(recipe)[0])
            for recipe, (x, y) in drawn.items()
        }
        name_curves(main, ends, main.get_position().height * figure.get_figheight() * 72)
        _finish(figure, left, main, distances, max([line.seeds for line in lines.values()] or [0]))
        if lines:
            _iterations(main, distances)
    return figure


def _finish(figure: Figure, left: Axes, main: Axes, distances: Distances, seeds: int) -> None:
    """Scales, labels and the line that says what is shown."""
    first, last = main.get_xlim()
    steps = [base * 10.0**power for power in range(-3, 6) for base in (1, 2, 5)]
    main.xaxis.set_major_locator(FixedLocator([step for step in steps if first <= step <= last]))
    main.xaxis.set_minor_locator(LogLocator(subs=range(1, 10)))
    for axis in (main.xaxis, left.yaxis):
        axis.set_major_formatter(FuncFormatter(_plain))
        axis.set_minor_formatter(NullFormatter())
    main.spines["left"].set_visible(False)
    main.tick_params(axis="y", which="both", length=0, labelleft=False)
    _broken(left, main)
    extractor = distances.table["extractor"]
    name = str(extractor.iloc[0]) if len(extractor) else "no records"
    left.set_ylabel(label("frechet_distance", name))
    main.set_xlabel("images seen by the generator (kimg)")
    band = f", band: least to greatest of {seeds} seeds" if seeds > 1 else ", one training seed"
    figure.text(
        0.012,
        0.018,
        f"Lines: {distances.n_images('curve'):,} images of fixed noise{band}.   "
        f"Diamonds: fresh draws of {distances.n_images('final'):,} at the last "
        "snapshot, \N{PLUS-MINUS SIGN} 1 sd.",
        fontsize=SIZE - 1,
        color=MUTED,
    )
