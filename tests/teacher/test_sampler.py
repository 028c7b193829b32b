"""Heun's sampler on a Gaussian, whose score and whose trajectory are known exactly."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sid.teacher.sampler import PUBLISHED_SAMPLERS, Churn, heun, sigma_steps, step_noise

FIXTURE = Path(__file__).parent / "fixtures" / "sampler.npz"

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


def test_parity_with_the_official_sampler() -> None:
    with np.load(FIXTURE) as file:
        latents, noise, out, plain = (
            torch.from_numpy(file[key]) for key in ("latents", "noise", "out", "plain")
        )

    def denoiser(x: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
        return torch.tanh(x / (sigma[:, None, None, None] ** 2 + 0.1))

    churn = Churn(3, 0.05, 50, 1.003)
    ours = heun(denoiser, latents, 12, churn=churn, noise=lambda step: noise[step])
    torch.testing.assert_close(ours, out.float(), rtol=1e-6, atol=1e-6)
    torch.testing.assert_close(heun(denoiser, latents, 12), plain.float(), rtol=1e-6, atol=1e-6)
    assert (out - plain).abs().max() > 0.1


def test_churn_keeps_a_gaussian() -> None:
    """Whatever the churn, samples have the mean and the spread of the data."""
    mean, n = 0.3, 4000

    def denoiser(x: Tensor, sigma: Tensor, labels: Tensor | None) -> Tensor:
        return mean + exact_denoiser(x - mean, sigma, labels)

    latents = torch.randn(n, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    noise = step_noise(0, 0, n, (1, 1, 1))
    plain = heun(denoiser, latents, 64)
    for amount in (20, 1000):  # The second is held at sqrt(2) - 1 of each level.
        images = heun(denoiser, latents, 64, churn=Churn(amount), noise=noise)
        assert float(images.mean()) == pytest.approx(mean, abs=4 * STD / math.sqrt(n))
        assert float(images.std()) == pytest.approx(STD, rel=4 / math.sqrt(2 * n))
        # Much noise makes the end forget the beginning.
        kept = float(torch.corrcoef(torch.stack([images.flatten(), plain.flatten()]))[0, 1])
        assert abs(kept) < 0.06 if amount == 1000 else kept < 0.9


def test_no_churn_is_the_deterministic_sampler() -> None:
    latents = torch.randn(3, 1, 2, 2)
    noise = step_noise(0, 0, 3, (1, 2, 2))
    plain = heun(exact_denoiser, latents, 18)
    for churn in (Churn(), Churn(0, 0.05, 50, 1.003), Churn(40, low=100)):
        assert torch.equal(heun(exact_denoiser, latents, 18, churn=churn, noise=noise), plain)


def test_a_sample_does_not_depend_on_its_batch() -> None:
    latents, shape = torch.randn(7, 1, 2, 2), (1, 2, 2)
    churn = PUBLISHED_SAMPLERS["imagenet-64x64"][1]

    def sample(start: int, stop: int) -> Tensor:
        noise = step_noise(4, start, stop, shape)
        return heun(exact_denoiser, latents[start:stop], 9, churn=churn, noise=noise)

    assert torch.equal(sample(0, 7), torch.cat([sample(0, 2), sample(2, 3), sample(3, 7)]))
    first, second = (step_noise(4, 0, 7, shape)(step) for step in (0, 1))
    assert not torch.equal(first, second)


def test_published_evaluations() -> None:
    """The numbers of network evaluations that the README of NVlabs/edm names."""
    found = {
        name.partition("-")[0]: (2 * steps - 1, churn.amount)
        for name, (steps, churn) in PUBLISHED_SAMPLERS.items()
    }
    assert found == {"cifar10": (35, 0), "ffhq": (79, 0), "afhqv2": (79, 0), "imagenet": (511, 40)}
