"""The papers' claims in miniature: each a pure function from the records to a verdict."""

import pandas as pd

from sid.verdict.distances import Distances
from sid.verdict.ratios import (
    improves_on_continued,
    improves_on_start,
    meets_teacher,
    near_teacher,
)
from sid.verdict.training import falls, fewer_images, follows_power_law
from sid.verdict.verdict import Verdict


def judge(table: pd.DataFrame) -> list[Verdict]:
    """Every claim's verdict, in the order in which a reader asks.

    Args:
        table: records as of `sid.evaluate.records`.

    Returns:
        One verdict a claim; `not run` where the records lack what it needs.

    Raises:
        UserError: the records mix data sets, extractors or image counts.
    """
    distances = Distances(table)
    return [
        *(falls(distances, recipe) for recipe in ("sid", "sida")),
        *(follows_power_law(distances, recipe) for recipe in ("sid", "sida")),
        fewer_images(distances),
        *(near_teacher(distances, recipe) for recipe in ("sid", "sida", "sid2a")),
        *(meets_teacher(distances, recipe) for recipe in ("sid", "sida", "sid2a")),
        improves_on_start(distances),
        improves_on_continued(distances),
    ]
