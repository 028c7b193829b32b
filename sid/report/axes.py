"""Scales of the figure of curves: thousands of images below, updates of the generator above."""

import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter

from sid.report.benchmark import Benchmark
from sid.report.labels import SIZE
from sid.report.style import MUTED

MOST = 8  # Labels of the axis of images.


def plain(value: float, _position: int) -> str:
    """A tick without an exponent: 0.1, 50, 400,000."""
    return f"{value:,.6g}" if value < 1e6 else f"{value:,.0f}"


def steps(first: float, last: float, most: int = MOST) -> list[float]:
    """Round numbers between two limits: as many as fit, fewer where these are far apart."""
    powers = [10.0**power for power in range(-4, 9)]
    fine = (1, 1.2, 1.4, 1.6, 1.8, 2, 2.2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 9)
    for bases in (fine, (1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,)):
        found = [base * power for power in powers for base in bases]
        found = [step for step in found if first <= step <= last]
        if len(found) <= most:
            break
    return found


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


def _iterations(axes: Axes, benchmark: Benchmark) -> None:
    """The same axis in updates of the generator, on top, where all recipes have one batch."""
    rows = benchmark.distances("curve")
    rows = rows[(rows["images"] > 0) & (rows["iterations"] > 0)]
    last = rows.sort_values("images").groupby("recipe").tail(1)
    batches = last["images"] / last["iterations"]
    # The last step of a run may be cut short.
    if last.empty or batches.max() > 1.02 * batches.min():
        return
    batch = round(batches.iloc[-1])
    to_iterations: Any = lambda kimg: kimg * 1000 / batch  # noqa: E731 - typed for matplotlib.
    to_kimg: Any = lambda iterations: iterations * batch / 1000  # noqa: E731
    top = axes.secondary_xaxis("top", functions=(to_iterations, to_kimg))
    top.set_xlabel(f"iterations (batch {batch})", color=MUTED)
    first, end = (to_iterations(limit) for limit in axes.get_xlim())
    top.xaxis.set_major_locator(FixedLocator(steps(first, end, 6)))
    top.xaxis.set_major_formatter(FuncFormatter(plain))
    top.xaxis.set_minor_formatter(NullFormatter())
    top.spines["top"].set_visible(True)


def what(benchmark: Benchmark, seeds: int, counted: list[str], stars: bool) -> list[str]:
    """The lines below that say what is shown.

    Args:
        benchmark: whose records.
        seeds: training seeds, the most of a recipe.
        counted: titles of the recipes that count images from where they start.
        stars: whether there are published checkpoints.
    """
    band = f", band: least to greatest of {seeds} seeds" if seeds > 1 else ", one training seed"
    first = f"Lines: {benchmark.n_images('curve'):,} images of fixed noise{band}."
    if n := benchmark.n_images("final"):
        first += (
            f"   Diamonds: fresh draws of {n:,} at the last snapshot, \N{PLUS-MINUS SIGN} 1 sd."
        )
    said = [first]
    if counted:
        said.append(f"Images are counted from another generator's: {'; '.join(counted)}.")
    if stars:
        said.append("Stars: published checkpoints, hollow where the value is unverified.")
    return said


def finish(
    figure: Figure, panels: tuple[Axes, Axes], benchmark: Benchmark, distance: str, said: list[str]
) -> None:
    """Scales, labels and what is said below.

    Args:
        figure: the figure.
        panels: that of image 0, and that of the curves, with its limits.
        benchmark: whose records.
        distance: name of the distance.
        said: lines below, as of `what`.
    """
    left, main = panels
    main.xaxis.set_major_locator(FixedLocator(steps(*main.get_xlim())))
    main.xaxis.set_minor_locator(LogLocator(subs=range(1, 10)))
    left.yaxis.set_major_locator(FixedLocator(steps(*main.get_ylim(), 9)))
    for axis in (main.xaxis, left.yaxis):
        axis.set_major_formatter(FuncFormatter(plain))
        axis.set_minor_formatter(NullFormatter())
    main.spines["left"].set_visible(False)
    main.tick_params(axis="y", which="both", length=0, labelleft=False)
    _broken(left, main)
    left.set_ylabel(distance)
    main.set_xlabel("images seen by the generator (kimg)")
    _iterations(main, benchmark)
    caption(figure, said)


def caption(figure: Figure, said: list[str]) -> None:
    """Lines in the lower left corner, broken to the figure's width."""
    letters = int(figure.get_figwidth() * 72 / (0.52 * (SIZE - 1)))
    text = "\n".join(line for each in said for line in textwrap.wrap(each, letters))
    figure.text(0.012, 0.012, text, va="bottom", fontsize=SIZE - 1, color=MUTED)
