"""DMD2 (Yin et al. 2024, arXiv 2405.14867): distribution matching with a discriminator."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from pydantic import Field, NonNegativeFloat
from torch import Tensor, nn
from torch.nn.functional import softplus

from sid.distill.method import Batch, Draw, Loss, Player, drop_nonfinite
from sid.distill.noise import AnyLaw, Karras
from sid.distill.scores import ScoreDistillation, score_gap
from sid.networks import EDMPrecond

if TYPE_CHECKING:
    from sid.distill.recipe import Recipe


def bottleneck_head(network: EDMPrecond) -> nn.Sequential:
    """The authors' discriminator: convolutions from the bottleneck [B, C, H, W] to [B, 1, 1, 1].

    Theirs is for 768 channels of 8 x 8. Others have their own kernel of the second convolution, and
    groups of at least four channels as in EDM's networks.
    """
    architecture = network.architecture
    images = torch.zeros(1, *architecture.image_shape)
    with torch.no_grad():
        on = next(network.parameters()).device
        _, channels, side, _ = network.bottleneck(images.to(on), torch.ones(1, device=on)).shape
    groups, half = min(32, max(channels // 4, 1)), max(side // 2, 1)
    return nn.Sequential(
        nn.Conv2d(channels, channels, kernel_size=4, stride=2, padding=1),
        nn.GroupNorm(groups, channels),
        nn.SiLU(),
        nn.Conv2d(channels, channels, kernel_size=half, stride=half),
        nn.GroupNorm(groups, channels),
        nn.SiLU(),
        nn.Conv2d(channels, 1, kernel_size=1),
    )


class DMD2(ScoreDistillation):
    """DMD2: five updates of fake score and discriminator for one of the generator.

    The discriminator is a head on the bottleneck of the fake score, which its loss trains as well;
    what it sees is noised. `adversarial: false` is DMD2 without it.

    Attributes:
        adversarial: whether there is a discriminator.
        discriminator_weight: of its loss beside the fake score's.
        adversarial_weight: of the generator's loss against it.
        discriminator_noise: law of sigma of what it sees.
    """

    needs_data: ClassVar[bool] = True

    detached: bool = True
    generator_weight: float = 1.0
    per_pixel: bool = True
    fake_updates: int = Field(5, gt=0)
    generator_noise: AnyLaw | None = Field(Karras(low=20, high=980, grid=True), discriminator="law")
    fake_noise: AnyLaw | None = Field(Karras(grid=True), discriminator="law")
    adversarial: bool = True
    discriminator_weight: NonNegativeFloat = 1e-2
    adversarial_weight: NonNegativeFloat = 3e-3
    discriminator_noise: AnyLaw = Field(Karras(grid=True), discriminator="law")

    def networks(self, copied: Callable[[], EDMPrecond]) -> dict[str, nn.Module]:
        """The fake score, and the head on its bottleneck."""
        found = super().networks(copied)
        if self.adversarial:
            found["head"] = bottleneck_head(copied())
        return found

    def players(self, recipe: "Recipe") -> Sequence[Player]:
        """The fake score with its head, then the generator."""
        fake, generator = super().players(recipe)
        if not self.adversarial:
            return fake, generator
        fake = fake._replace(trains=("fake", "head"), passes=(fake.passes[0], 6))
        return fake, generator._replace(passes=(generator.passes[0], 2), graphs=2)

    def real(self, batch: Batch) -> Tensor | None:
        """Images of the data for the discriminator, where there is one."""
        return batch.real() if self.adversarial else None

    def fake_turn(self, batch: Batch) -> Loss:
        """The denoising loss, and the discriminator's on generated and real images."""
        if not self.adversarial:
            return super().fake_turn(batch)
        generated, real, draw = self.shown(batch)
        networks, fake = batch.networks, batch.networks["fake"]
        assert real is not None
        denoised = fake(draw.diffuse(generated), draw.sigma, draw.labels, draw.augment)
        of_fake = self.logits(networks, generated, self.seen(batch, "seen", draw.augment))
        of_real = self.logits(networks, real, self.seen(batch, "real", draw.real_augment))
        generated, denoised, sigma, of_fake, of_real = drop_nonfinite(
            generated, denoised, draw.sigma, of_fake, of_real
        )
        loss = self.denoising(denoised, generated, sigma, fake.architecture.sigma_data)
        told = softplus(of_fake) + softplus(-of_real)
        return Loss(loss + self.discriminator_weight * told, {"discriminator": mean(told)})

    def generator_turn(self, batch: Batch) -> Loss:
        """Distribution matching, and what fools the discriminator."""
        if not self.adversarial:
            return super().generator_turn(batch)
        generated, draw = self.made(batch)
        logits = self.logits(batch.networks, generated, self.seen(batch, "seen"))
        with torch.no_grad():
            noisy = draw.diffuse(generated)
            true = batch.teacher(noisy, draw.sigma, draw.labels)
            denoised = batch.networks["fake"](noisy, draw.sigma, draw.labels)
        return self.both(generated, true, denoised, draw.sigma, logits)

    def both(
        self, generated: Tensor, true: Tensor, denoised: Tensor, sigma: Tensor, logits: Tensor
    ) -> Loss:
        """The generator's two losses of each image, [B]."""
        generated, true, denoised, sigma, logits = drop_nonfinite(
            generated, true, denoised, sigma, logits
        )
        fool = softplus(-logits)
        loss = self.scale(logits, sigma) * self.distilled(generated, true, denoised, sigma)
        numbers = {"score_gap": score_gap(true, denoised), "adversarial": mean(fool)}
        return Loss(loss + self.adversarial_weight * fool, numbers)

    def scale(self, logits: Tensor, sigma: Tensor) -> Tensor:
        """A factor of each image's distribution matching, [B]: 1."""
        return torch.ones_like(sigma)

    def seen(self, batch: Batch, what: str, augment: Tensor | None = None) -> Draw:
        """The noise of what the discriminator sees; of its own, for each kind of images."""
        sigma = batch.sigma(self.discriminator_noise, what)
        return Draw(sigma, batch.normal(f"{what} noise"), batch.labels, augment)

    def logits(self, networks: Mapping[str, Any], images: Tensor, draw: Draw) -> Tensor:
        """What the discriminator says of noised images, [B]: positive is real."""
        seen = networks["fake"].bottleneck(
            draw.diffuse(images), draw.sigma, draw.labels, draw.augment
        )
        found: Tensor = networks["head"](seen).flatten()
        return found


def mean(values: Tensor) -> Tensor:
    """The mean, without gradient; 0 of nothing."""
    return values.detach().mean() if len(values) else values.detach().sum()
