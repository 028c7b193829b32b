"""Flow Generator Matching (Huang et al. 2024, arXiv 2410.19310)."""

from pydantic import Field

from sid.distill.noise import AnyLaw, LogLogistic
from sid.distill.scores import FakeWeight, ScoreDistillation, Weight


class FGM(ScoreDistillation):
    """FGM on an EDM teacher: |f_phi - x_g|^2 - |f_psi - x_g|^2, which is twice alpha 1/2.

    Weights and noise are those of velocities of flow matching, sigma = (1 - t) / t (our port: the
    paper distils a flow-matching network). Five updates of the fake score for one, as the authors
    of RealUID have it (arXiv 2509.22459), whose method without data this is.
    """

    alpha: float = 0.5
    weight: Weight = "flow"
    fake_weight: FakeWeight = "flow"
    generator_weight: float = 2.0
    fake_updates: int = Field(5, gt=0)
    generator_noise: AnyLaw | None = Field(LogLogistic(), discriminator="law")
    fake_noise: AnyLaw | None = Field(LogLogistic(), discriminator="law")
