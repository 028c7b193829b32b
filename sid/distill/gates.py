"""What stops a run that goes wrong, before it has cost weeks.

The generator's loss oscillates around zero and tells nothing, so the gates look at what the
averaged generator makes of one fixed noise, at what had to be thrown away, and at the memory.
"""

import psutil
import torch
from pydantic import Field, PositiveFloat
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d

from sid.config import Strict

PROBE = 64  # Images of the fixed noise that are looked at.
WINDOW = 100  # Updates over which dropped images and mended gradients are counted.


class Gates(Strict):
    """Bounds; null switches a gate off.

    Attributes:
        max_dropped: share of the images of 100 updates that were left out as not finite.
        max_sanitised: share of 100 updates whose gradients were not finite.
        min_spread: standard deviation over images, as a share of the data's: below it the generator
            makes one image.
        max_roughness: mean difference of neighbouring pixels, as a multiple of the data's: above it
            the generator makes noise.
        band_kimg: from these thousand images on ...
        band: ... `distance` is at most this multiple of what it was at image 0.
        max_memory: share of the machine's memory that this process may hold (a container's own
            limit is not looked at).
    """

    max_dropped: float | None = Field(0.05, ge=0, le=1)
    max_sanitised: float | None = Field(0.5, ge=0, le=1)
    min_spread: PositiveFloat | None = 0.1
    max_roughness: PositiveFloat | None = 5.0
    band_kimg: PositiveFloat = 20.0
    band: PositiveFloat | None = 1.5
    max_memory: float | None = Field(0.9, gt=0, le=1)


def spread(images: Tensor) -> float:
    """Standard deviation over images, [B, C, H, W], mean over pixels."""
    return images.std(dim=0).mean().item()


def roughness(images: Tensor) -> float:
    """Mean absolute difference of each pixel from the mean of the 3 x 3 around it."""
    smooth = avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    return (images - smooth).abs().mean().item()


def distance(images: Tensor, real: Tensor) -> float:
    """Frechet distance of Gaussians with diagonal covariance fitted to images pooled to 4 x 4.

    It needs no feature extractor and tells only what is grossly wrong.
    """
    a, b = (adaptive_avg_pool2d(x, 4).flatten(1).double() for x in (images, real))
    means = (a.mean(0) - b.mean(0)).square().sum()
    return (means + (a.std(0) - b.std(0)).square().sum()).item()


class Watch:
    """The gates of one run, with what they remember: two counts, and the distance at image 0.

    Args:
        gates: the bounds.
        real: real images in [-1, 1], [B, C, H, W].
        batch: images per update.
    """

    def __init__(self, gates: Gates, real: Tensor, batch: int) -> None:
        self.gates, self.real, self.batch = gates, real, batch
        self.dropped = torch.zeros((), dtype=torch.int64)
        self.sanitised = torch.zeros((), dtype=torch.int64)

    def count(self, images: int, dropped: int, sanitised: int) -> None:
        """Note one update that ends at `images`."""
        if (images // self.batch) % WINDOW == 1:
            self.dropped.zero_()
            self.sanitised.zero_()
        self.dropped += dropped
        self.sanitised += sanitised

    def counted(self, images: int) -> str:
        """Judge the counts and, now and then, the memory; the reason to stop, or nothing."""
        dropped, sanitised = self.dropped.item(), self.sanitised.item()
        # Both networks see `batch` images an update.
        limit = self.gates.max_dropped
        if limit is not None and dropped > limit * WINDOW * self.batch * 2:
            return f"{dropped} images not finite in {WINDOW} updates (max_dropped)"
        limit = self.gates.max_sanitised
        if limit is not None and sanitised > limit * WINDOW * 2:
            return f"{sanitised} gradients not finite in {WINDOW} updates (max_sanitised)"
        return self.memory() if (images // self.batch) % WINDOW == 0 else ""

    def look(self, images: int, made: Tensor, first: Tensor) -> str:
        """Judge what the averaged generator makes; the reason to stop, or nothing.

        Args:
            images: images seen.
            made: from the fixed noise, [B, C, H, W].
            first: the same at image 0.
        """
        gates = self.gates
        if gates.min_spread and spread(made) < gates.min_spread * spread(self.real):
            return f"collapse to one image: spread {spread(made):.3g}, that of the data " + (
                f"{spread(self.real):.3g} (min_spread)"
            )
        if gates.max_roughness and roughness(made) > gates.max_roughness * roughness(self.real):
            return f"collapse to noise: roughness {roughness(made):.3g}, that of the data " + (
                f"{roughness(self.real):.3g} (max_roughness)"
            )
        now, then = distance(made, self.real), distance(first, self.real)
        if gates.band and images >= gates.band_kimg * 1000 and now > gates.band * then:
            return f"out of the expected band: distance {now:.3g}, at image 0 {then:.3g} (band)"
        return self.memory()

    def memory(self) -> str:
        """Whether this process holds too much memory; the reason to stop, or nothing."""
        held, whole = psutil.Process().memory_info().rss, psutil.virtual_memory().total
        if self.gates.max_memory and held > self.gates.max_memory * whole:
            return f"{held / 2**30:.3g} GiB of {whole / 2**30:.3g} GiB of memory (max_memory)"
        return ""
