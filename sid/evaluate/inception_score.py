"""The inception score (Salimans et al. 2016): exp E_x KL(p(y|x) || p(y)), over splits."""

import math

import torch
from torch import Tensor

from sid.streams import Stream


def score(logits: Tensor) -> float:
    """The score of one split: logits [N, K] to a value between 1 and K, in float64."""
    log_p = logits.double().log_softmax(dim=1)
    p = log_p.exp()
    # 0 log 0 = 0: a class that no image has would give 0 * infinity.
    terms = torch.where(p > 0, p * (log_p - p.mean(dim=0).log()), 0.0)
    return math.exp(float(terms.sum(dim=1).mean()))


def inception_score(logits: Tensor, splits: int, seed: int) -> tuple[float, float]:
    """Mean of `score` over equal splits of the images, and its standard error.

    Args:
        logits: [N, K].
        splits: how many, at least 2.
        seed: of the shuffle before splitting, for images that come sorted by class.

    Returns:
        The mean, and the standard deviation over splits divided by sqrt(splits).
    """
    order = torch.argsort(Stream(seed, "inception score").uniform(0, len(logits)), stable=True)
    parts = logits[order].tensor_split(splits)
    scores = torch.tensor([score(part) for part in parts], dtype=torch.float64)
    return float(scores.mean()), float(scores.std()) / math.sqrt(splits)
