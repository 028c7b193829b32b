"""Horizontal lines of the figures: teachers, rivals, a perfect generator, the real images."""

import math
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from sid.report.benchmark import DISTANCE, Benchmark
from sid.report.labels import figures
from sid.report.naming import teacher_nfe, title
from sid.report.published_rows import TEACHER
from sid.report.style import FAINT, INK, MUTED
from sid.verdict.claim import Claims
from sid.verdict.published import GRADES

RIVALS = 3  # At most, the best one of each family.


class Level(NamedTuple):
    """A horizontal line: its name, value, kind (a key of `LINES`), standard error, and text.

    The text is the value as it is printed.
    """

    name: str
    value: float
    kind: str
    stderr: float = math.nan
    text: str = ""

    @property
    def said(self) -> str:
        """Name and value."""
        return f"{self.name}  {self.text or figures(self.value)}"


# Colour, width and dashes by kind.
LINES = {
    "teacher": (INK, 1.4, "-"),
    "ladder": (FAINT, 0.9, "-"),
    "published": (INK, 1.1, (0, (6, 2))),
    "rival": (MUTED, 0.6, (0, (1, 1.5))),
    "perfect": (MUTED, 1.1, (0, (4, 3))),
    "redrawn": (MUTED, 1.1, (0, (1, 2))),
}


def levels(benchmark: Benchmark, claims: Claims, paper: pd.DataFrame) -> list[Level]:
    """The lines of a benchmark at the curves' number of images.

    Args:
        benchmark: whose records.
        claims: that name the teacher.
        paper: its table, as of `sid.report.papers.paper_table`.
    """
    n = benchmark.n_images("curve") or benchmark.n_images("external", "final")
    return [*_teacher(benchmark, claims, n), *_published(paper), *_real(benchmark, n)]


def _teacher(benchmark: Benchmark, claims: Claims, n: int) -> list[Level]:
    """The teacher by evaluations, on the curves' noise where there is such."""
    rows = benchmark.distances("teacher")
    rows = rows[rows["n_images"] == n]
    fixed = rows["draw"] == 0
    rows = rows[fixed] if fixed.any() else rows
    main, found = teacher_nfe(benchmark.distances("teacher"), claims.subjects), []
    means = rows.groupby(["recipe", "nfe"], as_index=False)["value"].mean()
    for recipe, nfe, value in means[["recipe", "nfe", "value"]].to_numpy():
        known = title(claims.subjects, str(recipe)) if str(recipe) in claims.subjects else TEACHER
        name = f"{known.removesuffix(f', {_times(main)}')}, {_times(nfe)}"
        found.append(Level(name, float(value), "teacher" if nfe == main else "ladder"))
    return found


def _times(nfe: int) -> str:
    return f"{nfe} evaluation{'s' if nfe > 1 else ''}"


def _published(paper: pd.DataFrame) -> list[Level]:
    """The teachers' published distances, and those of a few rivals of one evaluation."""
    if f"{DISTANCE}_published" not in paper:
        return []
    known = paper[paper[f"{DISTANCE}_evidence"].map(GRADES).eq(True)]
    known = known.assign(value=pd.to_numeric(known[f"{DISTANCE}_published"]))
    teachers = known[(known["family"] == TEACHER) & (known["subject"] != "")]
    own = set(known.loc[known["subject"] != "", "family"])
    # Not those of which something is to be known that a figure cannot say.
    rivals = known[~known["family"].isin(own) & (known["nfe"] == "1")]
    rivals = rivals[rivals[f"{DISTANCE}_note"].isna()] if f"{DISTANCE}_note" in rivals else rivals
    rivals = rivals.sort_values("value")
    rivals = rivals.drop_duplicates("family").head(RIVALS)
    return [
        Level(
            f"{row['method']}, published",
            row["value"],
            kind,
            text=row[f"{DISTANCE}_published"],
        )
        for kind, rows in (("published", teachers), ("rival", rivals))
        for row in rows.to_dict("records")
    ]


def _real(benchmark: Benchmark, n: int) -> list[Level]:
    found = []
    redrawn = benchmark.distances("redrawn")
    value = redrawn.loc[redrawn["n_images"] == n, "value"]
    if len(value):
        found.append(Level("real images drawn again", float(value.mean()), "redrawn"))
    bias = benchmark.bias
    if bias and n:
        perfect = bias.perfect(n)
        name = "perfect generator, estimated"
        found.append(Level(name, perfect.value, "perfect", perfect.stderr))
    return found


def draw_levels(axes: Axes, lines: list[Level]) -> None:
    """Draw the lines, with a band of one standard error where it is known."""
    for level in lines:
        colour, width, dashes = LINES[level.kind]
        axes.axhline(level.value, color=colour, lw=width, ls=dashes, zorder=1)
        if level.stderr < level.value:
            ends = level.value - level.stderr, level.value + level.stderr
            axes.axhspan(*ends, color=colour, alpha=0.12, lw=0, zorder=0)


def colour_of(level: Level) -> str:
    """The colour of a line's name, dark enough to be read."""
    return INK if level.kind in ("teacher", "published") else MUTED
