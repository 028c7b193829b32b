"""Diff-Instruct (Luo et al. 2023, arXiv 2305.18455): descend the integral KL divergence."""

from sid.distill.scores import ScoreDistillation


class DiffInstruct(ScoreDistillation):
    """Diff-Instruct: the generator follows w(t) (s_psi - s_phi) at its diffused images (eq. 8).

    With scores s = (f - x_t) / sigma^2 and w(t) = sigma^2 / mean |x_g - f_phi| the direction is
    (f_psi - f_phi) / w, w the normalisation that SiD uses, so that the two differ in nothing but
    what they descend. The fake score trains as in SiD.
    """

    detached: bool = True
