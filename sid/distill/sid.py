"""Score identity Distillation (Zhou et al. 2024, arXiv 2404.04057)."""

from torch import Tensor

from sid.distill.scores import ScoreDistillation, gap_terms, teacher_error


def sid_loss(images: Tensor, true: Tensor, fake: Tensor, alpha: float) -> Tensor:
    """SiD's generator loss, (1 - alpha) ||f_phi - f_psi||^2 + <f_phi - f_psi, f_psi - x_g>.

    That is eq. 22-23 of the paper with the weight omega(t) = sigma_t^4 C / ||x_g - f_phi||_1,sg, C
    the number of pixels: each image is divided by its mean absolute error under the teacher.

    Returns:
        One loss per image, [B], summed over pixels (arguments as of `gap_terms`).
    """
    return gap_terms(images, true, fake, alpha) / teacher_error(images, true)


class SiD(ScoreDistillation):
    """SiD: the data-free method, at the paper's alpha of 1.2."""

    alpha: float = 1.2
