"""Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020).

A ball around a vector reaches to its k-th nearest other of the same set, k = 3 for precision and
recall, k = 5 for density and coverage. Precision is the share of generated images inside any real
ball, recall that of real images inside any generated one; density is the mean number of real balls
that a generated image is inside of, over k; coverage the share of real balls with any generated
image inside. The border belongs to the ball.
"""

import math
from typing import NamedTuple

import numpy as np

from sid.evaluate.features.moments import Array
from sid.evaluate.metrics.jackknife import GROUPS, random_groups
from sid.evaluate.metrics.metric import Comparison, Metric, Value, indexed
from sid.evaluate.metrics.neighbours import (
    Features,
    Index,
    Manifold,
    manifold_of,
    nearest_others,
    squared_distances,
    tiles,
)

K_PRECISION, K_DENSITY = 3, 5


class Estimate(NamedTuple):
    """A value, and how much it would change with other images of the same generator."""

    value: float
    stderr: float


class PrecisionRecall(NamedTuple):
    """All four."""

    precision: Estimate
    recall: Estimate
    density: Estimate
    coverage: Estimate


def precision_recall(generated: Features, reference: Manifold, seed: int) -> PrecisionRecall:
    """All four in one pass over the pairs, a tile at a time; memory does not grow with the pairs.

    The standard errors hold the reference fixed. Precision and density are means over generated
    images, which gives theirs; recall and coverage are not, and theirs is the delete-a-group
    jackknife over random tenths of the generated images, whose balls grow where a neighbour is
    left out. A jackknife errs upwards (Efron & Stein 1981): in simulations by a fifth to a half, by
    more near a value of one.

    Args:
        generated: [M, d], M > 5, indexed like an array.
        reference: real images with five neighbours each, or more.
        seed: of the tenths.
    """
    count = len(generated)
    groups = random_groups(count, seed)
    members = [np.flatnonzero(groups == g) for g in range(min(GROUPS, count))]
    ball, grown = _balls(generated, members)
    small, large = (reference.squared[:, k - 1, None] for k in (K_PRECISION, K_DENSITY))

    inside = np.zeros(count, bool)
    balls = np.zeros(count)
    recalled, covered = (np.zeros((len(small), len(members) + 1), bool) for _ in range(2))
    for rows in tiles(np.arange(len(small))):
        real = reference.features[rows]
        for g, among in enumerate(members):
            for columns in tiles(among):
                distances = squared_distances(real, generated[columns])
                inside[columns] |= (distances <= small[rows]).any(axis=0)
                within = distances <= large[rows]
                balls[columns] += within.sum(axis=0)
                # Column g + 1: what is left without group g. Column 0: all.
                others = np.delete(np.arange(len(members) + 1), g + 1)
                covered[np.ix_(rows, others)] |= within.any(axis=1, keepdims=True)
                recalled[rows, 0] |= (distances <= ball[columns]).any(axis=1)
                for h in others[1:]:
                    recalled[rows, h] |= (distances <= grown[columns, h - 1]).any(axis=1)
    return PrecisionRecall(
        _mean(inside.astype(np.float64)),
        _jackknife(recalled.mean(axis=0)),
        _mean(balls / K_DENSITY),
        _jackknife(covered.mean(axis=0)),
    )


def _balls(generated: Features, members: list[Index]) -> tuple[Array, Array]:
    """Squared radii of the generated images' balls: of all [M], without each group [M, G]."""
    k = K_PRECISION
    near = np.stack([nearest_others(generated, group, k)[0] for group in members], axis=1)

    def radius(groups: list[int]) -> Array:
        found: Array = np.sort(near[:, groups].reshape(len(near), -1), axis=1)[:, k - 1]
        return found

    every = list(range(len(members)))
    return radius(every), np.stack([radius([h for h in every if h != g]) for g in every], axis=1)


def _mean(scores: Array) -> Estimate:
    return Estimate(float(scores.mean()), float(scores.std(ddof=1)) / math.sqrt(len(scores)))


def _jackknife(values: Array) -> Estimate:
    """Of the value of all, and those without each group."""
    return Estimate(float(values[0]), math.sqrt((len(values) - 2) * float(np.var(values[1:]))))


def compute(asked: Comparison) -> list[Value]:
    """Those of the four that are asked for (see `Metric.compute`)."""
    real = manifold_of(asked)
    found: dict[str, Estimate] = precision_recall(
        indexed(asked.generated.features), real, asked.seed
    )._asdict()
    return [
        Value(name, one.value, one.stderr, "images")
        for name, one in found.items()
        if name in asked.metrics
    ]


LEAST = K_DENSITY + 1
SHARE = (0.0, 1.0)
METRICS = (
    Metric("precision", compute, short=("pr",), least=LEAST, limits=SHARE, higher=True),
    Metric("recall", compute, short=("pr",), least=LEAST, limits=SHARE, higher=True, tenths=True),
    Metric("density", compute, short=("dc",), least=LEAST, limits=(0.0, math.inf), higher=True),
    Metric("coverage", compute, short=("dc",), least=LEAST, limits=SHARE, higher=True, tenths=True),
)
