"""Images from networks: sample i depends on (seed, i) alone, never on how many are drawn."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from sid.errors import UserError
from sid.evaluate.labels import Counts, LabelRule
from sid.networks import EDMPrecond
from sid.networks.precond import one_step
from sid.runs.folder import RunFolder, snapshot_at
from sid.runs.precision import full_float32
from sid.streams import Stream
from sid.teacher.sampler import PUBLISHED_SAMPLERS, Churn, heun, step_noise

CHUNK = 250  # Always whole chunks: a network may round otherwise at another batch size.


def to_uint8(x: Tensor) -> Tensor:
    """Images in [-1, 1] as uint8, as EDM's `generate.py` rounds them."""
    return (x * 127.5 + 128).clip(0, 255).to(torch.uint8)


class Sampler:
    """The images of one network and one seed, by number.

    Args:
        network: in evaluation mode.
        seed: of latents and labels.
        make: images in [-1, 1] of latents, one-hot labels and the number of the first.
        counts: as of `LabelRule`.

    Attributes:
        shape: (C, H, W).
        rule: how the classes are drawn.

    Raises:
        UserError: `counts` are of another number of classes than the network takes.
    """

    def __init__(
        self,
        network: EDMPrecond,
        seed: int,
        make: Callable[[Tensor, Tensor | None, int], Tensor],
        counts: Counts = (),
    ) -> None:
        self.shape = network.architecture.image_shape
        self.rule = LabelRule(network.architecture.label_dim, counts)
        self._device = next(network.parameters()).device
        self._latents, self._labels = Stream(seed, "samples"), Stream(seed, "sample labels")
        self._make = make

    def draw(self, start: int, stop: int) -> NDArray[np.uint8]:
        """Images `start` to `stop`, uint8 [stop - start, C, H, W], in one forward."""
        with full_float32(), torch.inference_mode():
            z = self._latents.normal(start, stop, self.shape).to(self._device)
            one_hot = None
            if self.rule.classes:
                labels = self.rule.draw(self._labels, start, stop).to(self._device)
                one_hot = F.one_hot(labels, self.rule.classes).float()
            images: NDArray[np.uint8] = to_uint8(self._make(z, one_hot, start)).cpu().numpy()
        return images

    def chunks(self, n: int, size: int = CHUNK) -> Iterator[NDArray[np.uint8]]:
        """The first `n` images, chunk by chunk."""
        for start in range(0, n, size):
            yield self.draw(start, start + size)[: n - start]

    def first(self, n: int) -> NDArray[np.uint8]:
        """The first `n` images in memory, [n, C, H, W]."""
        return np.concatenate(list(self.chunks(n)))


def sample_generator(
    network: EDMPrecond, seed: int, sigma_init: float, counts: Counts = ()
) -> Sampler:
    """One-step samples G(z) (SiD, section 5).

    Args:
        network: the generator, in evaluation mode.
        seed: of latents and labels.
        sigma_init: the noise level that the generator was distilled at.
        counts: as of `LabelRule`.
    """

    def make(z: Tensor, labels: Tensor | None, _: int) -> Tensor:
        return one_step(network, z, sigma_init, labels)

    return Sampler(network, seed, make, counts)


def sample_teacher(
    network: EDMPrecond, seed: int, steps: int, churn: Churn | None = None, counts: Counts = ()
) -> Sampler:
    """Samples of the Heun sampler (Karras et al. 2022, algorithm 1; with `churn`, algorithm 2).

    Args:
        network: the teacher, in evaluation mode.
        seed: of latents, labels and churn.
        steps: of the sampler; it evaluates the network 2 * steps - 1 times per image.
        churn: for the stochastic sampler.
        counts: as of `LabelRule`.
    """
    shape = network.architecture.image_shape

    def make(z: Tensor, labels: Tensor | None, start: int) -> Tensor:
        noise = step_noise(seed, start, start + len(z), shape)
        return heun(network, z, steps, labels, churn=churn, noise=noise)

    return Sampler(network, seed, make, counts)


def weights_at(path: Path) -> Path | None:
    """The weights file that `path` is or whose run it is; None where it holds images."""
    if path.is_dir() and RunFolder(path).manifest.exists():
        return snapshot_at(path)
    return path if path.suffix == ".safetensors" else None


def sampler_for(
    network: Any,
    about: dict[str, Any],
    path: Path,
    steps: int | None,
    sampler: str | None,
    counts: Counts = (),
) -> tuple[Callable[[int], Sampler], int]:
    """What draws images of a network for a seed, and its network evaluations per image.

    Args:
        network: a generator or a teacher.
        about: its metadata.
        path: where it came from.
        steps: of a teacher's sampler; 18 if not given.
        sampler: a key of `PUBLISHED_SAMPLERS`, in place of steps.
        counts: as of `LabelRule`.

    Raises:
        UserError: options of a teacher for a generator, both of them, or an unknown one.
    """
    if sampler is not None and sampler not in PUBLISHED_SAMPLERS:
        raise UserError(f"--sampler {sampler}: unknown; known are {', '.join(PUBLISHED_SAMPLERS)}")
    if sampler and steps:
        raise UserError("--steps: --sampler says how many; drop one of them")
    if about.get("kind") == "generator":
        if sampler or steps:
            raise UserError(f"{path}: a generator takes one step; drop --sampler and --steps")
        sigma = about.get("sigma_init")
        if not isinstance(sigma, int | float) or not 0 < sigma < math.inf:
            raise UserError(f"{path}: its metadata has no `sigma_init`, a noise level above zero")
        return lambda seed: sample_generator(network, seed, sigma, counts), 1
    count, churn = PUBLISHED_SAMPLERS[sampler] if sampler else (steps or 18, Churn())
    return lambda seed: sample_teacher(network, seed, count, churn, counts), 2 * count - 1
