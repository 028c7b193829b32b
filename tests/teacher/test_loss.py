"""EDM's loss against its closed form for Gaussians."""

import pytest
import torch

from sid.teacher.loss import denoising_loss, edm_weight, log_normal_sigma


def test_weight_balances_the_network_output() -> None:
    """The weight is 1 / c_out^2, so that the raw network has a loss of unit scale everywhere."""
    sigma = torch.tensor([0.002, 0.5, 80.0], dtype=torch.float64)
    c_out = sigma * 0.5 / (sigma**2 + 0.25).sqrt()
    torch.testing.assert_close(edm_weight(sigma, 0.5), 1 / c_out**2)


def test_best_denoiser_of_a_gaussian_costs_one_per_pixel() -> None:
    """With D = E[y | x] and y ~ N(0, sigma_data^2), weight * variance of y given x is 1."""
    generator = torch.Generator().manual_seed(0)
    clean = 0.5 * torch.randn(400, 1, 16, 16, generator=generator)
    sigma = log_normal_sigma(torch.randn(400, generator=generator), -1.2, 1.2)
    noisy = clean + sigma[:, None, None, None] * torch.randn(clean.shape, generator=generator)
    denoised = noisy * (0.25 / (0.25 + sigma**2))[:, None, None, None]
    loss = denoising_loss(denoised, clean, sigma, 0.5)
    assert loss.shape == (400,)
    assert float(loss.mean()) == pytest.approx(256, rel=0.01)


def test_sigma_is_log_normal() -> None:
    normal = torch.tensor([-1.0, 0.0, 1.0])
    torch.testing.assert_close(log_normal_sigma(normal, -1.2, 1.2).log(), normal * 1.2 - 1.2)
