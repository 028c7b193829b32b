"""ECT (Geng et al. 2024, arXiv 2406.14548): consistency tuning of the teacher, on real images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat
from torch import Tensor

from sid.distill.method import Batch, Draw, Loss, Method, Player, drop_nonfinite
from sid.distill.noise import AnyLaw, LogNormal
from sid.runs.optimizer import Optimizer

if TYPE_CHECKING:
    from sid.distill.recipe import Recipe


class ECT(Method):
    """The generator D learns D(x + t n) = D(x + r n), r below t and ever nearer; no fake score.

    Samples are D(sigma_max z): its recipes have sigma_init 80. The teacher only begins it.

    Attributes:
        noise: law of t.
        factor: q; the gap 1 - r / t is divided by it at each stage.
        double_kimg: length of a stage, thousands of images.
        slope, steepness: k and b of 1 + k sigmoid(-b t), which widens the gap at small t.
        huber: c of sqrt(|.|^2 + c^2) - c.
    """

    needs_data: ClassVar[bool] = True
    durations: ClassVar[tuple[str, ...]] = ("double_kimg",)

    noise: AnyLaw = Field(LogNormal(mean=-1.1, std=2.0), discriminator="law")
    factor: float = Field(2.0, gt=1)
    double_kimg: PositiveFloat = 3200.0
    slope: NonNegativeFloat = 8.0
    steepness: PositiveFloat = 1.0
    huber: NonNegativeFloat = 0.0

    def players(self, recipe: "Recipe") -> Sequence[Player]:
        """The generator alone."""
        shared = recipe.optimizer_options()
        optimizer = Optimizer(recipe.lr_generator, recipe.betas_generator, **shared)
        return [Player("generator", ("generator",), optimizer, self.loss, passes=(4, 0))]

    def smaller(self, t: Tensor, images: int) -> Tensor:
        """R of t, [B], after `images` images."""
        stage = int(images // (self.double_kimg * 1000))
        widened = 1 + self.slope * torch.sigmoid(-self.steepness * t)
        return (t * (1 - widened / self.factor ** (stage + 1))).clamp(min=0)

    def loss(self, batch: Batch) -> Loss:
        """|D(x + t n) - D(x + r n)| / (t - r), the second without gradient; x itself at r = 0."""
        real, shown = batch.real(), None
        if batch.recipe.augment:
            real, shown = batch.augmented("real", real)
        generator, t = batch.networks["generator"], batch.sigma(self.noise)
        draw = Draw(t, batch.normal("noise"), batch.labels)
        moved = generator(draw.diffuse(real), t, draw.labels, shown)
        r = self.smaller(t, batch.images)
        batch.reseed()  # Both passes have the same dropout.
        with torch.no_grad():
            lower = r.clamp(min=1e-6)  # Where r is 0 the answer is not used.
            kept = generator(draw._replace(sigma=r).diffuse(real), lower, draw.labels, shown)
            kept = torch.where((r > 0)[:, None, None, None], kept, real)
        moved, kept, gap = drop_nonfinite(moved, kept, t - r)
        square = (moved - kept).square().sum(dim=(1, 2, 3))
        return Loss(((square + self.huber**2).sqrt() - self.huber) / gap, {})
