"""The look of all figures: colours, type, and how a figure is written."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from sid.files import write_atomic

# Okabe & Ito's palette, told apart under the common colour deficiencies.
COLOURS = {
    "sid": "#0072B2",
    "sida": "#D55E00",
    "sid2a": "#009E73",
    "sid-continued": "#56B4E9",
    "diff-instruct": "#CC79A7",
}
# Why two implementations differ; of several reasons the first gives the colour.
REASONS = {
    "none": "#009E73",
    "rounding": "#009E73",
    "weights": "#D55E00",
    "preprocessing": "#0072B2",
    "published moments": "#7B3F98",
    "reference": "#7B3F98",
    "subsets": "#E69F00",
    "splits": "#E69F00",
    "divisor": "#CC79A7",
    "device": "#8C6D00",
}
NOISE = "#C4690A"
OTHERS = (("#E69F00", "P"), ("#4d4d4d", "D"), ("#8C6D00", "p"), ("#7B3F98", "h"))
MARKERS = {"sid": "o", "sida": "s", "sid2a": "^", "sid-continued": "v", "diff-instruct": "X"}
INK, MUTED, FAINT = "#1f2328", "#59636e", "#c4cad1"
DPI = 160
SETTINGS: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": INK,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "sid",  # The same figure is the same file.
}


def look(recipe: str) -> tuple[str, str]:
    """Colour and marker of a recipe; one unknown here gets its own by its name."""
    if recipe in COLOURS:
        return COLOURS[recipe], MARKERS[recipe]
    return OTHERS[zlib.crc32(recipe.encode()) % len(OTHERS)]


def reason_colour(reason: str) -> str:
    """Colour of a reason, as of `sid.report.agreement`; ink for one that is not explained."""
    return REASONS.get(reason.split(",")[0].split(":")[0], INK)


@contextmanager
def style() -> Iterator[None]:
    """Apply the look to what is drawn inside."""
    with mpl.rc_context(SETTINGS):
        yield


def write_figure(figure: Figure, stem: Path) -> list[Path]:
    """Write `stem.png` and `stem.svg`, atomically and without a date.

    Args:
        figure: the figure, drawn under `style`.
        stem: path without suffix.

    Returns:
        The two paths.
    """
    png, svg = stem.with_suffix(".png"), stem.with_suffix(".svg")
    with style():
        write_atomic(png, lambda path: figure.savefig(path, format="png", dpi=DPI))
        write_atomic(svg, lambda path: figure.savefig(path, format="svg", metadata={"Date": None}))
    return [png, svg]
