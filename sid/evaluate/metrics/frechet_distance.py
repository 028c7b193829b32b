"""The Frechet distance, its error by the jackknife, and its value at infinitely many images."""

import math
from collections.abc import Collection

from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.metrics.frechet import FrechetReference
from sid.evaluate.metrics.infinity import frechet_infinity
from sid.evaluate.metrics.jackknife import frechet_stderr, grouped_moments
from sid.evaluate.metrics.metric import Metric, PerReference, Reference, Value, indexed

NAME, INFINITY = "frechet_distance", "frechet_distance_infinity"
DEPENDS_ON = frozenset({"reference", "divisor"})


def compute(
    generated: ImageFeatures,
    reference: Reference,
    metrics: Collection[str],
    seed: int,
    made: PerReference,
) -> list[Value]:
    """Both distances (see `Metric.compute`)."""
    real = made.get(reference, NAME, lambda: FrechetReference(reference.gaussian))
    groups = grouped_moments(indexed(generated.features), seed)
    # A covariance without one of the groups is of two images at least.
    stderr = frechet_stderr(real, groups) if generated.count > 2 else None
    found = []
    if NAME in metrics:
        found.append(Value(NAME, real.distance(generated.gaussian), stderr, "images"))
    if INFINITY in metrics:
        fit = frechet_infinity(real, groups)
        whole = math.hypot(fit.fit_stderr, stderr or 0)
        found.append(Value(INFINITY, fit.value, whole, "images and fit"))
    return found


METRICS = (
    Metric(
        NAME,
        compute,
        title="Frechet distance",
        inception_title="FID",
        short=("fd", "fid"),
        usual=True,
        needs_images=False,
        from_moments=True,
        depends_on=DEPENDS_ON,
        limits=(0.0, math.inf),
        tenths=True,
    ),
    # Extrapolated, it may be below zero.
    Metric(
        INFINITY,
        compute,
        title="Frechet distance at infinite n",
        inception_title="FID at infinite n",
        short=("fd-infinity",),
        least=20,  # Two images for each of the ten groups.
        needs_images=False,
        depends_on=DEPENDS_ON,
        tenths=True,
    ),
)
