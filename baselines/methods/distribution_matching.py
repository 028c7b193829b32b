"""Distribution matching (Yin et al. 2024, arXiv 2311.18828) with the settings of SiD."""

from sid.distill.scores import ScoreDistillation


class DistributionMatching(ScoreDistillation):
    """DMD's gradient alone: no regression, no discriminator, one update of each network.

    The direction is (f_psi - f_phi) / mean |x_g - f_phi| at SiD's noise levels, with SiD's factor
    of 100: it differs from SiD in nothing but what it descends. No paper has it.
    """

    detached: bool = True
