"""From the records and a claim to logarithms of runs and draws, or to the reason why not."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from sid.evaluate.metrics import METRICS
from sid.evaluate.table import significant
from sid.verdict.bias import bias_of
from sid.verdict.claim import TEACHER, Claim
from sid.verdict.design import Array
from sid.verdict.side import LackingError, Row, Side, side_of


class Records:
    """The records, indexed by what claims ask for.

    Args:
        table: records as of `sid.evaluate.records`.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table
        self._rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
        columns = [table[name].tolist() for name in Row._fields]
        for row in map(Row._make, zip(*columns, strict=True)):
            self._rows[row.role, row.recipe].append(row)
        self.recipes = {recipe for _, recipe in self._rows}

    def rows(self, role: str, recipe: str | None = None) -> list[Row]:
        """Those of a role, of one recipe or of all."""
        if recipe is not None:
            return self._rows.get((role, recipe), [])
        return [row for key, rows in self._rows.items() if key[0] == role for row in rows]

    def external(self, claim: Claim, recipe: str) -> Side:
        """Draws of a generator that was not trained here.

        Raises:
            LackingError: there are none that decide.
        """
        rows = self.rows("external", recipe)
        return side_of(f"the checkpoint {recipe}", rows, claim)

    def final(self, claim: Claim, recipe: str) -> Side:
        """Fresh draws of the selected snapshot of each run.

        Raises:
            LackingError: there are none that decide.
        """
        rows, wanted = self.rows("final", recipe), claim.protocol.selection
        chosen = [row for row in rows if row.selection == wanted and row.draw > 0]
        if rows and not chosen:
            raise LackingError(
                f"the records have {recipe} at other snapshots than the {wanted}, which are never "
                "set beside it",
                changes=f"fresh draws of the {wanted} snapshot",
            )
        return side_of(f"runs of {recipe}", chosen, claim)

    def curves(self, claim: Claim, recipe: str) -> Side:
        """Each run's snapshots on one fixed noise, by thousands of images.

        Raises:
            LackingError: there are none that decide.
        """
        rows = [row for row in self.rows("curve", recipe) if row.draw == 0]
        return side_of(f"curves of {recipe}", rows, claim, by="kimg")

    def teacher(self, claim: Claim, student: Side, *, fresh: bool = True) -> Side:
        """The teacher, at the most evaluations at which it has such draws.

        It is what the claim names, or with `teacher` the only one of the data set: of the role
        `teacher`, else a published file of several evaluations. Of several it is the one that has
        classes or none as the student does.

        Args:
            claim: whose data set and protocol count.
            student: what is set against it.
            fresh: its fresh draws; otherwise the fixed noise of curves.

        Raises:
            LackingError: there are none that decide, or several teachers.
        """
        named = None if claim.against in ("", TEACHER) else claim.against
        trained = self.rows("teacher", named)
        rows = trained or [row for row in self.rows("external", named) if row.nfe > 1]
        rows = [row for row in rows if row.dataset == claim.dataset]
        if len({row.recipe for row in rows}) > 1:
            rows = [row for row in rows if bool(row.labels) == bool(student.about.labels)]
        teachers = sorted({row.recipe for row in rows})
        if len(teachers) > 1:
            raise LackingError(
                f"the records have several teachers, {', '.join(teachers)}",
                changes="a claim that names one of them as `against`",
            )
        rows = [row for row in rows if (row.draw > 0) == fresh]
        most = max((row.nfe for row in rows), default=0)
        chosen = [row for row in rows if row.nfe == most]
        return side_of(f"the teacher at {most} evaluations" if most else "a teacher", chosen, claim)

    def bias(self, claim: Claim, side: Side) -> list[str]:
        """What a perfect generator would read, where real images tell it, as a note."""
        if claim.protocol.metric != "frechet_distance" or not self.rows("redrawn"):
            return []
        same = self._table["extractor_sha256"] == side.about.extractor_sha256
        found = bias_of(self._table[same], claim.protocol.implementation)
        if found is None:
            return []
        value, error = found.perfect(side.about.n_images)
        told = f" ± {significant(error, error)}" if error > 0 else ""
        return [
            f"a perfect generator would read about {significant(value, error)}{told}, a bias in "
            "both sides that draws the ratio toward 1"
        ]

    def budget(self, recipe: str, seeds: Iterable[int]) -> float:
        """Thousands of images after which the shortest of these runs ended."""
        ends: dict[int, float] = dict.fromkeys(seeds, 0.0)
        for role in ("curve", "final"):
            for row in self.rows(role, recipe):
                if row.run_seed in ends:
                    ends[row.run_seed] = max(ends[row.run_seed], float(row.kimg))
        return min(ends.values(), default=0.0)


def comparable(sides: Sequence[Side]) -> None:
    """Whether sides are measured in one way.

    Raises:
        LackingError: they are not.
    """
    one = sides[0].about
    for other in sides[1:]:
        for name in ("extractor_sha256", "reference_sha256", "n_images"):
            a, b = getattr(one, name), getattr(other.about, name)
            if a != b:
                raise LackingError(
                    f"{sides[0].who} and {other.who} differ in {name}, {str(a)[:12]} and "
                    f"{str(b)[:12]}, and do not compare",
                    changes="both measured in one way",
                )


def shared(sides: Sequence[Side], wanted: int) -> tuple[list[float], str]:
    """The first `wanted` draws that all runs of all sides have, and a flaw where they are fewer.

    Raises:
        LackingError: there are none, or the sides are not measured in one way.
    """
    comparable(sides)
    each = [set(draws) for side in sides for draws in side.values.values()]
    common = sorted(set.intersection(*each))
    who = " and ".join(side.who for side in sides)
    if not common:
        raise LackingError(f"{who} share no draw", changes=f"draws 1 to {wanted} of each")
    if len(common) >= wanted:
        return common[:wanted], ""
    have = f"{len(common)} draw" if len(common) == 1 else f"{len(common)} draws"
    return common, f"{who}: {have} in common where {wanted} are wanted, which decides nothing"


def logs(side: Side, seeds: Sequence[int], draws: Sequence[float]) -> Array:
    """Logarithms [N, K] of these seeds and draws."""
    return np.array([[math.log(side.values[seed][draw]) for draw in draws] for seed in seeds])


def sign(metric: str) -> int:
    """1 where lower values are better, -1 where higher ones are."""
    known = METRICS.get(metric)
    return -1 if known and known.higher else 1
