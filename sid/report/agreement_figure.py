"""The agreement figure: a row of dots for each two implementations, beside the redraw noise."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from sid.evaluate.metrics import label
from sid.report.agreement import PAIR, TOLERANCE, explained
from sid.report.labels import darker, number
from sid.report.style import INK, MUTED, NOISE, reason_colour, style

PLOT, LETTER = 5.2, 0.068  # Inches: the axes' width, and about a letter's.
ROW, HEAD, GAP, FOOT = 0.27, 0.68, 0.12, 0.6
FEW = 8  # Dots that need neither scatter nor a bar.
LEAST = 1e-9  # Lesser differences stand at the edge, so that they do not press the others together.
# What is shaded, by the kind of noise: beside the line, and in the legend.
LEVELS = {
    "redraw": ("redraw noise", "more than one draw of a generator differs from the next"),
    "error": ("standard error", "more than the standard error of one value"),
}
EDGE = 0.4  # Decades left of the least difference that is shown.


def plot_agreement(found: pd.DataFrame, noise: pd.DataFrame) -> Figure:
    """Relative differences of implementations on the same images, one dot a set of images.

    Args:
        found: as of `sid.report.agreement.differences`.
        noise: as of `sid.report.noise.noise`.

    Returns:
        The figure: a panel a metric and a row of dots a pair, with the tolerance as a dashed line
        and what lies beyond the spread from draw to draw shaded.
    """
    shown = explained(found[found["relative"].notna()])
    panels = [
        (
            str(metric),
            str(extractor),
            shown[(shown["metric"] == metric) & (shown["extractor"] == extractor)],
        )
        for metric, extractor in shown[PAIR[:2]].drop_duplicates().to_numpy()
    ]
    sizes = [ROW * (len(panel[PAIR].drop_duplicates()) + 0.4) for *_, panel in panels]
    height = FOOT + sum(sizes) + HEAD * max(len(sizes), 1) + GAP * max(len(sizes) - 1, 0)
    names = [
        f"{first} . {second}" for first, second in shown[PAIR[2:4]].drop_duplicates().to_numpy()
    ]
    left = 0.3 + LETTER * max(map(len, names), default=0)
    width = left + PLOT + 0.3 + LETTER * max(map(len, shown["reason"]), default=0)
    limits = _limits(shown["relative"], noise["relative"][noise["kind"].isin(["redraw", "error"])])
    with style():
        figure, top = Figure(figsize=(width, height)), height
        for size, (metric, extractor, panel) in zip(sizes, panels, strict=True):
            top -= HEAD + size
            axes = figure.add_axes((left / width, top / height, PLOT / width, size / height))
            top -= GAP
            axes.set_xscale("log")
            axes.set_xlim(*limits)
            _panel(axes, panel)
            of = noise["metric"].eq(metric) & noise["extractor"].eq(extractor)
            _levels(axes, label(metric, extractor), noise[of], set(panel["n_images"]))
        if panels:
            axes.set_xlabel("relative difference on the same images")
            axes.tick_params(labelbottom=True)
    return figure


def _limits(differences: pd.Series, noise: pd.Series) -> tuple[float, float]:
    marks = [TOLERANCE / 100, TOLERANCE * 10, *differences[differences >= LEAST], *noise[noise > 0]]
    edge = 10**EDGE if (differences < LEAST).any() else 1.0
    return min(marks) / 2 / edge, max(marks) * 2.5


def _panel(axes: Axes, panel: pd.DataFrame) -> None:
    """Rows of dots, the closest pair on top; a triangle at the edge for what is nearly equal."""
    rows = [
        (str(key[2]), str(key[3]), str(key[4]), group["relative"])
        for key, group in panel.groupby(PAIR)
    ]
    rows.sort(key=lambda row: -row[-1].median())
    rng = np.random.default_rng(0)  # Only for the heights of the dots.
    edge = axes.get_xlim()[0] * 10 ** (EDGE / 2)
    for row, (_, _, reason, values) in enumerate(rows):
        colour, middle = reason_colour(reason), values.median()
        apart = values[values >= LEAST]
        few = len(apart) <= FEW
        heights = row + (0 if few else 1) * rng.uniform(-0.22, 0.22, len(apart))
        size, alpha = (26, 0.7) if few else (12, 0.5)
        axes.scatter(apart, heights, s=size, alpha=alpha, color=colour, lw=0, zorder=3)
        if len(apart) < len(values):
            axes.scatter([edge], [row], marker="<", s=26, color=colour, lw=0, zorder=3)
        if len(values) > FEW and middle >= LEAST:
            axes.plot([middle] * 2, [row - 0.36, row + 0.36], color=INK, lw=1.5, zorder=4)
        axes.annotate(
            reason.replace("none: ", ""),
            (1.0, row),
            xycoords=axes.get_yaxis_transform(),
            xytext=(7, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            color=darker(colour),
        )
    names = [f"{first} \N{MIDDLE DOT} {second}" for first, second, _, _ in rows]
    axes.set_yticks(range(len(rows)), names)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.tick_params(axis="y", length=0, labelsize=8)
    axes.spines["left"].set_visible(False)
    axes.hlines(range(len(rows)), *axes.get_xlim(), color="#eef0f2", lw=0.8, zorder=0)
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.0e}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelsize=8, labelbottom=False)


def _levels(axes: Axes, name: str, noise: pd.DataFrame, sizes: set[int]) -> None:
    """The metric's name, the tolerance, and the noise: from redraws, else of single values."""
    axes.axvline(TOLERANCE, color=MUTED, lw=1.0, ls=(0, (4, 3)), zorder=1)
    _above(axes, TOLERANCE, f"tolerance\n{TOLERANCE:.0e}", MUTED, "right")
    axes.annotate(
        name,
        (0, 1),
        xycoords="axes fraction",
        xytext=(0, 27),
        textcoords="offset points",
        fontsize=9.5,
        fontweight="bold",
    )
    levels = _shaded(noise, sizes)
    if levels.empty:
        return
    least = float(levels["relative"].iloc[0])
    axes.axvspan(least, axes.get_xlim()[1], color=NOISE, alpha=0.13, lw=0, zorder=0)
    for value in levels["relative"]:
        axes.axvline(value, color=NOISE, lw=1.4, zorder=1)
    each = levels[["relative", "n_images"]].to_numpy(float)
    shares = ", ".join(f"{number(100 * value)} % (n = {n:,.0f})" for value, n in each)
    low, high = np.log(axes.get_xlim())
    side = "left" if (np.log(least) - low) / (high - low) < 0.8 else "right"
    words = LEVELS[str(levels["kind"].iloc[0])][0]
    _above(axes, least, f"{words}\n{shares}", darker(NOISE), side)


def _shaded(noise: pd.DataFrame, sizes: set[int]) -> pd.DataFrame:
    """The levels of a panel, the least first: of redraws, else of single values, else none."""
    noise = noise[noise["n_images"].isin(sizes) & (noise["relative"] > 0)]
    kinds = [kind for kind in LEVELS if (noise["kind"] == kind).any()]
    return noise[noise["kind"].isin(kinds[:1])].sort_values("relative")


def legend(found: pd.DataFrame, noise: pd.DataFrame) -> str:
    """What is drawn in `plot_agreement` of the same tables, in words, and nothing else."""
    shown = explained(found[found["relative"].notna()])
    small = shown["relative"] < LEAST
    many = [
        len(values) > FEW and values.median() >= LEAST
        for _, values in shown.groupby(PAIR)["relative"]
    ]
    kinds: set[str] = set()
    for key, panel in shown.groupby(PAIR[:2]):
        metric, extractor = map(str, key)
        of = noise[noise["metric"].eq(metric) & noise["extractor"].eq(extractor)]
        kinds |= set(_shaded(of, set(panel["n_images"]))["kind"])
    parts = {
        "One dot a set of images, coloured by the reason.": not small.all(),
        f"Triangle: equal, or less than {LEAST:.0e} apart.": small.any(),
        "Bar: the median.": any(many),
        "Dashed: the tolerance for what ought to be equal.": len(shown) > 0,
        **{f"Shaded: {words}.": kind in kinds for kind, (_, words) in LEVELS.items()},
    }
    return " ".join(text for text, there in parts.items() if there)


def _above(axes: Axes, x: float, text: str, colour: str, side: str) -> None:
    axes.annotate(
        text,
        (x, 1.0),
        xycoords=axes.get_xaxis_transform(),
        xytext=(2 if side == "left" else -2, 3),
        textcoords="offset points",
        ha=side,
        va="bottom",
        fontsize=7.5,
        linespacing=1.15,
        color=colour,
    )
