"""Diff-Instruct (Luo et al. 2023, arXiv 2305.18455): descend the integral KL divergence."""

import torch
from torch import Tensor

from sid.distill.method import Draw, Loss, drop_nonfinite
from sid.distill.sid import ScoreDistillation, score_gap, teacher_error
from sid.networks import EDMPrecond


class DiffInstruct(ScoreDistillation):
    """Diff-Instruct: the generator follows w(t) (s_psi - s_phi) at its diffused images (eq. 8).

    With scores s = (f - x_t) / sigma^2 and w(t) = sigma^2 / mean |x_g - f_phi| the direction is
    (f_psi - f_phi) / w, w the normalisation that SiD uses, so that the two differ in nothing but
    what they descend. The fake score trains as in SiD.
    """

    def generator_loss(
        self, teacher: EDMPrecond, fake: EDMPrecond, generated: Tensor, draw: Draw, images: int
    ) -> Loss:
        """A loss whose gradient with respect to x_g is the direction above."""
        with torch.no_grad():
            noisy = draw.diffuse(generated)
            true = teacher(noisy, draw.sigma, draw.labels)
            denoised = fake(noisy, draw.sigma, draw.labels)
        generated, true, denoised = drop_nonfinite(generated, true, denoised)
        with torch.no_grad():
            direction = (denoised - true) / teacher_error(generated, true)[:, None, None, None]
        loss = self.generator_weight * (direction * generated).sum(dim=(1, 2, 3))
        return Loss(loss, {"score_gap": score_gap(true, denoised)})
