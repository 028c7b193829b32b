"""Score identity Distillation (Zhou et al. 2024, arXiv 2404.04057)."""

from sid.distill.scores import ScoreDistillation


class SiD(ScoreDistillation):
    """SiD: the data-free method, at the paper's alpha of 1.2.

    Its generator descends (1 - alpha) ||f_phi - f_psi||^2 + <f_phi - f_psi, f_psi - x_g>, eq. 22-23
    of the paper with the weight omega(t) = sigma_t^4 C / ||x_g - f_phi||_1,sg, C the number of
    pixels: each image is divided by its mean absolute error under the teacher.
    """

    alpha: float = 1.2
