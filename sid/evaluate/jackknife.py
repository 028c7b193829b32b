"""The standard error of a Frechet distance of one set of images, by the delete-a-group jackknife.

The distance has no simple error formula, and computing it again on resampled images is the
bootstrap's mistake: a set with repeats has the bias of a smaller set. Leaving out a tenth in turn
(Shao & Wu 1989; Kott 2001) has every vector at most once, and needs nothing but moments.
"""

import math
from collections.abc import Sequence

import numpy as np

from sid.evaluate.frechet import FrechetReference
from sid.evaluate.moments import Moments, combine


def frechet_stderr(reference: FrechetReference, groups: Sequence[Moments]) -> float:
    """How much the distance would change with other images of the same generator.

    sqrt((G - 1) / G sum_g (D_g - mean D)^2), D_g the distance of all groups but g. Between G = 10
    groups it has nine degrees of freedom: it is itself uncertain by a quarter.

    It is the error of the value expected at N images, not of the distance between the populations:
    it holds the reference fixed, so that what the distance would change with other real images is
    not in it, nor is the bias at finite N (see `sid.evaluate.infinity` for that of the generated
    images, `sid.verdict.bias` for that of both), nor another training of the generator.

    Args:
        reference: the factored reference.
        groups: moments of random parts of the images, of equal size within one; two at least.

    Raises:
        ValueError: fewer than two groups, or too few images for a covariance.
    """
    count = len(groups)
    if count < 2:
        raise ValueError(f"a jackknife needs at least 2 groups, not {count}")
    distances = [
        reference.distance(combine([*groups[:g], *groups[g + 1 :]]).gaussian())
        for g in range(count)
    ]
    return math.sqrt((count - 1) * float(np.var(distances)))
