"""The ablation of alpha: distance against alpha, ours with intervals beside the published."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter

from sid.evaluate.metrics import label
from sid.report.axes import caption, plain, steps
from sid.report.benchmark import DISTANCE, Benchmark
from sid.report.labels import SIZE, Name, margin_of, write_names
from sid.report.naming import alpha, method
from sid.report.ours import LEVEL, OURS
from sid.report.style import MUTED, Look, looks, style
from sid.verdict.claim import Claims
from sid.verdict.published import GRADES

LEFT, PLOT, TOP, BOTTOM, HEIGHT = 0.75, 3.9, 0.15, 0.95, 3.8  # Inches.
FACES = {"checkpoint": "full", "retrained": "none"}  # Of the markers: filled, or hollow.
ABSENT = "no records"


def points(benchmark: Benchmark, claims: Claims, paper: pd.DataFrame) -> pd.DataFrame:
    """One row for each recipe of a method that has several values of alpha.

    Args:
        benchmark: of the table.
        claims: whose subjects have an alpha.
        paper: the table, as of `sid.report.papers.paper_table`.

    Returns:
        The table's rows and columns, with `alpha` as a number and its `key`, the method.
    """
    if "subject" not in paper:
        return paper.assign(alpha=[], key=[])
    texts = paper["subject"].map(lambda name: alpha(claims.subjects, str(name)))
    rows = paper[texts != ""].assign(alpha=texts[texts != ""].astype(float))
    rows = rows.assign(key=rows["subject"].map(lambda name: method(claims.subjects, str(name))))
    return rows[rows.groupby("key")["alpha"].transform("nunique") > 1]


def plot_ablation(benchmark: Benchmark, claims: Claims, paper: pd.DataFrame) -> Figure | None:
    """Distance against alpha, a line a method.

    Args:
        benchmark: as of `points`.
        claims: as of `points`.
        paper: as of `points`.

    Returns:
        The figure; None where no method has our values at two alphas.
    """
    rows = points(benchmark, claims, paper)
    columns = [f"{DISTANCE}_{kind}" for kind in OURS if f"{DISTANCE}_{kind}" in rows]
    measured = rows[rows[columns].notna().any(axis=1)] if columns else rows[:0]
    if measured.empty or measured.groupby("key")["alpha"].nunique().max() < 2:
        return None
    names: list[Name] = []
    with style():
        margin = margin_of(list(rows["key"]))
        width = LEFT + PLOT + margin
        figure = Figure(figsize=(width, HEIGHT))
        axes = figure.add_axes(
            (LEFT / width, BOTTOM / HEIGHT, PLOT / width, 1 - (TOP + BOTTOM) / HEIGHT)
        )
        axes.set_yscale("log")
        for key, of in rows.groupby("key", sort=False):
            look = looks(claims.subjects, [str(of["subject"].iloc[0])])[of["subject"].iloc[0]]
            own = of[of["subject"].isin(measured["subject"])]
            drawn = [end for kind in OURS if (end := _ours(axes, own, kind, look))]
            drawn += [end for end in [_published(axes, of, look)] if end]
            if drawn:
                x, y = max(drawn)
                names.append(Name(str(key), x, y, look.colour, True))
        values = sorted(set(rows["alpha"]))
        axes.set_xticks(values, [f"{value:g}" for value in values])
        room = 0.08 * (values[-1] - values[0])
        axes.set_xlim(values[0] - room, values[-1] + room)
        axes.margins(y=0.2)
        axes.yaxis.set_major_locator(FixedLocator(steps(*axes.get_ylim())))
        axes.yaxis.set_major_formatter(FuncFormatter(plain))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel("alpha")
        axes.set_ylabel(label(DISTANCE, benchmark.extractor))
        axes.set_ylim(axes.get_ylim())
        _absent(axes, sorted(set(values) - set(measured["alpha"])))
        write_names(axes, names)
        said = [
            "Filled: published weights measured here; hollow: trained here; bars: intervals at "
            f"{100 * LEVEL:.0f} %.",
            "Stars: published, hollow where the value is unverified.",
        ]
        caption(figure, said)
    return figure


def _ours(axes: Axes, rows: pd.DataFrame, kind: str, look: Look) -> tuple[float, float] | None:
    """Our values with their intervals; returns the last point."""
    column = f"{DISTANCE}_{kind}"
    if column not in rows:
        return None
    rows = rows[rows[column].notna()].sort_values("alpha")
    if rows.empty:
        return None
    value = rows[column].astype(float)
    ends = [rows[f"{column}_{end}"].astype(float).fillna(value) for end in ("low", "high")]
    axes.errorbar(
        rows["alpha"],
        value,
        yerr=[value - ends[0], ends[1] - value],
        color=look.colour,
        marker=look.marker,
        mfc=look.colour if FACES[kind] == "full" else "white",
        mec=look.colour,
        ms=5,
        lw=1.2,
        ls="-" if FACES[kind] == "full" else "--",
        capsize=2.5,
        label=kind,
        zorder=4,
    )
    return float(rows["alpha"].iloc[-1]), float(value.iloc[-1])


def _published(axes: Axes, rows: pd.DataFrame, look: Look) -> tuple[float, float] | None:
    column = f"{DISTANCE}_published"
    if column not in rows or rows[column].notna().sum() == 0:
        return None
    rows = rows[rows[column].notna()].sort_values("alpha")
    values = rows[column].astype(float)
    filled = rows[f"{DISTANCE}_evidence"].map(GRADES)
    faces = [look.colour if decides else "white" for decides in filled]
    axes.scatter(
        rows["alpha"], values, marker="*", s=110, c=faces, edgecolors=look.colour, lw=0.8, zorder=5
    )
    return float(rows["alpha"].iloc[-1]), float(values.iloc[-1])


def _absent(axes: Axes, values: list[float]) -> None:
    """The alphas of recipes without records of ours stay undecided, in words."""
    for value in values:
        axes.annotate(
            f"undecided: {ABSENT}",
            (value, 0.03),
            xycoords=axes.get_xaxis_transform(),
            rotation=90,
            ha="center",
            va="bottom",
            fontsize=SIZE - 1.5,
            color=MUTED,
        )
