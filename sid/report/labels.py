"""Names written beside lines instead of a legend, kept clear of each other and of the curves."""

import math
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patheffects import withStroke

from sid.verdict.distances import Array

SIZE = 8.0  # Points.
HALO = [withStroke(linewidth=2.2, foreground="white")]


class Level(NamedTuple):
    """A horizontal line: its name, value, colour, whether it is the main one, standard error."""

    name: str
    value: float
    colour: str
    main: bool
    stderr: float = math.nan


def darker(colour: str) -> str:
    """The colour at seven tenths, so that thin letters keep their contrast on white."""
    red, green, blue = to_rgb(colour)
    return to_hex((0.7 * red, 0.7 * green, 0.7 * blue))


def number(value: float) -> str:
    """Three digits without an exponent: 764, 13.5, 0.24, 1,350."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


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


def _clear_right(axes: Axes, curves: list[tuple[Array, Array]], value: float) -> bool:
    """Whether a label at this height has more room from the curves on the right than the left."""
    first, last = np.log(axes.get_xlim())
    room = []
    for start, stop in ((0.0, 0.35), (0.65, 1.0)):
        x = first + np.linspace(start, stop, 20) * (last - first)
        far = [
            np.abs(np.interp(x, np.log(xs), np.log(ys), right=np.inf) - math.log(value)).min()
            for xs, ys in curves
        ]
        room.append(min(far, default=0.0))
    return room[1] > room[0]


def name_levels(axes: Axes, levels: list[Level], curves: list[tuple[Array, Array]]) -> None:
    """Write each level's name and value above its line, the main one's below, clear of neighbours.

    Args:
        axes: log-log axes with their final limits.
        levels: the lines.
        curves: (x, y) of what the labels should keep clear of, positive.
    """
    low, high = (math.log10(limit) for limit in axes.get_ylim())
    figure = axes.get_figure(root=True)
    assert figure is not None
    height = axes.get_window_extent().height * 72 / figure.dpi
    near = SIZE * 1.5 / height * (high - low)  # Room for one label.
    placed: list[tuple[bool, float]] = []  # Side and height of the labels so far.
    for level in levels:
        others = [math.log10(other.value / level.value) for other in levels if other is not level]
        if level.main:
            below = not any(-near < step < 0 for step in others)
        else:
            below = any(0 < step < near for step in others)
        crowded = any(0 < step < near for step in others) and any(
            -near < step < 0 for step in others
        )
        right = _clear_right(axes, curves, level.value)
        centre = math.log10(level.value) + (-0.5 if below else 0.5) * near
        if any(side == right and abs(centre - other) < 0.7 * near for side, other in placed):
            right = not right
        placed.append((right, centre))
        axes.annotate(
            f"{level.name}  {number(level.value)}",
            (0.985 if right else 0.015, level.value),
            xycoords=axes.get_yaxis_transform(),
            xytext=(0, -3 if below else 2),
            textcoords="offset points",
            ha="right" if right else "left",
            va="top" if below else "bottom",
            fontsize=SIZE - 0.5,
            color=level.colour,
            fontweight="bold" if level.main else "normal",
            path_effects=HALO,
            # Between two lines that are too close, it covers one of them.
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6} if crowded else None,
            zorder=6,
        )


def name_curves(axes: Axes, ends: dict[str, tuple[float, float, str]], height: float) -> None:
    """Write each curve's name in the right margin, with a thin leader from its end.

    Args:
        axes: log-log axes with their final limits.
        ends: name -> (x, y, colour) of where the curve ends.
        height: of the axes, in points.
    """
    low, high = (math.log(limit) for limit in axes.get_ylim())
    right = axes.get_xlim()[1]
    shares = [(math.log(y) - low) / (high - low) for _, y, _ in ends.values()]
    places = spread_apart(shares, SIZE * 1.55 / height, 0.02, 0.98)
    for (name, (x, y, colour)), share, place in zip(ends.items(), shares, places, strict=True):
        axes.annotate(
            name,
            (1.0, share),
            xycoords="axes fraction",
            xytext=(1.035, place),
            textcoords="axes fraction",
            va="center",
            fontsize=SIZE + 0.5,
            fontweight="bold",
            color=darker(colour),
            annotation_clip=False,
        )
        leader: Any = {
            "color": darker(colour),
            "lw": 0.6,
            "ls": ":",
            "zorder": 2,
            "label": "_leader",
        }
        axes.plot([x, right], [y, y], **leader)
        axes.plot([1.0, 1.03], [share, place], transform=axes.transAxes, clip_on=False, **leader)
