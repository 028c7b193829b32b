"""NVIDIA's protocol, from its formulas: EDM's `fid.py`, and the metrics that SiD trains with.

Features are summed raw in float64, f and f f^T; the covariance is what is left of the second sum
without the mean's part, over N - 1 (EDM) or, of the generated images, over N (SiD). The distance is
|m - r|^2 + tr(C + R - 2 (C R)^1/2). The protocol takes SciPy's root of the product and uses its
trace alone, which is a sum of singular values here, the same number in a tenth of the time
(`sid.evaluate.metrics.frechet`). The inception score is that of probabilities in float32, of
contiguous tenths of the images in their order, which a generator's random order makes samples of
all; whether it is random is looked at.
"""

import math
from collections.abc import Collection, Iterable

import numpy as np
import scipy
from numpy.typing import NDArray
from scipy.special import softmax

from sid.data.rows import Rows
from sid.evaluate.classes import sorted_by_class
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.features.moments import Gaussian
from sid.evaluate.features.statistics import Statistics
from sid.evaluate.implementations.implementation import OfExtractor, check_enough
from sid.evaluate.metrics import PerReference, Reference, Value
from sid.evaluate.metrics.frechet import FrechetReference
from sid.evaluate.metrics.inception_score import SPLITS

ROUNDING = 1e-12  # Of a mean of squares in float64, over any number of images.


class Nvidia(OfExtractor):
    """The Frechet distance and the inception score of the protocol (an `Implementation`).

    Args:
        name: `nvidia` or `nvidia-n`.
        ddof: the generated images' covariance is divided by N - ddof; the reference's, as in the
            published statistics, by N - 1 in either case.
    """

    metrics = frozenset({"frechet_distance", "inception_score"})
    statistics = True
    version = f"scipy {scipy.__version__}"

    def __init__(self, name: str = "nvidia", ddof: int = 1) -> None:
        self.name, self._ddof = name, ddof
        self.divisor = "N-1" if ddof else "N"
        self._made = PerReference()

    def evaluate(
        self, generated: ImageFeatures, reference: Reference, metrics: Collection[str], seed: int
    ) -> list[Value]:
        """Those of `metrics` that it has (see `Implementation.evaluate`); none is random."""
        check_enough(generated, reference, self.metrics & set(metrics))
        found = []
        if "frechet_distance" in metrics:
            found.append(Value("frechet_distance", self._distance(generated, reference)))
        if "inception_score" in metrics and generated.extractor.classes:
            found.append(score_in_order(generated.logits, seed))
        return found

    def _distance(self, generated: ImageFeatures, reference: Reference) -> float:
        """NaN where rounding of the raw sums has left no covariance."""

        def factored() -> FrechetReference:
            if isinstance(reference, Statistics):
                return FrechetReference(reference.gaussian)
            return FrechetReference(gaussian_of(reference, 1))

        try:
            real = self._made.get(reference, "factored", factored)
            return real.distance(gaussian_of(generated, self._ddof))
        except ValueError:
            return math.nan


def gaussian_of(features: ImageFeatures, ddof: int) -> Gaussian:
    """Mean and covariance from the raw sums, without variances that are their rounding."""
    raw, mean = features.raw, features.raw.first / features.raw.count
    covariance = (raw.second - raw.count * np.outer(mean, mean)) / (raw.count - ddof)
    constant = np.diag(covariance) < ROUNDING * np.diag(raw.second) / raw.count
    covariance[constant] = covariance[:, constant] = 0
    return Gaussian(mean, covariance)


def score_in_order(logits: Rows, seed: int) -> Value:
    """The inception score of the images in their order, and what it would be in a random one.

    Args:
        logits: [N, K].
        seed: of the random order, which is looked at only where theirs is not random.
    """
    n = len(logits)
    ends = [(i * n // SPLITS, (i + 1) * n // SPLITS) for i in range(SPLITS)]
    value = Value("inception_score", *inception_score(logits[a:b] for a, b in ends), "splits")
    if not sorted_by_class(logits):
        return value
    order = np.random.RandomState(seed).permutation(n)
    shuffled, _ = inception_score(logits[order[a:b]] for a, b in ends)
    return value._replace(
        note="the images are sorted by class, and its splits are contiguous: "
        f"shuffled, they score {shuffled:.4g}"
    )


def inception_score(splits: Iterable[NDArray[np.floating]]) -> tuple[float, float]:
    """Mean over splits of logits [n, K], and their deviation over the root of their number."""
    scores = []
    for part in splits:
        p = softmax(part, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = p * (np.log(p) - np.log(p.mean(axis=0, keepdims=True)))
        # The protocol would give NaN where a probability is zero in float32; 0 log 0 = 0.
        scores.append(float(np.exp(np.where(p > 0, terms, 0).sum(axis=1).mean())))
    return float(np.mean(scores)), float(np.std(scores)) / math.sqrt(SPLITS)
