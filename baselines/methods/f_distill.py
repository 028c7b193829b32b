"""f-distill (Xu et al. 2025, arXiv 2502.15681): DMD2's gradient weighted for an f-divergence."""

from collections.abc import Callable
from typing import Literal

import torch
from pydantic import PositiveFloat, PositiveInt
from torch import Tensor

from baselines.methods import dmd2
from sid.distill.method import Batch, Loss
from sid.distill.noise import SIGMA_MAX, SIGMA_MIN

Divergence = Literal["kl", "js", "softened-rkl", "neyman", "hellinger", "jeffreys", "rkl"]
# h(r) = f''(r) r^2 of the ratio r of real to generated density, as in the paper's table.
WEIGHTS: dict[str, Callable[[Tensor], Tensor]] = {
    "rkl": torch.ones_like,
    "kl": lambda r: r,
    "js": lambda r: r / (1 + r),
    "softened-rkl": lambda r: 1 / (1 + r),
    "neyman": lambda r: 1 / r,
    "hellinger": torch.sqrt,
    "jeffreys": lambda r: 1 + r,
}


class FDistill(dmd2.DMD2):
    """f-distill with DMD2's discriminator, that of the authors' DMD2 and not of their FastGen.

    The ratio is exp(logit) where the scores are compared, bounded, divided by its mean over images
    of like sigma (bins of the micro-batch), and h by its own mean.

    Attributes:
        divergence: the f-divergence.
        lowest, highest: bounds of the ratio.
        bins: over sigma, of equal width.
    """

    divergence: Divergence = "kl"
    lowest: PositiveFloat = 0.1
    highest: PositiveFloat = 20.0
    bins: PositiveInt = 10

    def generator_turn(self, batch: Batch) -> Loss:
        """As DMD2's; the discriminator sees what the scores are compared on."""
        generated, draw = self.made(batch)
        logits = self.logits(batch.networks, generated, draw)
        with torch.no_grad():
            noisy = draw.diffuse(generated)
            true = batch.teacher(noisy, draw.sigma, draw.labels)
            denoised = batch.networks["fake"](noisy, draw.sigma, draw.labels)
        return self.both(generated, true, denoised, draw.sigma, logits)

    def scale(self, logits: Tensor, sigma: Tensor) -> Tensor:
        """The weight h of the ratio, [B], of mean 1 and without gradient."""
        ratio = logits.detach().clamp(-10, 10).exp().clamp(self.lowest, self.highest)
        share = (sigma - SIGMA_MIN) / (SIGMA_MAX - SIGMA_MIN)
        place = (share * self.bins).floor().long().clamp(0, self.bins - 1)
        sums = ratio.new_zeros(self.bins).index_add(0, place, ratio)
        means = sums / (torch.bincount(place, minlength=self.bins) + 1e-6)
        h = WEIGHTS[self.divergence](ratio / (means[place] + 1e-6))
        return h / (h.mean() + 1e-6)
