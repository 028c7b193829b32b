"""Losses against closed forms where data and generator are Gaussian.

Data N(0, s^2), generator g z: the teacher is a x_t with a = s^2 / (s^2 + sigma^2), the fake score
b x_t with any b; every expectation is then a polynomial in a, b, g and sigma.
"""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from baselines.methods.diff_instruct import DiffInstruct
from baselines.methods.distribution_matching import DistributionMatching
from sid.distill.method import Draw, method_class
from sid.distill.noise import karras_sigma
from sid.distill.scores import teacher_error
from sid.distill.sid import SiD
from sid.distill.sida import SiDA, cross_entropy, discriminator_logits
from sid.errors import UserError
from sid.networks import Architecture
from tests.evaluate.cases import network

S, G, SIGMA, PIXELS = 0.5, 0.3, 0.7, 64 * 64
A = S**2 / (S**2 + SIGMA**2)


def sample(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """The generator's scale (a leaf), its images and the diffused images, float64."""
    generator = torch.Generator().manual_seed(seed)
    z, n = torch.randn(2, 300, 1, 64, 64, generator=generator, dtype=torch.float64)
    scale = torch.tensor(G, dtype=torch.float64, requires_grad=True)
    return scale, scale * z, scale * z + SIGMA * n


def error_of_teacher() -> float:
    """E |y - a x_t|, the normalisation w."""
    variance = (1 - A) ** 2 * G**2 + A**2 * SIGMA**2
    return math.sqrt(2 / math.pi * variance)


def sid_loss(images: Tensor, true: Tensor, fake: Tensor, alpha: float) -> Tensor:
    """SiD's generator loss of each image, of weight 1 in place of the code's 100."""
    sigma = torch.full((len(images),), SIGMA)
    return SiD(alpha=alpha, generator_weight=1).distilled(images, true, fake, sigma)


@pytest.mark.parametrize("alpha", [-0.25, 0.0, 0.5, 1.0, 1.2, 1.5])
@pytest.mark.parametrize("b", [0.05, G**2 / (G**2 + SIGMA**2), 0.4])
def test_sid_loss_and_its_gradient(alpha: float, b: float) -> None:
    scale, images, noisy = sample()
    loss = sid_loss(images, A * noisy, b * noisy, alpha)
    assert loss.shape == (300,)
    power = G**2 + SIGMA**2
    expected = (1 - alpha) * (A - b) ** 2 * power + (A - b) * (b * power - G**2)
    size = PIXELS / error_of_teacher()
    tolerance = 0.004 * size * abs(A - b)
    assert float(loss.mean().detach()) == pytest.approx(expected * size, abs=tolerance)

    (gradient,) = torch.autograd.grad(loss.mean(), scale)
    slope = 2 * G * ((1 - alpha) * (A - b) ** 2 + (A - b) * (b - 1))
    assert float(gradient) == pytest.approx(slope * size, abs=3 * tolerance)


def test_fisher_divergence_is_what_alpha_zero_leaves() -> None:
    """With the best fake score the second term has no mean, whatever alpha."""
    _, images, noisy = sample()
    best = G**2 / (G**2 + SIGMA**2)
    loss = sid_loss(images, A * noisy, best * noisy, 0.0).mean().detach()
    fisher = (A - best) ** 2 * (G**2 + SIGMA**2) * PIXELS / error_of_teacher()
    assert float(loss) == pytest.approx(fisher, rel=0.03)


def test_descent_on_the_loss_recovers_the_data() -> None:
    """Alternating the best fake score and a step on the generator's scale ends at the data's."""
    z, n = torch.randn(2, 8, 1, 64, 64, generator=torch.Generator().manual_seed(0)).double()
    scale = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    for _ in range(100):
        images = scale * z
        noisy = images + SIGMA * n
        best = float(scale.detach()) ** 2 / (float(scale.detach()) ** 2 + SIGMA**2)
        size = teacher_error(images, A * noisy).mean() / PIXELS  # The loss without its weight.
        loss = size * sid_loss(images, A * noisy, best * noisy, 1.2).mean()
        (gradient,) = torch.autograd.grad(loss, scale)
        scale = (scale - 0.3 * gradient).detach().requires_grad_()
    assert float(scale.detach()) == pytest.approx(S, rel=0.03)


def test_normalisation_carries_no_gradient_and_has_a_floor() -> None:
    images = torch.ones(2, 1, 4, 4, requires_grad=True)
    assert not teacher_error(images, torch.zeros_like(images)).requires_grad
    same = teacher_error(images, images)
    torch.testing.assert_close(same, torch.full((2,), 1e-5))


class Linear(nn.Module):
    """A denoiser that multiplies, with the interface of `EDMPrecond`."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self.architecture = Architecture(img_resolution=64, img_channels=1)

    def forward(self, x: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
        return self.factor * x


def draw_for(images: Tensor) -> Draw:
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(9)).to(images.dtype)
    return Draw(torch.full((len(images),), SIGMA, dtype=images.dtype), noise, None)


def test_rivals_follow_the_score_difference() -> None:
    b = 0.1
    for method, weight in (
        (DiffInstruct(), PIXELS),
        (DistributionMatching(), 100 * PIXELS / error_of_teacher()),
    ):
        scale, images, _ = sample()
        draw = draw_for(images)
        loss = method.generator_loss(Linear(A), Linear(b), images, draw, 0)  # type: ignore[arg-type]
        (gradient,) = torch.autograd.grad(loss.per_image.mean(), scale)
        assert float(gradient) == pytest.approx(weight * (b - A) * G, rel=0.01)


def test_sid_method_weighs_the_loss_and_logs_the_gap() -> None:
    _, images, _ = sample()
    draw = draw_for(images)
    noisy = draw.diffuse(images)
    loss = SiD(alpha=1.0).generator_loss(Linear(A), Linear(0.1), images, draw, 0)  # type: ignore[arg-type]
    torch.testing.assert_close(loss.per_image, 100 * sid_loss(images, A * noisy, 0.1 * noisy, 1.0))
    gap = ((A - 0.1) * noisy).square().mean()
    torch.testing.assert_close(loss.numbers["score_gap"], gap.detach())


def test_sida_adds_half_of_each_after_its_warm_up() -> None:
    net, teacher = network().eval(), network().eval()
    images = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    draw = draw_for(images)
    method = SiDA(alpha=1.0, generator_from_kimg=1, adversarial_from_kimg=2)
    before = method.generator_loss(teacher, net, images, draw, 1999).per_image
    after = method.generator_loss(teacher, net, images, draw, 2000).per_image
    noisy = draw.diffuse(images)
    plain = SiD(alpha=1.0).generator_loss(teacher, net, images, draw, 0).per_image
    torch.testing.assert_close(before, plain)

    logits = net.bottleneck(noisy, draw.sigma).mean(1, keepdim=True)
    fool = 0.01 * 64 * softplus(-logits).mean()
    error = teacher_error(images, teacher(noisy, draw.sigma))
    torch.testing.assert_close(after, 0.5 * plain + 0.5 * fool / error)


def test_sida_discriminator_loss() -> None:
    net = network().eval()
    generator = torch.Generator().manual_seed(1)
    fake, real = torch.randn(2, 4, 1, 8, 8, generator=generator)
    draw = draw_for(fake)
    whole = SiDA().fake_loss(net, fake, real, draw).per_image
    denoising = SiD().fake_loss(net, fake, None, draw).per_image
    on_fake = net.bottleneck(draw.diffuse(fake), draw.sigma).mean(1)
    on_real = net.bottleneck(draw.diffuse(real), draw.sigma).mean(1)
    bce = 0.5 * (softplus(on_fake).mean() + softplus(-on_real).mean())
    weight = (draw.sigma**2 + 0.25) / (draw.sigma * 0.5) ** 2
    torch.testing.assert_close(whole, denoising + weight * bce)


def test_discriminator_is_the_channel_mean() -> None:
    bottleneck = torch.arange(24.0).reshape(1, 3, 2, 4)
    assert discriminator_logits(bottleneck).shape == (1, 1, 2, 4)
    assert float(discriminator_logits(bottleneck)[0, 0, 0, 0]) == 8.0
    assert float(cross_entropy(torch.zeros(2, 1, 3, 3), real=True)) == pytest.approx(math.log(2))
    assert float(cross_entropy(torch.full((2, 1), 50.0), real=False)) == pytest.approx(50)


def test_karras_sigma_ends() -> None:
    t = torch.tensor([0.0, 0.8, 1.0], dtype=torch.float64)
    sigma = karras_sigma(t)
    assert float(sigma[0]) == pytest.approx(0.002)
    assert float(sigma[1]) == pytest.approx(24.408, rel=1e-4)
    assert float(sigma[2]) == pytest.approx(80)


def test_methods_are_found_by_name() -> None:
    assert method_class("sid") is SiD
    assert method_class("diff-instruct") is DiffInstruct
    with pytest.raises(UserError, match="'sdi' is unknown; known are diff-instruct, distribution-"):
        method_class("sdi")


@pytest.mark.parametrize("images", [0, 10**9])
def test_sida_with_nothing_finite_is_zero(images: int) -> None:
    """A whole micro-batch that is dropped stops nothing and weighs nothing."""
    net = network()
    broken = torch.full((2, 1, 8, 8), torch.nan)
    draw = Draw(torch.ones(2), torch.zeros(2, 1, 8, 8), None)
    method = SiDA(generator_from_kimg=0, adversarial_from_kimg=0)
    for loss in (
        method.fake_loss(net, broken, broken, draw),
        method.generator_loss(net, net, broken, draw, images),
    ):
        assert loss.per_image.shape == (0,)
        assert all(torch.isfinite(number) for number in loss.numbers.values())
