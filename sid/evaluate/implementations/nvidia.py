"""NVIDIA's protocol, from its formulas: EDM's `fid.py`, and the metrics that SiD trains with.

Features are summed raw in float64, f and f f^T; the covariance is what is left of the second sum
without the mean's part, over N - 1 (EDM) or, of the generated images, over N (SiD). The distance is
|m - r|^2 + tr(C + R - 2 (C R)^1/2) with SciPy's square root, its real part taken. The inception
score is that of probabilities in float32, of contiguous tenths of the images in their order, which
a generator's random order makes samples of all; whether it is random is looked at.
"""

import math
import warnings
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
from sid.evaluate.metrics.inception_score import SPLITS


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
            real = self._made.get(
                reference,
                "gaussian",
                lambda: (
                    reference.gaussian
                    if isinstance(reference, Statistics)
                    else gaussian_of(reference, 1)
                ),
            )
            distance = frechet_distance(gaussian_of(generated, self._ddof), real)
            found.append(Value("frechet_distance", distance))
        if "inception_score" in metrics and generated.extractor.classes:
            found.append(score_in_order(generated.logits, seed))
        return found


def gaussian_of(features: ImageFeatures, ddof: int) -> Gaussian:
    """Mean and covariance from the raw sums."""
    n, mean = features.raw.count, features.raw.first / features.raw.count
    return Gaussian(mean, (features.raw.second - n * np.outer(mean, mean)) / (n - ddof))


def frechet_distance(generated: Gaussian, reference: Gaussian) -> float:
    """The distance as the protocol has it, NaN where SciPy finds no square root.

    Features that never vary on a side have no part in the root, and are left out of it.
    """
    shift = generated.mean - reference.mean
    varies = generated.covariance.any(axis=0) & reference.covariance.any(axis=0)
    both = np.ix_(varies, varies)
    root = np.zeros(generated.covariance.shape, complex)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SciPy's remarks on singular products.
        root[both] = scipy.linalg.sqrtm(generated.covariance[both] @ reference.covariance[both])
    traces = np.trace(generated.covariance + reference.covariance - 2 * root)
    return float(np.real(shift @ shift + traces))


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
