"""The look of all figures: colours, type, and how a figure is written."""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure

from sid.files import write_atomic
from sid.report.naming import alpha, method
from sid.verdict.entries import Subject

# Okabe & Ito's palette, told apart under the common colour deficiencies; methods have them in turn.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#8C6D00", "#7B3F98")
MARKERS = ("o", "s", "^", "v", "X", "p", "h", "P")
DASHES: Any = ("-", (0, (5, 2)), (0, (1.2, 1.4)), (0, (5, 1.5, 1.2, 1.5)), (0, (9, 3)))
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
OTHERS = (("#E69F00", "P"), ("#4d4d4d", "D"), ("#6b8e23", "*"), ("#a0522d", "h"))
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


class Look(NamedTuple):
    """Of one recipe: its method's colour, and marker and dashes by alpha."""

    colour: str
    marker: str
    dash: Any


def looks(subjects: Mapping[str, Subject], recipes: Iterable[str]) -> dict[str, Look]:
    """The looks of the recipes of a figure: colour by method, marker and dashes by alpha.

    Methods have their colours in the order of the claims, so that a method looks alike in all
    figures. Of a method the greatest alpha is solid, then come those without one. A recipe without
    an entry gets a look by its name.
    """
    recipes = set(recipes)
    known = {name: about for name, about in subjects.items() if about.nfe == 1}
    methods = list(dict.fromkeys(method(known, name) for name in known))
    shown = [name for name in known if name in recipes]
    shown.sort(key=lambda name: -float(alpha(known, name) or "-inf"))
    found, taken = {}, Counter[str]()
    for recipe in shown:
        own = method(known, recipe)
        place, step = methods.index(own), taken[own]
        taken[own] += 1
        found[recipe] = Look(
            COLOURS[place % len(COLOURS)],
            MARKERS[(place + 3 * step) % len(MARKERS)],
            DASHES[step % len(DASHES)],
        )
    for recipe in recipes - set(shown):
        colour, marker = OTHERS[zlib.crc32(recipe.encode()) % len(OTHERS)]
        found[recipe] = Look(colour, marker, DASHES[0])
    return found


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
