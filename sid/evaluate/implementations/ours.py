"""Our implementation: float64 moments in one pass, no matrix square root, errors of every value."""

import math
from collections.abc import Collection
from typing import cast

import numpy as np
from numpy.typing import NDArray

import sid
from sid.data.rows import Rows
from sid.evaluate.frechet import FrechetReference
from sid.evaluate.groups import grouped_moments
from sid.evaluate.implementations.implementation import (
    KERNEL_SUBSETS,
    SCORE_SPLITS,
    Kept,
    OfExtractor,
    Value,
    enough,
    subset_size,
)
from sid.evaluate.inception_score import inception_score
from sid.evaluate.infinity import frechet_infinity
from sid.evaluate.jackknife import frechet_stderr
from sid.evaluate.kernel import Side, kernel_distance
from sid.evaluate.memorisation import memorisation
from sid.evaluate.neighbours import Manifold
from sid.evaluate.precision_recall import precision_recall
from sid.evaluate.seen import Seen
from sid.evaluate.statistics import Statistics

FRECHET = ("frechet_distance", "frechet_distance_infinity")
NEIGHBOURS = ("precision", "recall", "density", "coverage")


class Ours(OfExtractor):
    """All metrics (an `Implementation`)."""

    name = "ours"
    version = sid.__version__
    metrics = frozenset(
        {*FRECHET, *NEIGHBOURS, "kernel_distance", "inception_score", "authenticity"}
    )
    statistics = True
    divisor = "N-1"

    def __init__(self) -> None:
        self._frechet: Kept[FrechetReference] = Kept()
        self._manifold: Kept[Manifold] = Kept()
        # By what the subsets are drawn with: of a run, once for its curve and once for each draw.
        self._sides: Kept[dict[tuple[int, int], list[Side]]] = Kept()

    def evaluate(
        self, generated: Seen, reference: Seen | Statistics, metrics: Collection[str], seed: int
    ) -> list[Value]:
        """Those of `metrics` that can be had (see `Implementation.evaluate`)."""
        enough(generated, reference, metrics)
        found = self._frechet_values(generated, reference, metrics, seed)
        if "kernel_distance" in metrics and isinstance(reference, Seen):
            fake, real = indexed(generated.features), indexed(reference.features)
            size = subset_size(len(fake), len(real))
            sides = self._sides.get(reference, dict).setdefault((len(fake), seed), [])
            kernel = kernel_distance(fake, real, KERNEL_SUBSETS, size, seed, sides)
            found.append(Value("kernel_distance", kernel.value, kernel.stderr, "images"))
        if "inception_score" in metrics and generated.extractor.classes:
            score, stderr = inception_score(indexed(generated.logits), SCORE_SPLITS, seed)
            found.append(Value("inception_score", score, stderr, "splits"))
        if isinstance(reference, Seen):
            found += self._neighbour_values(generated, reference, metrics, seed)
        return found

    def _frechet_values(
        self, generated: Seen, reference: Seen | Statistics, metrics: Collection[str], seed: int
    ) -> list[Value]:
        if not set(FRECHET) & set(metrics):
            return []
        real = self._frechet.get(reference, lambda: FrechetReference(reference.gaussian))
        groups = grouped_moments(indexed(generated.features), seed)
        # A covariance without one of the groups is of two images at least.
        stderr = frechet_stderr(real, groups) if generated.count > 2 else None
        found = []
        if "frechet_distance" in metrics:
            value = real.distance(generated.gaussian)
            found.append(Value("frechet_distance", value, stderr, "images"))
        if "frechet_distance_infinity" in metrics:
            fit = frechet_infinity(real, groups)
            whole = math.hypot(fit.fit_stderr, stderr or 0)
            found.append(Value("frechet_distance_infinity", fit.value, whole, "images and fit"))
        return found

    def _neighbour_values(
        self, generated: Seen, reference: Seen, metrics: Collection[str], seed: int
    ) -> list[Value]:
        wanted = [name for name in NEIGHBOURS if name in metrics]
        if not wanted and "authenticity" not in metrics:
            return []
        fake = indexed(generated.features)
        real = self._manifold.get(reference, lambda: Manifold(indexed(reference.features)))
        found = []
        if wanted:
            values = precision_recall(fake, real, seed)._asdict()
            found = [
                Value(name, values[name].value, values[name].stderr, "images") for name in wanted
            ]
        if "authenticity" in metrics:
            copies = memorisation(fake, real)
            found.append(Value("authenticity", copies.authenticity, copies.stderr, "images"))
        return found


def indexed(rows: Rows) -> NDArray[np.floating]:
    """Rows in a file as the metrics take them, who do no more with an array than index it."""
    return cast(NDArray[np.floating], rows)
