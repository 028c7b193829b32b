"""Heun's sampler on a Gaussian, whose score and whose trajectory are known exactly."""

import itertools

import pytest
import torch
from torch import Tensor

from sid.teacher.sampler import heun, sigma_steps

STD = 0.5


def exact_denoiser(x: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
    """E[y | x] for y ~ N(0, STD^2)."""
    return x * (STD**2 / (STD**2 + sigma**2))[:, None, None, None]


def exact_end(latents: Tensor) -> Tensor:
    """The probability-flow ODE carries 80 z to z * 80 * STD / sqrt(STD^2 + 80^2)."""
    return latents.double() * 80 * STD / (STD**2 + 80.0**2) ** 0.5


def error(steps: int) -> float:
    latents = torch.randn(64, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    end = heun(exact_denoiser, latents, steps)
    return float((end - exact_end(latents)).norm() / exact_end(latents).norm())


def test_eighteen_steps_are_algorithm_1() -> None:
    """On a linear denoiser a step is a factor, worked out here by hand."""
    levels = sigma_steps(18, 0.002, 80.0, 7.0).tolist()
    factor = levels[0]
    for now, after in itertools.pairwise(levels):
        slope = now / (STD**2 + now**2)  # (1 - D / x) / sigma
        euler = 1 + (after - now) * slope
        again = euler * after / (STD**2 + after**2)
        factor *= 1 + (after - now) * 0.5 * (slope + again) if after else euler
    latents = torch.randn(64, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    end = heun(exact_denoiser, latents, 18)
    torch.testing.assert_close(end.double(), latents.double() * factor, rtol=1e-5, atol=1e-9)
    assert error(18) < 0.06


def test_second_order() -> None:
    """Twice the steps, a quarter of the error."""
    assert error(40) / error(80) == pytest.approx(4, rel=0.2)


def test_evaluations_are_two_per_step_less_one() -> None:
    calls = []

    def counting(x: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
        calls.append(float(sigma[0]))
        return exact_denoiser(x, sigma, labels)

    heun(counting, torch.zeros(1, 1, 2, 2), 18)
    assert len(calls) == 35
    assert calls[0] == pytest.approx(80)
    assert calls[-1] == pytest.approx(0.002)


def test_one_step_is_the_denoised_noise() -> None:
    latents = torch.randn(3, 1, 2, 2)
    expected = exact_denoiser(80 * latents, torch.full((3,), 80.0), None)
    torch.testing.assert_close(heun(exact_denoiser, latents, 1), expected, rtol=1e-4, atol=1e-7)


def test_levels_follow_eq_5() -> None:
    levels = sigma_steps(18, 0.002, 80.0, 7.0)
    assert len(levels) == 19
    assert levels[0] == pytest.approx(80)
    assert levels[17] == pytest.approx(0.002)
    assert levels[18] == 0
    assert levels[1] == pytest.approx(57.586, rel=1e-4)


def test_labels_reach_the_denoiser() -> None:
    seen = []

    def remember(x: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
        seen.append(labels)
        return x

    labels = torch.eye(2)
    heun(remember, torch.zeros(2, 1, 2, 2), 2, labels)
    assert all(item is labels for item in seen)
