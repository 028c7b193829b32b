"""Score distillation: the family of methods with one fake score that learns the generator's images.

With f_phi the teacher, f_psi the fake score, gap = f_phi - f_psi at x_t = x_g + sigma n, the
generator descends weight * [(1 - alpha) |gap|^2 + <gap, f_psi - x_g>]. Let A be the gradient
through x_t of the two denoisers' difference squared, and B the one through what the fake score
depends on: the loss descends (1 - alpha) A + B / 2. So alpha 1/2 is half the exact gradient of the
Fisher divergence, where the weight is a function of sigma alone, and is Flow Generator Matching
(arXiv 2410.19310) up to that factor; alpha 1 keeps B alone. With x_t and both denoisers held fixed,
only -<gap, x_g> is left, the gradient of the KL divergence (Diff-Instruct, arXiv 2305.18455; DMD,
arXiv 2311.18828).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import torch
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt
from torch import Tensor, nn

from sid.distill.method import Batch, Draw, Loss, Method, Player, drop_nonfinite
from sid.distill.noise import AnyLaw, Karras, LogNormal
from sid.networks import EDMPrecond
from sid.runs.optimizer import Optimizer
from sid.teacher.loss import edm_weight

if TYPE_CHECKING:
    from sid.distill.recipe import Recipe

Weight = Literal["teacher-error", "pseudo-huber", "1/sigma^2", "flow", "one"]
FakeWeight = Literal["edm", "1/sigma^2", "flow", "one"]


def gap_terms(images: Tensor, true: Tensor, fake: Tensor, alpha: float) -> Tensor:
    """(1 - alpha) |f_phi - f_psi|^2 + <f_phi - f_psi, f_psi - x_g> of each image, [B].

    Args:
        images: x_g, [B, C, H, W].
        true: f_phi(x_t), the teacher's denoised images, [B, C, H, W].
        fake: f_psi(x_t), the fake score's, [B, C, H, W].
        alpha: 1 leaves the second term alone, 0 is the plain (biased) Fisher divergence.
    """
    gap = true - fake
    terms = (1 - alpha) * gap.square() + gap * (fake - images)
    return terms.sum(dim=(1, 2, 3))


def teacher_error(images: Tensor, true: Tensor) -> Tensor:
    """Mean |x_g - f_phi(x_t)| of each image, [B], no gradient, at least 1e-5 (the paper's w)."""
    return (images - true).detach().abs().mean(dim=(1, 2, 3)).clamp(min=1e-5)


@torch.no_grad()
def score_gap(true: Tensor, fake: Tensor) -> Tensor:
    """Mean of (f_phi - f_psi)^2 over everything: what tells progress, unlike the loss."""
    return (true - fake).square().mean() if len(true) else true.new_zeros(())


def sigma_weight(sigma: Tensor, kind: str, sigma_data: float) -> Tensor:
    """A weight that is a function of sigma, [B].

    `edm` is that of EDM's training, `flow` ((1 + sigma) / sigma)^2, what a loss on velocities of
    flow matching is on denoised images: sigma = (1 - t) / t and u = (D - x_t) / (1 - t).
    """
    weights = {
        "edm": lambda: edm_weight(sigma, sigma_data),
        "1/sigma^2": lambda: sigma**-2,
        "flow": lambda: ((1 + sigma) / sigma) ** 2,
        "one": lambda: torch.ones_like(sigma),
    }
    return weights[kind]()


class ScoreDistillation(Method):
    """One fake score and one generator; the options place a method in the family.

    Attributes:
        alpha: weight of what the loss has of the gradient through x_t; see the module.
        detached: x_t and both denoisers count as constants in the generator's loss, and alpha is
            without effect.
        weight: of the generator's loss: the inverse of `teacher_error` (DMD, SiD), of
            sqrt(|gap|^2 + huber^2) (`pseudo-huber`), or a function of sigma (`sigma_weight`).
        huber: the constant of `pseudo-huber`, in pixels' units.
        generator_weight: lambda of the generator loss, 100 in SiD's code.
        generator_from_kimg: the generator is frozen before, thousands of images.
        fake_updates: updates of the fake score for one of the generator.
        generator_noise: law of sigma in the generator's loss; None for SiD's, `karras` up to the
            recipe's t_max.
        fake_noise: that in the fake score's; None for EDM's, with the recipe's p_mean and p_std.
        fake_weight: of the fake score's denoising loss, a function of sigma.
        per_pixel: losses are means over pixels instead of sums.
        fake_grad_clip: bound on each entry of the fake score's gradient, None for no bound.
    """

    durations: ClassVar[tuple[str, ...]] = ("generator_from_kimg",)

    alpha: float = 1.0
    detached: bool = False
    weight: Weight = "teacher-error"
    huber: PositiveFloat = 1.0
    generator_weight: float = 100.0
    generator_from_kimg: NonNegativeFloat = 0.0
    fake_updates: PositiveInt = 1
    generator_noise: AnyLaw | None = Field(None, discriminator="law")
    fake_noise: AnyLaw | None = Field(None, discriminator="law")
    fake_weight: FakeWeight = "edm"
    per_pixel: bool = False
    fake_grad_clip: PositiveFloat | None = None

    def networks(self, copied: Callable[[], EDMPrecond]) -> dict[str, nn.Module]:
        """The fake score, which begins as the teacher."""
        return {"fake": copied()}

    def players(self, recipe: "Recipe") -> Sequence[Player]:
        """The fake score, then the generator."""
        shared = recipe.optimizer_options()
        clip = self.fake_grad_clip
        fake = Optimizer(recipe.lr_of_fake, recipe.betas_fake, clip_value=clip, **shared)
        generator = Optimizer(recipe.lr_generator, recipe.betas_generator, **shared)
        through = 1 if self.detached else 2  # Passes of each denoiser in the generator's loss.
        return (
            Player("fake", ("fake",), fake, self.fake_turn, passes=(1 + 3, 0)),
            Player(
                "generator",
                ("generator",),
                generator,
                self.generator_turn,
                every=self.fake_updates,
                since=self.generator_from_kimg * 1000,
                passes=(3 + 2 * through, 0),
                graphs=1 if self.detached else 3,
            ),
        )

    def shown(self, batch: Batch) -> tuple[Tensor, Tensor | None, Draw]:
        """What the fake score learns from: generated images, real ones, and the randomness."""
        law = self.fake_noise or LogNormal(mean=batch.recipe.p_mean, std=batch.recipe.p_std)
        with torch.no_grad():
            generated = batch.generated()
        real = self.real(batch)
        draw = Draw(batch.sigma(law), batch.normal("noise"), batch.labels)
        if batch.recipe.augment:
            generated, told = batch.augmented("fake", generated)
            draw = draw._replace(augment=told)
            if real is not None:
                real, told = batch.augmented("real", real)
                draw = draw._replace(real_augment=told)
        return generated, real, draw

    def real(self, batch: Batch) -> Tensor | None:
        """Images of the data, [B, C, H, W], for methods that need data."""
        return batch.real() if self.needs_data else None

    def made(self, batch: Batch) -> tuple[Tensor, Draw]:
        """What the generator makes in its own turn, and the randomness of its loss."""
        law = self.generator_noise or Karras(high=batch.recipe.t_max)
        draw = Draw(batch.sigma(law), batch.normal("noise"), batch.labels)
        return batch.generated(), draw

    def fake_turn(self, batch: Batch) -> Loss:
        """The fake score's loss on what the generator makes, without the generator's gradient."""
        return self.fake_loss(batch.networks["fake"], *self.shown(batch))

    def generator_turn(self, batch: Batch) -> Loss:
        """The generator's loss on what it makes."""
        fake = batch.networks["fake"]
        return self.generator_loss(batch.teacher, fake, *self.made(batch), batch.images)

    def fake_loss(
        self, fake: EDMPrecond, generated: Tensor, real: Tensor | None, draw: Draw
    ) -> Loss:
        """The denoising loss on the generator's images (SiD, algorithm 1).

        Args:
            fake: f_psi.
            generated: what the generator made, [B, C, H, W], without its gradient.
            real: images of the data, for methods that need data.
            draw: randomness of this micro-batch.
        """
        denoised = fake(draw.diffuse(generated), draw.sigma, draw.labels, draw.augment)
        generated, denoised, sigma = drop_nonfinite(generated, denoised, draw.sigma)
        sigma_data = fake.architecture.sigma_data
        return Loss(self.denoising(denoised, generated, sigma, sigma_data), {})

    def generator_loss(
        self, teacher: EDMPrecond, fake: EDMPrecond, generated: Tensor, draw: Draw, images: int
    ) -> Loss:
        """`distilled`; the logged `score_gap` is the mean of (f_phi - f_psi)^2.

        Args:
            teacher: f_phi, without parameter gradients.
            fake: f_psi, without parameter gradients.
            generated: G(z), [B, C, H, W], through which the gradient flows.
            draw: randomness of this micro-batch.
            images: images seen before this update.
        """
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.detached):
            noisy = draw.diffuse(generated)
            true = teacher(noisy, draw.sigma, draw.labels)
            denoised = fake(noisy, draw.sigma, draw.labels)
        generated, true, denoised, sigma = drop_nonfinite(generated, true, denoised, draw.sigma)
        loss = self.distilled(generated, true, denoised, sigma)
        return Loss(loss, {"score_gap": score_gap(true, denoised)})

    def denoising(
        self, denoised: Tensor, clean: Tensor, sigma: Tensor, sigma_data: float
    ) -> Tensor:
        """The fake score's weighted squared error of each image, [B]."""
        error = (denoised - clean).square().sum(dim=(1, 2, 3))
        loss = sigma_weight(sigma, self.fake_weight, sigma_data) * error
        return self._reduced(loss, clean)

    def distilled(self, images: Tensor, true: Tensor, fake: Tensor, sigma: Tensor) -> Tensor:
        """The generator's loss of each image, [B]: weighted `gap_terms`, or their direction.

        Args:
            images: x_g, [B, C, H, W].
            true: f_phi(x_t).
            fake: f_psi(x_t).
            sigma: noise levels, [B].
        """
        divisor = self.divisor(images, true, fake, sigma)
        if self.detached:
            direction = (fake - true).detach() / divisor[:, None, None, None]
            loss = (direction * images).sum(dim=(1, 2, 3))
        else:
            loss = gap_terms(images, true, fake, self.alpha) / divisor
        return self._reduced(self.generator_weight * loss, images)

    def divisor(self, images: Tensor, true: Tensor, fake: Tensor, sigma: Tensor) -> Tensor:
        """What `weight` divides each image's loss by, [B], without gradient."""
        if self.weight == "teacher-error":
            return teacher_error(images, true)
        if self.weight == "pseudo-huber":
            square = (true - fake).detach().square().sum(dim=(1, 2, 3))
            return (square + self.huber**2).sqrt()
        return 1 / sigma_weight(sigma, self.weight, 0.0)

    def _reduced(self, loss: Tensor, images: Tensor) -> Tensor:
        return loss / images[0].numel() if self.per_pixel else loss
