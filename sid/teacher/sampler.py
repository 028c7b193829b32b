"""EDM's samplers (Karras et al. 2022, arXiv 2206.00364, algorithms 1 and 2)."""

import itertools
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from sid.streams import Stream

Denoiser = Callable[[Tensor, Tensor, Tensor | None], Tensor]


class Churn(NamedTuple):
    """How much noise the stochastic sampler adds before a step (algorithm 2).

    Attributes:
        amount: S_churn, over all steps; 0 is the deterministic sampler.
        low: S_tmin, the lowest noise level that gets any.
        high: S_tmax, the highest.
        noise: S_noise, the standard deviation of the added noise.
    """

    amount: float = 0.0
    low: float = 0.0
    high: float = math.inf
    noise: float = 1.0

    def gamma(self, sigma: float, steps: int) -> float:
        """By which share of itself the noise level `sigma` is raised."""
        return min(self.amount / steps, math.sqrt(2) - 1) if self.low <= sigma <= self.high else 0.0


# Steps and churn that EDM recommends, by data set (README of NVlabs/edm, "For best results").
PUBLISHED_SAMPLERS = {
    "cifar10-32x32": (18, Churn()),
    "ffhq-64x64": (40, Churn()),
    "afhqv2-64x64": (40, Churn()),
    "imagenet-64x64": (256, Churn(40, 0.05, 50, 1.003)),
}


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


def step_noise(seed: int, start: int, stop: int, shape: tuple[int, ...]) -> Callable[[int], Tensor]:
    """The noise of samples `start` to `stop` of a seed: step -> [stop - start, *shape], float32."""
    return lambda step: Stream(seed, f"churn {step}").normal(start, stop, shape)


def heun(
    denoiser: Denoiser,
    latents: Tensor,
    steps: int,
    labels: Tensor | None = None,
    *,
    churn: Churn | None = None,
    noise: Callable[[int], Tensor] | None = None,
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
        churn: for the stochastic sampler.
        noise: with `churn`, what gives each step its standard normal noise, [B, C, H, W].
        sigma_min: lowest noise level before 0.
        sigma_max: highest noise level.
        rho: how the levels crowd at the low end.

    Returns:
        Images, [B, C, H, W], float32.
    """
    churn = churn or Churn()

    def slope(x: Tensor, sigma: Tensor) -> Tensor:
        level = sigma.float().expand(len(x)).to(latents.device)
        return (x - denoiser(x.float(), level, labels).double()) / sigma  # eq. 4

    sigmas = sigma_steps(steps, sigma_min, sigma_max, rho).to(latents.device)
    x = latents.double() * sigmas[0]
    for step, (now, after) in enumerate(itertools.pairwise(sigmas)):
        if gamma := churn.gamma(float(now), steps):
            assert noise is not None
            raised = now + gamma * now
            added = (raised**2 - now**2).sqrt() * churn.noise
            x, now = x + added * noise(step).to(x), raised
        first = slope(x, now)
        euler = x + (after - now) * first
        x = x + (after - now) * 0.5 * (first + slope(euler, after)) if after > 0 else euler
    return x.float()
