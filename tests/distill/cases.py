"""Losses on networks whose weights and inputs follow from names: only answers are stored."""

import copy
from typing import Any, NamedTuple

import torch
from torch import Tensor

from sid.distill.method import Draw
from sid.distill.noise import karras_sigma
from sid.distill.sid import SiD
from sid.distill.sida import SiDA
from sid.networks import Architecture, EDMPrecond
from sid.networks.precond import one_step
from sid.teacher.loss import denoising_loss, log_normal_sigma
from tests.networks.cases import ADM, SONG, fill, values

SIGMA_INIT = 2.5
WARM = 10**9  # Images after which every warm-up is over.


class Case(NamedTuple):
    """Three networks of one architecture and a micro-batch.

    Attributes:
        architecture: of teacher, fake score and generator.
        augmented: whether the fake score is told of augmentations.
        shift: widens and moves the fake score's bottleneck, to bring logits beyond the bound of 10.
        batch: images.
        seed: of weights and inputs.
    """

    architecture: dict[str, Any]
    augmented: bool = False
    shift: float = 0.0
    batch: int = 3
    seed: int = 0


CASES = {
    "ddpmpp": Case(SONG),
    "ddpmpp-augmented": Case({**SONG, "augment_dim": 9}, augmented=True),
    "ddpmpp-classes": Case({**SONG, "augment_dim": 9, "label_dim": 10}, augmented=True, batch=4),
    "ddpmpp-sure": Case({**SONG, "label_dim": 3}, shift=-17.0),
    "adm": Case(ADM, batch=2),
    "adm-classes": Case({**ADM, "augment_dim": 9, "label_dim": 12}, augmented=True),
}
FAKE_LOSSES = {"fake": SiD(), "fake and discriminator": SiDA()}
GENERATOR_LOSSES = {
    "generator 1.0": SiD(alpha=1.0),
    "generator 1.2": SiD(alpha=1.2),
    "generator 0.5": SiD(alpha=0.5),
    "adversarial": SiDA(generator_weight=0.0),
    "generator and adversarial": SiDA(alpha=1.0),
}
LOSSES = ("denoising", *FAKE_LOSSES, *GENERATOR_LOSSES)


class Given(NamedTuple):
    """What is drawn or read for one micro-batch of B images."""

    t: Tensor  # [B], U(0, 1)
    normal: Tensor  # [B]
    noise: Tensor  # [B, C, H, W], and so are z and real.
    z: Tensor
    real: Tensor
    labels: Tensor | None
    augment: Tensor | None
    real_augment: Tensor | None


def given(case: Case) -> Given:
    """The inputs of a case."""
    sides = [case.architecture["img_resolution"]] * 2
    batch, classes = case.batch, case.architecture.get("label_dim", 0)

    def normal(name: str, *shape: int) -> Tensor:
        return values(f"{case.seed} {name}", torch.Size([batch, *shape]))

    shape = (case.architecture["img_channels"], *sides)
    chosen = (torch.arange(batch) + case.seed) % max(classes, 1)
    return Given(
        t=torch.special.ndtr(normal("t")),
        normal=normal("normal"),
        noise=normal("noise", *shape),
        z=normal("z", *shape),
        real=normal("real", *shape).tanh(),
        labels=torch.eye(classes)[chosen] if classes else None,
        augment=normal("augment", 9) if case.augmented else None,
        real_augment=normal("real augment", 9) if case.augmented else None,
    )


def players(case: Case) -> dict[str, EDMPrecond]:
    """Teacher, fake score and generator, each a tenth away from one network that `fill` gives."""
    network = fill(Architecture.model_validate(case.architecture).build().eval())
    made = {name: copy.deepcopy(network) for name in ("teacher", "fake", "generator")}
    with torch.no_grad():
        for name, copied in made.items():
            for key, weights in copied.named_parameters():
                own = values(f"{case.seed} {name} {key}", weights.shape)
                weights += 0.1 * weights.square().mean().sqrt() * own
        [*_, last] = made["fake"].model.enc.values()
        last.conv1.weight *= 1 + abs(case.shift)
        last.conv1.bias += case.shift
    return {name: copied.requires_grad_(False) for name, copied in made.items()}


def ours(
    case: Case, loss: str, networks: dict[str, EDMPrecond]
) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss of each image, [B], and the gradient of its mean for what it trains, by name."""
    inputs = given(case)
    teacher, fake, generator = networks.values()
    draw = Draw(log_normal_sigma(inputs.normal, -1.2, 1.2), inputs.noise, inputs.labels)
    draw = draw._replace(augment=inputs.augment, real_augment=inputs.real_augment)
    trained = generator if loss in GENERATOR_LOSSES else fake
    trained.requires_grad_(True)
    made = one_step(generator, inputs.z, SIGMA_INIT, inputs.labels)
    if loss == "denoising":
        denoised = fake(draw.diffuse(inputs.real), draw.sigma, draw.labels, draw.augment)
        found = denoising_loss(denoised, inputs.real, draw.sigma, 0.5)
    elif loss in FAKE_LOSSES:
        found = FAKE_LOSSES[loss].fake_loss(fake, made, inputs.real, draw).per_image
    else:
        draw = Draw(karras_sigma(inputs.t * 0.8), inputs.noise, inputs.labels)
        method = GENERATOR_LOSSES[loss]
        found = method.generator_loss(teacher, fake, made, draw, WARM).per_image
    answer = found.detach(), gradients(trained, found.mean())
    trained.requires_grad_(False)
    return answer


def gradients(network: torch.nn.Module, loss: Tensor) -> dict[str, Tensor]:
    """The gradient of each parameter, sorted by name; zeros where it does not count."""
    names, parameters = zip(*sorted(network.named_parameters()), strict=True)
    found = torch.autograd.grad(loss, parameters, allow_unused=True, materialize_grads=True)
    return dict(zip(names, found, strict=True))


def summary(loss: Tensor, found: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a fixture holds, [B] and [P] for P parameters.

    Of each gradient its largest entry, four entries spread over it, [P, 4], its norm and its
    product with fixed noise, which sees all entries.
    """
    flat = {name: gradient.flatten() for name, gradient in found.items()}
    places = {name: torch.linspace(0, len(g) - 1, 4).long() for name, g in flat.items()}
    along = [(g * values(f"along {name}", g.shape)).sum() for name, g in flat.items()]
    return {
        "loss": loss,
        "largest": torch.stack([g.abs().max() for g in flat.values()]),
        "entries": torch.stack([g[places[name]] for name, g in flat.items()]),
        "norms": torch.stack([g.norm() for g in flat.values()]),
        "along": torch.stack(along),
    }
