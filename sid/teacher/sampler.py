"""EDM's deterministic sampler (Karras et al. 2022, algorithm 1)."""

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

Denoiser = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def sigma_steps(steps: int, sigma_min: float, sigma_max: float, rho: float) -> Tensor:
    """Noise levels sigma_0 = sigma_max > ... > sigma_{steps-1} = sigma_min, then 0 (eq. 5).

    Returns:
        [steps + 1], float64.
    """
    if steps == 1:
        return torch.tensor([sigma_max, 0.0], dtype=torch.float64)
    index = torch.arange(steps, dtype=torch.float64) / (steps - 1)
    low, high = sigma_min ** (1 / rho), sigma_max ** (1 / rho)
    return torch.cat([(high + index * (low - high)) ** rho, torch.zeros(1, dtype=torch.float64)])


def heun(
    denoiser: Denoiser,
    latents: Tensor,
    steps: int,
    labels: Tensor | None = None,
    *,
    sigma_min: float = 0.002,
    sigma_max: float = 80.0,
    rho: float = 7.0,
) -> Tensor:
    """Sample with Heun's second-order method; the state is kept in float64 as in the paper's code.

    Args:
        denoiser: D(x, sigma, labels) with sigma of [B].
        latents: standard normal, [B, C, H, W].
        steps: noise levels; takes 2 steps - 1 evaluations (18 for 35).
        labels: one-hot classes, [B, K], or None.
        sigma_min: lowest noise level before 0.
        sigma_max: highest noise level.
        rho: how the levels crowd at the low end.

    Returns:
        Images, [B, C, H, W], float32.
    """

    def slope(x: Tensor, sigma: Tensor) -> Tensor:
        level = sigma.float().expand(len(x)).to(latents.device)
        return (x - denoiser(x.float(), level, labels).double()) / sigma  # eq. 4

    sigmas = sigma_steps(steps, sigma_min, sigma_max, rho).to(latents.device)
    x = latents.double() * sigmas[0]
    for now, after in itertools.pairwise(sigmas):
        first = slope(x, now)
        euler = x + (after - now) * first
        x = x + (after - now) * 0.5 * (first + slope(euler, after)) if after > 0 else euler
    return x.float()
