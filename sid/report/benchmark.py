"""Records in groups whose values compare: one data set, conditional or not, one extractor."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from sid.errors import UserError
from sid.report.naming import decides
from sid.verdict.bias import Bias, bias_of
from sid.verdict.claim import Claims
from sid.verdict.entries import Subject

# Roles of one benchmark; `sample` has a reference of its own.
ROLES = ("curve", "final", "teacher", "redrawn", "external")
DISTANCE = "frechet_distance"
CONDITIONAL = {"uncond": "unconditional", "cond": "class-conditional"}


class Benchmark(NamedTuple):
    """Records whose values compare.

    Attributes:
        name: for files, such as `cifar10-32x32-uncond`; alone, the data set's.
        dataset: as in the records.
        conditional: `cond` or `uncond` where the records have both, else empty.
        extractor: name.
        implementation: whose values are shown.
        records: all roles of `ROLES`, and `halves` where they belong to this data set.
    """

    name: str
    dataset: str
    conditional: str
    extractor: str
    implementation: str
    records: pd.DataFrame

    @property
    def title(self) -> str:
        """For people."""
        return (
            f"{self.dataset}, {CONDITIONAL[self.conditional]}"
            if self.conditional
            else (self.dataset)
        )

    @property
    def bias(self) -> Bias | None:
        """Of finitely many images; None where no records tell it."""
        return bias_of(self.records, self.implementation)

    def distances(self, *roles: str) -> pd.DataFrame:
        """Finite, positive Frechet distances of some roles by the implementation shown."""
        rows = self.records
        rows = rows[
            rows["role"].isin(roles)
            & (rows["metric"] == DISTANCE)
            & (rows["implementation"] == self.implementation)
        ]
        value = pd.to_numeric(rows["value"], errors="coerce").astype(float)
        return rows.assign(value=value)[np.isfinite(value) & (value > 0)]

    def n_images(self, *roles: str) -> int:
        """How many images the distances of some roles have: the most, if they differ; or 0."""
        return int(self.distances(*roles)["n_images"].max()) if len(self.distances(*roles)) else 0


def benchmarks(records: pd.DataFrame, claims: Claims) -> list[Benchmark]:
    """The records by data set, conditional or not, and extractor, as they come.

    Args:
        records: as of `sid.evaluate.records`.
        claims: whose subjects say which recipes are conditional.

    Raises:
        UserError: in one of them the implementation that is shown has two weights of the
            extractor, or two references of one metric; their values do not compare.
    """
    rows = records[records["role"].isin(ROLES)]
    split = {
        (dataset, conditional): group
        for dataset, of in rows.groupby("dataset", sort=False)
        for conditional, group in _by_classes(of, claims.subjects)
    }
    found = []
    for (dataset, conditional), group in split.items():
        for extractor, one in group.groupby("extractor", sort=False):
            halves = records[(records["role"] == "halves") & (records["extractor"] == extractor)]
            if rows.loc[rows["extractor"] == extractor, "dataset"].nunique() == 1:
                one = pd.concat([one, halves])
            parts = [str(dataset), conditional if len(split) > 1 else ""]
            parts += [str(extractor)] if group["extractor"].nunique() > 1 else []
            found.append(
                Benchmark(
                    "-".join(filter(None, parts)).replace("/", "-"),
                    str(dataset),
                    conditional,
                    str(extractor),
                    decides(one, claims),
                    one,
                )
            )
            _refuse_mixed(found[-1])
    return found


def _by_classes(
    rows: pd.DataFrame, subjects: Mapping[str, Subject]
) -> Iterator[tuple[str, pd.DataFrame]]:
    """One data set's rows by `cond` and `uncond`, where its recipes are of both kinds.

    A recipe without an entry is conditional where its records say how classes were drawn.
    """
    known = {name: about.published.get("conditional", "") for name, about in subjects.items()}
    kinds = rows["recipe"].map(known).fillna("")
    if len(set(kinds) - {""}) < 2:
        yield "", rows
        return
    guessed = (rows["labels"] == "").map({True: "uncond", False: "cond"})
    kinds = kinds.where(kinds != "", guessed).where(rows["role"] != "redrawn", "")
    for kind in sorted(set(kinds) - {""}):
        yield kind, rows[kinds.isin([kind, ""])]


def _refuse_mixed(benchmark: Benchmark) -> None:
    rows = benchmark.records
    # Real images are compared with themselves, where generated ones have published moments.
    made = ~rows["role"].isin(("halves", "redrawn"))
    rows = rows[(rows["implementation"] == benchmark.implementation) & made]
    for what, column in (
        ("weights of the extractor", "extractor_sha256"),
        ("references", "reference_sha256"),
    ):
        counts = rows.groupby("metric")[column].nunique()
        if len(counts) and counts.max() > 1:
            of = rows.loc[rows["metric"] == counts.idxmax(), column]
            raise UserError(
                f"{benchmark.title}: the records mix {counts.max()} {what} "
                f"({', '.join(str(value)[:12] for value in of.unique())}), whose values do not "
                "compare; merge those of each into a table of its own"
            )
