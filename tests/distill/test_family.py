"""The family against closed forms: generator g z, data N(0, s^2), the best fake score for each g.

Then f_phi = a x_t and f_psi = b(g) x_t, and the Fisher divergence (a - b)^2 (g^2 + sigma^2) is a
function of g alone, whose exact gradient is known.
"""

import math

import pytest
import torch
from torch import Tensor

from sid.distill.method import Draw
from sid.distill.scores import ScoreDistillation, gap_terms, sigma_weight

S, SIGMA = 0.5, 0.7
A = S**2 / (S**2 + SIGMA**2)


def best(scale: float) -> float:
    return scale**2 / (scale**2 + SIGMA**2)


def exact_gradient(scale: float) -> float:
    """d/dg of (a - b(g))^2 (g^2 + sigma^2), by autograd through b."""
    g = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
    power = g**2 + SIGMA**2
    divergence = (A - g**2 / power) ** 2 * power
    return float(torch.autograd.grad(divergence, g)[0])


def mean_gradient(scale: float, alpha: float) -> float:
    """That of the expected loss at weight 1, the fake score held at its best for this g.

    Its expectation is a quadratic form in x and n, so four points of unit variance give it.
    """
    g = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
    z = torch.tensor([1.0, 1.0, -1.0, -1.0], dtype=torch.float64).reshape(4, 1, 1, 1)
    n = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64).reshape(4, 1, 1, 1)
    images = g * z
    noisy = images + SIGMA * n
    loss = gap_terms(images, A * noisy, best(scale) * noisy, alpha).mean()
    return float(torch.autograd.grad(loss, g)[0])


@pytest.mark.parametrize("scale", [0.2, 0.4, 0.8])
def test_alpha_one_half_is_half_the_exact_gradient(scale: float) -> None:
    assert mean_gradient(scale, 0.5) == pytest.approx(exact_gradient(scale) / 2, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 0.75, 1.0, 1.2])
def test_other_alphas_are_biased_by_the_gradient_through_the_noised_image(alpha: float) -> None:
    """By (1/2 - alpha) A, A = 2 g (a - b)^2, which vanishes only where the scores agree."""
    for scale in (0.2, 0.8):
        through = 2 * scale * (A - best(scale)) ** 2
        bias = mean_gradient(scale, alpha) - exact_gradient(scale) / 2
        assert bias == pytest.approx((0.5 - alpha) * through, rel=1e-9)
    assert mean_gradient(S, alpha) == pytest.approx(exact_gradient(S) / 2, abs=1e-12)


def weighed_gradients(weight: str) -> tuple[float, float]:
    """Half the exact gradient of E weight |gap|^2, and what the loss at alpha 1/2 descends.

    The expectation over x and n is a sum over a grid of quantiles, one pixel an image, and the
    exact one a difference quotient of the same sum, the fake score at its best for each g.
    """
    points = torch.special.ndtri((torch.arange(400, dtype=torch.float64) + 0.5) / 400)
    z, n = (part.reshape(-1, 1, 1, 1) for part in torch.meshgrid(points, points, indexing="ij"))
    sigma = torch.full((len(z),), SIGMA, dtype=torch.float64)
    method = ScoreDistillation(alpha=0.5, weight=weight, generator_weight=1.0)  # type: ignore[arg-type]

    def divergence(scale: float) -> float:
        images = scale * z
        noisy = images + SIGMA * n
        true, fake = A * noisy, best(scale) * noisy
        square = (true - fake).square().sum(dim=(1, 2, 3))
        return float((square / method.divisor(images, true, fake, sigma)).mean())

    step, scale = 1e-4, 0.3
    exact = (divergence(scale + step) - divergence(scale - step)) / (2 * step)
    g = torch.tensor(scale, dtype=torch.float64, requires_grad=True)
    images = g * z
    noisy = images + SIGMA * n
    loss = method.distilled(images, A * noisy, best(scale) * noisy, sigma).mean()
    return exact / 2, float(torch.autograd.grad(loss, g)[0])


def test_a_weight_of_sigma_alone_is_exact_and_one_of_the_image_is_not() -> None:
    for weight in ("one", "1/sigma^2", "flow"):
        exact, found = weighed_gradients(weight)
        assert found == pytest.approx(exact, rel=5e-3)
    exact, found = weighed_gradients("teacher-error")
    assert found != pytest.approx(exact, rel=0.05)


def random_images(count: int) -> list[Tensor]:
    generator = torch.Generator().manual_seed(3)
    shape = (count, 5, 2, 4, 4)
    return list(torch.randn(shape, generator=generator, dtype=torch.float64))


def test_the_difference_of_two_denoising_errors_is_twice_alpha_one_half() -> None:
    images, true, fake = random_images(3)
    difference = (true - images).square() - (fake - images).square()
    torch.testing.assert_close(
        difference.sum(dim=(1, 2, 3)), 2 * gap_terms(images, true, fake, 0.5)
    )


def test_detached_follows_the_difference_of_the_denoisers_whatever_alpha() -> None:
    images, true, fake = random_images(3)
    images.requires_grad_(True)
    sigma = torch.full((5,), SIGMA, dtype=torch.float64)
    for alpha in (0.0, 1.2):
        method = ScoreDistillation(alpha=alpha, detached=True, weight="one", generator_weight=3.0)
        loss = method.distilled(images, true, fake, sigma)
        (gradient,) = torch.autograd.grad(loss.sum(), images)
        torch.testing.assert_close(gradient, 3 * (fake - true))


def test_pseudo_huber_is_between_a_square_and_a_norm() -> None:
    images, true, fake = random_images(3)
    sigma = torch.full((5,), SIGMA, dtype=torch.float64)
    norm = (true - fake).square().sum(dim=(1, 2, 3)).sqrt()
    for huber, expected in ((1e-6, norm), (1e6, torch.full_like(norm, 1e6))):
        method = ScoreDistillation(weight="pseudo-huber", huber=huber)
        torch.testing.assert_close(method.divisor(images, true, fake, sigma), expected)


def test_flow_weight_is_that_of_velocities() -> None:
    """u = (D - t x_t) / (1 - t) with t = 1 / (1 + sigma): |u|^2 is the weight times |D|^2."""
    sigma = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    t = 1 / (1 + sigma)
    torch.testing.assert_close(sigma_weight(sigma, "flow", 0.5), (1 - t) ** -2)


def test_laws_of_noise_are_what_they_say() -> None:
    from sid.distill.noise import Karras, LogLogistic, LogNormal, karras_sigma

    def drawn(law: object) -> Tensor:
        return law.draw(0, "x", 0, 20_000, torch.device("cpu")).double()  # type: ignore[attr-defined]

    log = drawn(LogNormal(mean=-1.0, std=2.0)).log()
    assert float(log.mean()) == pytest.approx(-1, abs=0.05)
    assert float(log.std()) == pytest.approx(2, abs=0.05)
    flow = drawn(LogLogistic()).log()
    assert float(flow.std()) == pytest.approx(math.pi / math.sqrt(3), rel=0.03)
    grid = drawn(Karras(low=20, high=980, grid=True))
    levels = karras_sigma(torch.arange(20, 981, dtype=torch.float64) / 999)
    nearest = (grid[:, None].log() - levels.log()).abs().min(dim=1).values
    assert float(nearest.max()) < 1e-6
    assert len(grid.unique()) == 961
    whole = drawn(Karras(high=800))
    assert float(whole.max()) <= float(karras_sigma(torch.tensor(0.8, dtype=torch.float64)))


def test_a_draw_noises_each_image_at_its_own_level() -> None:
    images, noise = random_images(2)
    sigma = torch.arange(1.0, 6.0, dtype=torch.float64)
    noisy = Draw(sigma, noise, None).diffuse(images)
    torch.testing.assert_close(noisy[3], images[3] + 4 * noise[3])
