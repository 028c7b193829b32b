"""RealUID (Kornilov et al. 2025, arXiv 2509.22459): real images without a discriminator."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field
from torch import Tensor

from baselines.methods import fgm
from sid.distill.method import Batch, Draw, Loss, Player, drop_nonfinite
from sid.distill.scores import score_gap

if TYPE_CHECKING:
    from sid.distill.recipe import Recipe


def target(images: Tensor, draw: Draw, share: float) -> Tensor:
    """C x + (1 - c) t x_t, [B, C, H, W], with t = 1 / (1 + sigma) and c the share.

    A velocity u = (D - t x_t) / (1 - t) of flow matching is compared with c (x - n): that is D
    compared with this.
    """
    t = 1 / (1 + draw.sigma)[:, None, None, None]
    return share * images + (1 - share) * t * draw.diffuse(images)


class RealUID(fgm.FGM):
    """RealUID on an EDM teacher (our port; the authors distil a flow-matching network).

    The fake score learns generated and real images, each towards a velocity that is scaled; the
    generator's loss is FGM's with the same scale. With both shares 1 it is FGM (UID).

    Attributes:
        real_alpha: share of generated images in the fake score's loss, alpha of the paper.
        real_beta: that of their velocity, beta of the paper.
    """

    needs_data: ClassVar[bool] = True

    real_alpha: float = Field(0.92, gt=0, le=1)
    real_beta: float = Field(0.94, gt=0, le=1)

    def players(self, recipe: "Recipe") -> Sequence[Player]:
        """As FGM's; the fake score sees real images besides."""
        fake, generator = super().players(recipe)
        return fake._replace(passes=(fake.passes[0] + 3, 0)), generator

    def fake_turn(self, batch: Batch) -> Loss:
        """A |F - y|^2 of generated images, (1 - a) |F - y|^2 of real ones."""
        generated, real, draw = self.shown(batch)
        assert real is not None
        fake, a, b = batch.networks["fake"], self.real_alpha, self.real_beta
        towards = (b / a, (1 - b) / (1 - a) if a < 1 else 0.0)
        pairs = ((generated, draw.augment), (real, draw.real_augment))
        found = [fake(draw.diffuse(x), draw.sigma, draw.labels, told) for x, told in pairs]
        wanted = [target(x, draw, c) for (x, _), c in zip(pairs, towards, strict=True)]
        sigma, *kept = drop_nonfinite(draw.sigma, *found, *wanted)
        of_generated, of_real = (
            self.denoising(kept[k], kept[k + 2], sigma, fake.architecture.sigma_data)
            for k in (0, 1)
        )
        return Loss(a * of_generated + (1 - a) * of_real, {})

    def generator_turn(self, batch: Batch) -> Loss:
        """A |T - y|^2 - a |F - y|^2."""
        generated, draw = self.made(batch)
        noisy, wanted = draw.diffuse(generated), self.real_beta / self.real_alpha
        true = batch.teacher(noisy, draw.sigma, draw.labels)
        denoised = batch.networks["fake"](noisy, draw.sigma, draw.labels)
        true, denoised, towards, sigma = drop_nonfinite(
            true, denoised, target(generated, draw, wanted), draw.sigma
        )
        loss = self.real_alpha * self.distilled(towards, true, denoised, sigma)
        return Loss(loss, {"score_gap": score_gap(true, denoised)})
