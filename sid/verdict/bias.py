"""The bias of a Frechet distance at finitely many images: what a perfect generator would read.

Two independent samples of n and of N images of one distribution read, to first order,

    E[D(n, N)] = b (1 / n + 1 / N),

since D is quadratic in the differences of their means and covariances, and the variances of these
have a part in 1 / n and one in 1 / N (Chong & Forsyth 2020 fit the first). The constant b depends
on the distribution and the features alone. Two kinds of records tell it:

- `halves`, one half of the real images against the other, h each: b = D / (1 / h + 1 / h).
- `redrawn`, the N real images drawn n times with replacement, against all N, which are then the
  distribution itself: b = D n.

A perfect generator, one that makes new images of the distribution that the N references came from,
would read b (1 / n + 1 / N) against them: b / N stays however many images it makes. It is no lower
bound. A generator that repeats the references reads b / n, and one trained on them may read less
than a perfect one.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd


class Reading(NamedTuple):
    """What a perfect generator would read at some number of images, and its standard error."""

    value: float
    stderr: float


class Bias(NamedTuple):
    """The constant b, as `bias_of` finds it.

    Attributes:
        b: in distance times images.
        stderr: its standard error over splits and draws; the choice of the N references is not in
            it, as all splits share them.
        freedom: degrees of freedom of that error.
        n_reference: N.
    """

    b: float
    stderr: float
    freedom: int
    n_reference: int

    def perfect(self, n_images: int) -> Reading:
        """What `n_images` images of a perfect generator would read: b (1 / n + 1 / N)."""
        share = 1 / n_images + 1 / self.n_reference
        return Reading(self.b * share, self.stderr * share)


def bias_of(records: pd.DataFrame, implementation: str) -> Bias | None:
    """The mean of b over splits into halves and draws with replacement.

    Of these draws only the largest count: a smaller one is the beginning of a larger one.

    Args:
        records: records as of `sid.evaluate.records`.
        implementation: whose values.

    Returns:
        None without such records, or where only the moments of the reference are known.
    """
    rows = records[
        (records["metric"] == "frechet_distance") & (records["implementation"] == implementation)
    ]
    value, n, n_reference = (
        pd.to_numeric(rows[name], errors="coerce").astype(float)
        for name in ("value", "n_images", "n_reference")
    )
    halves, redrawn = rows["role"] == "halves", rows["role"] == "redrawn"
    largest = redrawn & (n == n[redrawn].max())
    each = np.concatenate(
        [
            (value / (1 / n + 1 / n_reference))[halves].to_numpy(),
            (value * n)[largest].to_numpy(),
        ]
    )
    each = each[np.isfinite(each)]
    references = n_reference[redrawn].dropna().unique()
    if len(each) == 0 or len(references) != 1:
        return None
    stderr = float(each.std(ddof=1)) / math.sqrt(len(each)) if len(each) > 1 else math.nan
    return Bias(float(each.mean()), stderr, len(each) - 1, int(references[0]))
