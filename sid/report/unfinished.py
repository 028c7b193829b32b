"""Curves that have not come to their published checkpoint: what leads there, and what is said."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from sid.report.bracket import Bracket, bracket
from sid.report.lines import Line
from sid.report.style import Look
from sid.verdict.claim import Claims


def unfinished(shown: Mapping[str, Line], claims: Claims) -> dict[str, Bracket]:
    """What is published of the recipes whose curves end before their published checkpoint."""
    known = {recipe: bracket(claims, recipe, line.end[0]) for recipe, line in shown.items()}
    return {recipe: of for recipe, of in known.items() if shown[recipe].end[0] < of.kimg}


def draw_bracket(axes: Axes, line: Line, known: Bracket, look: Look) -> None:
    """From where a curve ends to the published checkpoint: the published one was not lower.

    What starts from a published checkpoint too is shaded up to that one's distance.
    """
    between: Any = {"color": look.colour, "zorder": 1}
    x = [line.end[0], known.kimg]
    axes.plot(x, [known.low] * 2, ls=":", lw=1, label="_bracket", **between)
    if known.high:
        x = [axes.get_xlim()[0], known.kimg]
        axes.fill_between(x, known.low, known.high, alpha=0.08, lw=0, **between)


def said_below(shown: Mapping[str, Line], ahead: Mapping[str, Bracket]) -> list[str]:
    """What is said below of curves that have not come to their published checkpoint."""
    parts = {
        "Dotted: the published curve was not lower before its star.": bool(ahead),
        "Shaded: between its published start and its star.": any(b.high for b in ahead.values()),
        "Thin: a seed that is ahead of another.": any(line.tails for line in shown.values()),
    }
    said = "   ".join(text for text, there in parts.items() if there)
    return [said] if said else []
