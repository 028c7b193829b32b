"""The Frechet distance, its error by the jackknife, and its value at infinitely many images."""

import math

from sid.evaluate.metrics.frechet import FrechetReference
from sid.evaluate.metrics.infinity import frechet_infinity
from sid.evaluate.metrics.jackknife import frechet_stderr, grouped_moments
from sid.evaluate.metrics.metric import Comparison, Metric, Value, indexed

NAME, INFINITY = "frechet_distance", "frechet_distance_infinity"
DEPENDS_ON = frozenset({"reference", "divisor"})


def compute(asked: Comparison) -> list[Value]:
    """Both distances (see `Metric.compute`)."""
    real = asked.made.get(asked.reference, NAME, lambda: FrechetReference(asked.reference.gaussian))
    groups = grouped_moments(indexed(asked.generated.features), asked.seed)
    # A covariance without one of the groups is of two images at least.
    stderr = frechet_stderr(real, groups) if asked.generated.count > 2 else None
    found = []
    if NAME in asked.metrics:
        found.append(Value(NAME, real.distance(asked.generated.gaussian), stderr, "images"))
    if INFINITY in asked.metrics:
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
