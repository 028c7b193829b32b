"""SiDA: SiD with an adversarial loss (Zhou et al. 2025, arXiv 2410.14919)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from pydantic import NonNegativeFloat, PositiveFloat
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from sid.distill.method import Draw, Loss, drop_nonfinite
from sid.distill.player import Player
from sid.distill.scores import score_gap, teacher_error
from sid.distill.sid import SiD
from sid.networks import EDMPrecond
from sid.teacher.loss import edm_weight

if TYPE_CHECKING:
    from sid.distill.recipe import Recipe


def discriminator_logits(bottleneck: Tensor) -> Tensor:
    """The channel mean of the fake score's encoder output: [B, C, H, W] -> [B, 1, H, W]."""
    return bottleneck.mean(dim=1, keepdim=True)


def cross_entropy(logits: Tensor, real: bool) -> Tensor:
    """Binary cross-entropy against "real" or "generated", mean over batch and places, a scalar.

    The batch is the micro-batch, as in the authors' code: its mean multiplies each image's weight.
    """
    if not len(logits):  # All were dropped, and a mean of nothing is no number.
        return logits.sum()
    target = torch.ones_like(logits) if real else torch.zeros_like(logits)
    return binary_cross_entropy_with_logits(logits, target)


class SiDA(SiD):
    """SiDA; started from a SiD generator it is SiD2A.

    Attributes:
        adversarial_from_kimg: the generator's adversarial term is off before, thousands of images.
        discriminator_weight: of the discriminator's loss beside the denoising loss (1 for EDM).
        adversarial_weight: of the generator's adversarial loss (0.01), to be multiplied by the
            number of pixels.
        logit_bound: the generator's logits are clamped to it in absolute value, None for no bound;
            keeps one confident patch from ruling the batch.
        fake_grad_clip: the authors clip each entry to 1.
    """

    needs_data: ClassVar[bool] = True
    durations: ClassVar[tuple[str, ...]] = ("generator_from_kimg", "adversarial_from_kimg")
    paper: ClassVar[Mapping[str, Any]] = {"logit_bound": None, "fake_grad_clip": None}

    alpha: float = 1.0
    generator_from_kimg: NonNegativeFloat = 100.0
    adversarial_from_kimg: NonNegativeFloat = 200.0
    discriminator_weight: float = 1.0
    adversarial_weight: float = 0.01
    logit_bound: PositiveFloat | None = 10.0
    fake_grad_clip: PositiveFloat | None = 1.0

    def players(self, recipe: "Recipe") -> Sequence[Player]:
        """As SiD's; the fake score's encoder sees real images besides."""
        fake, generator = super().players(recipe)
        return fake._replace(passes=(fake.passes[0], 3)), generator

    def fake_loss(
        self, fake: EDMPrecond, generated: Tensor, real: Tensor | None, draw: Draw
    ) -> Loss:
        """Denoising loss and discriminator loss, both under EDM's weight (SiDA, section 3)."""
        assert real is not None
        sigma_data = fake.architecture.sigma_data
        noisy, noisy_real = draw.diffuse(generated), draw.diffuse(real)
        denoised, bottleneck = fake.both(noisy, draw.sigma, draw.labels, draw.augment)
        real_bottleneck = fake.bottleneck(noisy_real, draw.sigma, draw.labels, draw.real_augment)
        generated, denoised, sigma, logits, real_logits = drop_nonfinite(
            generated,
            denoised,
            draw.sigma,
            discriminator_logits(bottleneck),
            discriminator_logits(real_bottleneck),
        )
        fakes, reals = cross_entropy(logits, real=False), cross_entropy(real_logits, real=True)
        adversarial = (fakes + reals) / 2
        denoising = self.denoising(denoised, generated, sigma, sigma_data)
        weight = self.discriminator_weight * edm_weight(sigma, sigma_data)
        return Loss(denoising + weight * adversarial, {"discriminator": adversarial.detach()})

    def generator_loss(
        self, teacher: EDMPrecond, fake: EDMPrecond, generated: Tensor, draw: Draw, images: int
    ) -> Loss:
        """Half SiD's loss, half the adversarial loss, once its warm-up is over."""
        if images < self.adversarial_from_kimg * 1000:
            return super().generator_loss(teacher, fake, generated, draw, images)
        noisy = draw.diffuse(generated)
        true = teacher(noisy, draw.sigma, draw.labels)
        denoised, bottleneck = fake.both(noisy, draw.sigma, draw.labels)
        generated, true, denoised, sigma, logits = drop_nonfinite(
            generated, true, denoised, draw.sigma, discriminator_logits(bottleneck)
        )
        if self.logit_bound is not None:
            logits = logits.clamp(-self.logit_bound, self.logit_bound)
        adversarial = cross_entropy(logits, real=True)
        distil = self.distilled(generated, true, denoised, sigma)
        pixels = generated.shape[1:].numel()
        fool = self.adversarial_weight * pixels * adversarial / teacher_error(generated, true)
        numbers = {"score_gap": score_gap(true, denoised), "adversarial": adversarial.detach()}
        return Loss(0.5 * distil + 0.5 * fool, numbers)
