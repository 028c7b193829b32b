"""Score identity Distillation (Zhou et al. 2024, arXiv 2404.04057)."""

from typing import ClassVar

import torch
from pydantic import NonNegativeFloat
from torch import Tensor

from sid.distill.method import Draw, Loss, Method, drop_nonfinite
from sid.networks import EDMPrecond
from sid.teacher.loss import denoising_loss


def sid_loss(images: Tensor, true: Tensor, fake: Tensor, alpha: float) -> Tensor:
    """SiD's generator loss, (1 - alpha) ||f_phi - f_psi||^2 + <f_phi - f_psi, f_psi - x_g>.

    That is eq. 22-23 of the paper with the weight omega(t) = sigma_t^4 C / ||x_g - f_phi||_1,sg, C
    the number of pixels: each image is divided by its mean absolute error under the teacher.

    Args:
        images: x_g, [B, C, H, W].
        true: f_phi(x_t), the teacher's denoised images, [B, C, H, W].
        fake: f_psi(x_t), the fake score's, [B, C, H, W].
        alpha: 1 leaves the second term alone, 0 is the plain (biased) Fisher divergence.

    Returns:
        One loss per image, [B], summed over pixels.
    """
    gap = true - fake
    terms = (1 - alpha) * gap.square() + gap * (fake - images)
    return terms.sum(dim=(1, 2, 3)) / teacher_error(images, true)


def teacher_error(images: Tensor, true: Tensor) -> Tensor:
    """Mean |x_g - f_phi(x_t)| of each image, [B], no gradient, at least 1e-5 (the paper's w)."""
    return (images - true).detach().abs().mean(dim=(1, 2, 3)).clamp(min=1e-5)


class ScoreDistillation(Method):
    """What data-free methods share: a fake score that learns the generator's images.

    Attributes:
        generator_from_kimg: the generator is frozen before, thousands of images.
        generator_weight: lambda of the generator loss, 100 in the authors' code.
    """

    durations: ClassVar[tuple[str, ...]] = ("generator_from_kimg",)

    generator_from_kimg: NonNegativeFloat = 0.0
    generator_weight: float = 100.0

    def fake_loss(
        self, fake: EDMPrecond, generated: Tensor, real: Tensor | None, draw: Draw
    ) -> Loss:
        """EDM's denoising loss on the generator's images (SiD, algorithm 1)."""
        denoised = fake(draw.diffuse(generated), draw.sigma, draw.labels, draw.augment)
        generated, denoised, sigma = drop_nonfinite(generated, denoised, draw.sigma)
        return Loss(denoising_loss(denoised, generated, sigma, fake.architecture.sigma_data), {})

    def trains_generator(self, images: int) -> bool:
        """False during the warm-up of the fake score."""
        return images >= self.generator_from_kimg * 1000


class SiD(ScoreDistillation):
    """SiD: the data-free method.

    Attributes:
        alpha: weight of the model-based Fisher divergence (paper: 1.0 or 1.2).
    """

    alpha: float = 1.2

    def generator_loss(
        self, teacher: EDMPrecond, fake: EDMPrecond, generated: Tensor, draw: Draw, images: int
    ) -> Loss:
        """`sid_loss`; the logged `score_gap` is the mean of (f_phi - f_psi)^2."""
        noisy = draw.diffuse(generated)
        true = teacher(noisy, draw.sigma, draw.labels)
        denoised = fake(noisy, draw.sigma, draw.labels)
        generated, true, denoised = drop_nonfinite(generated, true, denoised)
        loss = self.generator_weight * sid_loss(generated, true, denoised, self.alpha)
        return Loss(loss, {"score_gap": score_gap(true, denoised)})


@torch.no_grad()
def score_gap(true: Tensor, fake: Tensor) -> Tensor:
    """Mean of (f_phi - f_psi)^2 over everything: what tells progress, unlike the loss."""
    return (true - fake).square().mean() if len(true) else true.new_zeros(())
