"""Our losses and their gradients against the official ones (see fixtures/README.md)."""

import functools
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from sid.distill.method import Draw
from sid.distill.noise import karras_sigma
from sid.distill.sid import SiD
from sid.distill.sida import SiDA, discriminator_logits
from sid.networks import EDMPrecond
from sid.networks.precond import one_step
from tests.distill.cases import CASES, LOSSES, SIGMA_INIT, WARM, given, ours, players, summary

FIXTURES = Path(__file__).parent / "fixtures"
BOUND = 1e-4


@functools.cache
def networks(name: str) -> dict[str, EDMPrecond]:
    return players(CASES[name])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", CASES)
def test_losses_and_gradients_are_the_official_ones(name: str, loss: str) -> None:
    stored = load_file(FIXTURES / f"{name}.safetensors")
    found = summary(*ours(CASES[name], loss, networks(name)))
    official = {key: stored[f"{loss}/{key}"] for key in found}
    error = {key: (found[key] - official[key]).abs() for key in found}
    assert error["loss"].max() < BOUND * official["loss"].abs().max()
    largest = official["largest"]
    assert (error["largest"] <= BOUND * largest).all()
    assert (error["entries"] <= BOUND * largest[:, None]).all()
    assert (error["norms"] <= BOUND * official["norms"]).all()
    # Against the norm: a product with noise may come out near 0.
    assert (error["along"] <= BOUND * official["norms"]).all()


@pytest.mark.parametrize("name", CASES)
def test_no_gradient_vanishes(name: str) -> None:
    """Or its fixture would compare nothing."""
    stored = load_file(FIXTURES / f"{name}.safetensors")
    for loss in LOSSES:
        # The keys' bias moves all scores of a query alike; and nobody tells of augmentations.
        assert (stored[f"{loss}/norms"] > 0).float().mean() > 0.95
        assert stored[f"{loss}/loss"].abs().min() > 0


def test_the_bound_on_logits_holds_in_a_case() -> None:
    inputs = given(CASES["ddpmpp-sure"])
    teacher, fake, generator = networks("ddpmpp-sure").values()
    made = one_step(generator, inputs.z, SIGMA_INIT, inputs.labels)
    draw = Draw(karras_sigma(inputs.t * 0.8), inputs.noise, inputs.labels)
    seen = fake.bottleneck(draw.diffuse(made), draw.sigma, draw.labels)
    logits = discriminator_logits(seen)
    assert 0.1 < (logits < -10).float().mean() < 0.9
    bounded, free = (
        SiDA(generator_weight=0.0, logit_bound=bound).generator_loss(
            teacher, fake, made, draw, WARM
        )
        for bound in (10.0, None)
    )
    assert (free.per_image > 1.01 * bounded.per_image).all()


@pytest.mark.parametrize("method", [SiD(), SiDA()], ids=["SiD", "SiDA"])
def test_an_image_that_is_not_a_number_changes_no_other_loss(method: SiD) -> None:
    """The rest of SiDA's mean over the micro-batch is that of the images that are left."""
    inputs = given(CASES["ddpmpp-classes"])
    teacher, fake, generator = networks("ddpmpp-classes").values()
    keep = torch.tensor([0, 2, 3])

    def losses(rows: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        labels = inputs.labels[rows]  # type: ignore[index]
        made = one_step(generator, inputs.z[rows], SIGMA_INIT, labels)
        draw = Draw(karras_sigma(inputs.t[rows] * 0.8), noise[rows], labels)
        score = method.fake_loss(fake, made, inputs.real[rows], draw).per_image
        moved = method.generator_loss(teacher, fake, made, draw, WARM).per_image
        return torch.stack([score, moved])

    broken = inputs.noise.clone()
    broken[1, 0, 3, 3] = torch.nan
    found = losses(torch.arange(4), broken)
    torch.testing.assert_close(found, losses(keep, inputs.noise), rtol=1e-4, atol=1e-4)
