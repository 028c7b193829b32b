"""Names written beside lines instead of a legend, kept clear of each other."""

import math
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath
from matplotlib.transforms import Transform, offset_copy

from sid.report.style import Look

SIZE = 8.0  # Points.
LEADER, KEY = 12.0, 20.0  # Points from the axes to the names beside them, and of a piece of line.


class Name(NamedTuple):
    """What stands in the right margin: text, the point that it names, and how it looks.

    A name with a `look` has a piece of its line before it.
    """

    text: str
    x: float
    y: float
    colour: str
    bold: bool = False
    look: Look | None = None


def darker(colour: str) -> str:
    """The colour at seven tenths, so that thin letters keep their contrast on white."""
    red, green, blue = to_rgb(colour)
    return to_hex((0.7 * red, 0.7 * green, 0.7 * blue))


def number(value: float) -> str:
    """Three digits without an exponent: 764, 13.5, 0.24, 1,350."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def letters(place: int) -> str:
    """Marks of notes: a, b, ... z, aa, ab, ..."""
    head, last = divmod(place, 26)
    return (letters(head - 1) if head else "") + chr(ord("a") + last)


def spread_apart(places: list[float], gap: float, low: float, high: float) -> list[float]:
    """Move label centres apart to at least `gap`, keeping their order and near their places.

    Args:
        places: wanted centres, in any order.
        gap: least distance between neighbours.
        low: lowest centre allowed, unless they cannot all fit.
        high: highest centre allowed.

    Returns:
        Centres in the order of `places`.
    """
    order = sorted(range(len(places)), key=lambda index: places[index])
    groups: list[list[int]] = []
    for index in order:
        groups.append([index])
        # Groups that touch merge and sit about the mean of their places.
        while len(groups) > 1 and _touch(groups[-2], groups[-1], places, gap):
            merged = groups.pop(-2) + groups.pop()
            groups.append(merged)
    moved = [0.0] * len(places)
    for group in groups:
        for rank, index in enumerate(group):
            moved[index] = _centre(group, places) + (rank - (len(group) - 1) / 2) * gap
    for rank, index in enumerate(order):
        moved[index] = max(moved[index], low + rank * gap)
    for rank, index in enumerate(reversed(order)):
        moved[index] = min(moved[index], high - rank * gap)
    return moved


def _centre(group: list[int], places: list[float]) -> float:
    return sum(places[index] for index in group) / len(group)


def _touch(lower: list[int], upper: list[int], places: list[float], gap: float) -> bool:
    apart = _centre(upper, places) - _centre(lower, places)
    return apart < gap * (len(lower) + len(upper)) / 2 * (1 - 1e-9)


def figures(value: float) -> str:
    """A value with the decimals of the papers: three below 10, two below 100, else one."""
    if not math.isfinite(value):
        return ""
    return f"{value:,.{3 if abs(value) < 10 else 2 if abs(value) < 100 else 1}f}"


def margin_of(texts: list[str]) -> float:
    """Width of the right margin that holds such names, in inches."""
    return (max(map(width_of, texts), default=0.0) + LEADER + KEY + 10) / 72


def width_of(text: str, bold: bool = True) -> float:
    """Width of a name in the margin, in points."""
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=SIZE, prop=font).get_extents().width) if text else 0.0


def write_names(axes: Axes, names: list[Name]) -> None:
    """Write names in the right margin, apart, each with a thin leader from its point.

    Args:
        axes: with their final limits and place, y logarithmic.
        names: in any order.
    """
    if not names:
        return
    figure = axes.get_figure(root=True)
    assert figure is not None
    height = axes.get_position().height * figure.get_figheight() * 72
    low, high = (math.log(limit) for limit in axes.get_ylim())
    right = axes.get_xlim()[1]

    def beside(points: float) -> Transform:
        return offset_copy(axes.transAxes, figure, points, 0, units="points")

    shares = [(math.log(name.y) - low) / (high - low) for name in names]
    gap = min(SIZE * 1.5 / height, 1.0 / len(names))
    places = spread_apart(shares, gap, gap / 2, 1 - gap / 2)
    for name, share, place in zip(names, shares, places, strict=True):
        axes.annotate(
            name.text,
            (1.0, share),
            xycoords="axes fraction",
            xytext=(1.0, place),
            textcoords=beside(LEADER + 2 + (KEY if name.look else 0)),
            va="center",
            fontsize=SIZE,
            fontweight="bold" if name.bold else "normal",
            color=darker(name.colour),
            annotation_clip=False,
        )
        leader: Any = {"color": darker(name.colour), "lw": 0.6, "ls": ":", "label": "_leader"}
        axes.plot([name.x, right], [name.y, name.y], zorder=2, **leader)
        ends = [beside(points).transform((1.0, place))[0] for points in (LEADER, LEADER + KEY - 3)]
        first, last = (float(axes.transAxes.inverted().transform((x, 0))[0]) for x in ends)
        own: Any = {"transform": axes.transAxes, "clip_on": False}
        axes.plot([1.0, first], [share, place], **own, **leader)
        if name.look:
            colour, marker, dash = name.look
            axes.plot(
                [first, last], [place] * 2, color=colour, ls=dash, lw=1.6, label="_key", **own
            )
            middle = (first + last) / 2
            axes.plot([middle], [place], color=colour, marker=marker, ms=3.6, label="_key", **own)
