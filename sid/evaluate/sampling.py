"""Images from networks: sample i depends on (seed, i) alone, never on how many are drawn."""

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sid.networks import EDMPrecond
from sid.networks.precond import one_step
from sid.streams import Stream
from sid.teacher.sampler import Churn, heun, step_noise

CHUNK = 250  # Always whole chunks: a network may round otherwise at another batch size.


def to_uint8(x: Tensor) -> Tensor:
    """Images in [-1, 1] as uint8, as EDM's `generate.py` rounds them."""
    return (x * 127.5 + 128).clip(0, 255).to(torch.uint8)


def _sample(
    network: EDMPrecond, n: int, seed: int, draw: Callable[[Tensor, Tensor | None, int], Tensor]
) -> NDArray[np.uint8]:
    """The first `n` images of a seed, [n, C, H, W].

    `draw` makes images of latents, labels and the index of the first.
    """
    shape, classes = network.architecture.image_shape, network.architecture.label_dim
    device = next(network.parameters()).device
    latents, labels = Stream(seed, "samples"), Stream(seed, "sample labels")
    images = []
    with torch.inference_mode():
        for start in range(0, n, CHUNK):
            z = latents.normal(start, start + CHUNK, shape).to(device)
            one_hot = None
            if classes:
                drawn = labels.integers(start, start + CHUNK, classes).to(device)
                one_hot = F.one_hot(drawn, classes).float()
            images.append(to_uint8(draw(z, one_hot, start)).cpu())
    sampled: NDArray[np.uint8] = torch.cat(images)[:n].numpy()
    return sampled


def sample_generator(
    network: EDMPrecond, n: int, seed: int, sigma_init: float
) -> NDArray[np.uint8]:
    """One-step samples G(z) (SiD, section 5); labels are uniform where the network takes any.

    Args:
        network: the generator, in evaluation mode.
        n: how many.
        seed: of latents and labels.
        sigma_init: the noise level that the generator was distilled at.

    Returns:
        uint8, [n, C, H, W].
    """
    return _sample(network, n, seed, lambda z, labels, _: one_step(network, z, sigma_init, labels))


def sample_teacher(
    network: EDMPrecond, n: int, seed: int, steps: int, churn: Churn | None = None
) -> NDArray[np.uint8]:
    """Samples of the Heun sampler (Karras et al. 2022, algorithm 1; with `churn`, algorithm 2).

    Args:
        network: the teacher, in evaluation mode.
        n: how many.
        seed: of latents, labels and churn.
        steps: of the sampler; it evaluates the network 2 * steps - 1 times per image.
        churn: for the stochastic sampler.

    Returns:
        uint8, [n, C, H, W].
    """
    shape = network.architecture.image_shape

    def draw(z: Tensor, labels: Tensor | None, start: int) -> Tensor:
        noise = step_noise(seed, start, start + len(z), shape)
        return heun(network, z, steps, labels, churn=churn, noise=noise)

    return _sample(network, n, seed, draw)
