"""The inception score (Salimans et al. 2016): exp E_x KL(p(y|x) || p(y)), over splits."""

import itertools
import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax

from sid.evaluate.metrics.metric import Comparison, Metric, Value, indexed

NAME = "inception_score"
SPLITS = 10


def score(logits: NDArray[np.floating]) -> float:
    """The score of one split: logits [N, K] to a value between 1 and K, in float64."""
    log_p = log_softmax(logits.astype(np.float64), axis=1)
    p = np.exp(log_p)
    marginal = p.mean(axis=0)
    # 0 log 0 = 0: a class that no image has would give 0 * infinity.
    log_q = np.log(marginal, out=np.zeros_like(marginal), where=marginal > 0)
    terms = p * np.subtract(log_p, log_q, out=np.zeros_like(p), where=p > 0)
    return math.exp(terms.sum(axis=1).mean())


def inception_score(logits: NDArray[np.floating], splits: int, seed: int) -> tuple[float, float]:
    """Mean of `score` over splits of the images, in torch-fidelity 0.4's order for this seed.

    Args:
        logits: [N, K]; only a split at a time is read into memory.
        splits: how many, 2 to N; of equal sizes within one image.
        seed: of the shuffle before splitting, for images that come sorted by class.

    Returns:
        The mean, and the standard deviation over splits divided by sqrt(splits).
    """
    n = len(logits)
    order = np.random.RandomState(seed).permutation(n)
    ends = [i * n // splits for i in range(splits + 1)]
    scores = [score(logits[order[a:b]]) for a, b in itertools.pairwise(ends)]
    return float(np.mean(scores)), float(np.std(scores, ddof=1)) / math.sqrt(splits)


def compute(asked: Comparison) -> list[Value]:
    """The score where the extractor has logits (see `Metric.compute`)."""
    if not asked.generated.extractor.classes:
        return []
    value, stderr = inception_score(indexed(asked.generated.logits), SPLITS, asked.seed)
    return [Value(NAME, value, stderr, "splits")]


METRICS = (
    Metric(
        NAME,
        compute,
        title="Inception score",
        short=("is",),
        usual=True,
        least=SPLITS,
        needs_images=False,
        depends_on=frozenset({"splits"}),
        limits=(1.0, math.inf),
        higher=True,
        tenths=True,
    ),
)
