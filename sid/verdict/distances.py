"""The records' Frechet distances by what claims ask for: curves, fresh draws, the teacher."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sid.errors import UserError
from sid.verdict.bias import Bias, bias_of

Array = NDArray[np.float64]

NAMES = {
    "sid": "SiD",
    "sida": "SiDA",
    "sid2a": "SiD2A",
    "sid-continued": "SiD continued",
    "diff-instruct": "Diff-Instruct",
}
# Recipes that start from the last snapshot of `sid` of the same seed and count from there.
BRANCHES = ("sid2a", "sid-continued")
TEACHER_NFE = 35
DECIDES = "ours"
# Roles of one benchmark; `halves` and `sample` have references of their own.
ROLES = ("curve", "final", "teacher", "redrawn")


def names_of(recipes: Iterable[str]) -> dict[str, str]:
    """Display names: the recipes known here in their order, then any others as they are."""
    found = set(recipes)
    known = {recipe: name for recipe, name in NAMES.items() if recipe in found}
    return known | {recipe: recipe for recipe in sorted(found - set(NAMES))}


def last_is_best(final: pd.DataFrame) -> bool:
    """Whether one recipe's rows of role `final` have the same snapshots as last and as best."""
    last, best = (
        set(
            final.loc[final["selection"] == selection, ["run_seed", "images"]].itertuples(
                index=False
            )
        )
        for selection in ("last", "best")
    )
    return last == best


class Curve(NamedTuple):
    """One run's distances on the fixed noise: images seen [N], rising, and distances [N]."""

    images: Array
    distances: Array

    def after(self, images: float) -> "Curve":
        """The part from `images` on."""
        keep = self.images >= images
        return Curve(self.images[keep], self.distances[keep])


def one_benchmark(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of runs, teachers and the real images, of one extractor against one data set.

    Libraries may have weights files of their own, and published moments in place of the images:
    only those of the implementation that decides must be the same throughout.

    Args:
        table: records as of `sid.evaluate.records`.

    Raises:
        UserError: there are two extractors or data sets; their values do not compare.
    """
    rows = table[table["role"].isin(ROLES)]
    deciding = rows[rows["implementation"] == DECIDES]
    for kind, column, of in (
        ("extractors", "extractor", rows),
        ("weights of the extractor", "extractor_sha256", deciding),
        ("data sets", "reference_sha256", deciding),
    ):
        found = [str(value)[:20] for value in of[column].unique()]
        if len(found) > 1:
            raise UserError(
                f"the records mix {len(found)} {kind} ({', '.join(found)}), whose values do not "
                "compare; merge those of each into a table of its own"
            )
    return rows


class Distances:
    """Frechet distances of one implementation; values not finite and positive are left out.

    Args:
        table: records as of `sid.evaluate.records`.
        implementation: whose values.

    Attributes:
        table: the rows.
        bias: of finitely many images; None where no records tell it.

    Raises:
        UserError: the records mix data sets or extractors.
    """

    def __init__(self, table: pd.DataFrame, implementation: str = DECIDES) -> None:
        self.bias: Bias | None = bias_of(table, implementation)
        table = one_benchmark(table)
        chosen = (table["metric"] == "frechet_distance") & (
            table["implementation"] == implementation
        )
        table = table[chosen]
        value = pd.to_numeric(table["value"], errors="coerce").astype(float)
        self.table = table.assign(value=value)[np.isfinite(value) & (value > 0)]

    def _rows(self, role: str, **equal: object) -> pd.DataFrame:
        rows = self.table[self.table["role"] == role]
        for column, wanted in equal.items():
            rows = rows[rows[column] == wanted]
        return rows

    def curves(self, recipe: str) -> dict[int, Curve]:
        """Each training seed's curve on the fixed noise, image 0 included."""
        rows = self._rows("curve", recipe=recipe, draw=0).sort_values("images")
        return {
            int(str(seed)): Curve(run["images"].to_numpy(float), run["value"].to_numpy(float))
            for seed, run in rows.groupby("run_seed")
        }

    def fresh(self, recipe: str, selection: str = "last") -> dict[int, Array]:
        """Each training seed's fresh draws of the selected snapshot, [draws]."""
        rows = self._rows("final", recipe=recipe, selection=selection)
        return {
            int(str(seed)): run["value"].to_numpy(float) for seed, run in rows.groupby("run_seed")
        }

    def last_is_best(self, recipe: str) -> bool:
        """Whether the last snapshot of every seed is also its best by the curve."""
        return last_is_best(self._rows("final", recipe=recipe))

    def kimg(self, recipe: str, selection: str) -> str:
        """Where the selected snapshots stand, such as `60` or `58 to 60`, in kimg."""
        kimg = self._rows("final", recipe=recipe, selection=selection)["kimg"]
        low, high = f"{kimg.min():.3g}", f"{kimg.max():.3g}"
        return low if low == high else f"{low} to {high}"

    def teacher(self, role: str) -> Array:
        """The teacher at `TEACHER_NFE` evaluations, as the generators' rows of a role, [draws].

        Args:
            role: `curve`, on the curves' noise (draw 0), or `final`, on the generators' fresh
                draws. Older records have the teacher on draw 0 alone, which then stands for both.
        """
        rows = self._rows("teacher", nfe=TEACHER_NFE, n_images=self.n_images(role))
        fixed = rows["draw"] == 0
        chosen = rows[fixed] if role == "curve" or fixed.all() else rows[~fixed]
        return chosen["value"].to_numpy(float)

    def n_images(self, role: str) -> int:
        """How many images the rows of a role have; 0 without rows.

        Raises:
            UserError: two counts; such values are never compared.
        """
        counts = self._rows(role)["n_images"].unique()
        if len(counts) > 1:
            raise UserError(f"role {role} mixes {len(counts)} image counts; they do not compare")
        return int(counts[0]) if len(counts) else 0
