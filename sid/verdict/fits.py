"""Curves of distance over images seen: the power law, and the images until a distance."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]


class PowerLaw(NamedTuple):
    """distance = c images^slope, fitted by least squares on the logarithms.

    Attributes:
        slope: exponent.
        curvature: coefficient of (log images)^2 when a parabola is fitted; 0 is straight.
        r2: share of the variance of log distance that the line explains.
        gain: how much that term would add to r2.
        points: points fitted.
        span: logarithm of the last over the first number of images.
    """

    slope: float
    curvature: float
    r2: float
    gain: float
    points: int
    span: float


def power_law(images: Array, distances: Array) -> PowerLaw:
    """Fit a straight line and a parabola to log distance over log images.

    Args:
        images: images seen, [N], positive, N >= 4.
        distances: distances, [N], positive.
    """
    x, y = np.log(images), np.log(distances)
    line = stats.linregress(x, y)
    total = float(np.sum((y - y.mean()) ** 2))
    straight = float(np.sum((y - line.intercept - line.slope * x) ** 2))
    # Centred and scaled, so that the parabola is well conditioned.
    unit = (x - x.mean()) / x.std()
    parabola = np.polyfit(unit, y, 2)
    bent = float(np.sum((y - np.polyval(parabola, unit)) ** 2))
    curvature = float(parabola[0] / x.std() ** 2)
    r2, r2_bent = (1 - rest / total if total > 0 else 0.0 for rest in (straight, bent))
    return PowerLaw(float(line.slope), curvature, r2, r2_bent - r2, len(x), float(np.ptp(x)))


def bend(fit: PowerLaw) -> float:
    """By what share of itself the parabola's slope changes from the middle to the end of the range.

    A curve that levels off has a bend of -1 where its slope comes to 0 at the end.
    """
    return fit.curvature * fit.span / fit.slope if fit.slope else math.inf


def images_bounds(images: Array, distances: Array, threshold: float) -> tuple[float, float]:
    """Between which numbers of images a curve first comes down to `threshold`, as logarithms.

    Between two snapshots the curve is taken as straight in log-log, so that both bounds are one.

    Args:
        images: images seen, [N], positive and rising.
        distances: distances, [N], positive.
        threshold: the distance to reach.

    Returns:
        -inf and the first snapshot where that is below already; the last one and inf where the
        threshold is not reached.
    """
    reached = np.flatnonzero(distances <= threshold)
    if len(reached) == 0:
        return float(np.log(images[-1])), math.inf
    after = reached[0]
    if after == 0:
        return -math.inf, float(np.log(images[0]))
    x, y = np.log(images[after - 1 : after + 1]), np.log(distances[after - 1 : after + 1])
    share = (y[0] - math.log(threshold)) / (y[0] - y[1])
    at = float(x[0] + share * (x[1] - x[0]))
    return at, at
