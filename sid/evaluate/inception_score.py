"""The inception score (Salimans et al. 2016): exp E_x KL(p(y|x) || p(y)), over splits."""

import math

import torch
from torch import Tensor

from sid.streams import Stream


def inception_score(logits: Tensor, splits: int, seed: int) -> tuple[float, float]:
    """Mean of the score over equal splits of the images, and its standard error.

    Args:
        logits: [N, K], any float type; computed in float64.
        splits: how many, at least 2.
        seed: of the shuffle before splitting, for images that come sorted by class.

    Returns:
        The mean, between 1 and K, and the standard deviation over splits divided by sqrt(splits).
    """
    order = torch.argsort(Stream(seed, "inception score").uniform(0, len(logits)), stable=True)
    log_p = logits[order].double().log_softmax(dim=1)
    scores = []
    for part in log_p.tensor_split(splits):
        marginal = part.exp().mean(dim=0, keepdim=True)
        # 0 log 0 = 0, as a class that is never seen has marginal 0 too.
        terms = torch.where(part.exp() > 0, part.exp() * (part - marginal.log()), 0.0)
        scores.append(terms.sum(dim=1).mean().exp())
    values = torch.stack(scores)
    return float(values.mean()), float(values.std()) / math.sqrt(splits)
