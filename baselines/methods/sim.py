"""Score Implicit Matching (Luo et al. 2024, arXiv 2410.16794), in our reading."""

from sid.distill.scores import ScoreDistillation, Weight


class SIM(ScoreDistillation):
    """SIM with the pseudo-Huber distance: <gap, f_psi - x_g> / sqrt(|gap|^2 + huber^2).

    That is SiD at alpha 1 with another weight. The authors' training code is not public: the
    constant, the noise and the weight over sigma are ours, SiD's where it has one.
    """

    alpha: float = 1.0
    weight: Weight = "pseudo-huber"
