"""EDM's denoising loss (Karras et al. 2022, arXiv 2206.00364, section 5)."""

import torch
from torch import Tensor


def log_normal_sigma(normal: Tensor, p_mean: float, p_std: float) -> Tensor:
    """Noise levels with ln(sigma) ~ N(p_mean, p_std^2), from standard normals of any shape."""
    return torch.exp(normal * p_std + p_mean)


def edm_weight(sigma: Tensor, sigma_data: float) -> Tensor:
    """lambda(sigma) = (sigma^2 + sigma_data^2) / (sigma sigma_data)^2 (table 1)."""
    return (sigma**2 + sigma_data**2) / (sigma * sigma_data) ** 2


def denoising_loss(denoised: Tensor, clean: Tensor, sigma: Tensor, sigma_data: float) -> Tensor:
    """lambda(sigma) ||D(y + n; sigma) - y||^2, summed over pixels (eq. 2 with table 1's weight).

    Args:
        denoised: D(y + n; sigma), [B, C, H, W].
        clean: y, [B, C, H, W].
        sigma: noise levels, [B].
        sigma_data: standard deviation of the data.

    Returns:
        One loss per image, [B].
    """
    return edm_weight(sigma, sigma_data) * (denoised - clean).square().sum(dim=(1, 2, 3))
