"""Diff-Instruct (Luo et al. 2023, arXiv 2305.18455): descend the integral KL divergence."""

from pydantic import Field

from sid.distill.noise import AnyLaw, LogNormal
from sid.distill.scores import ScoreDistillation, Weight


class DiffInstruct(ScoreDistillation):
    """Diff-Instruct as published: the generator follows f_psi - f_phi, weight 1, sum over pixels.

    The authors' code also lets dropout act in both denoisers in the generator's loss; here they are
    in evaluation mode, as in all methods of this suite.
    """

    detached: bool = True
    weight: Weight = "one"
    generator_weight: float = 1.0
    generator_noise: AnyLaw | None = Field(LogNormal(), discriminator="law")
