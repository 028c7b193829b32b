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
from sid.runs.loop import Problem

PROBE = 64  # Images of the fixed noise that are looked at.
APART = 0.1  # What begins nearer to white noise than this, in `pixel_noise`, is not judged by it.
WINDOW = 100  # Steps over which dropped images and mended gradients are counted.


class Gates(Strict):
    """Bounds; null switches a gate off. What they let pass and stop is measured (docs/training.md).

    Attributes:
        max_dropped: share of the images of 100 steps that were left out as not finite.
        max_sanitised: share of the updates of 100 steps whose gradients were not finite.
        min_spread: standard deviation over images, as a share of the data's: below it the generator
            makes one image.
        max_noise: how far the generated images may go from the data, at 0, to white noise, at 1,
            in the share of their variance that is in single pixels.
        max_distance: `distance` of the generated images from the data, as a multiple of what one
            grey picture reads, the mean of the data, or of what image 0 read if that was more.
        max_memory: share of the machine's memory that this process may hold (a container's own
            limit is not looked at).
    """

    max_dropped: float | None = Field(0.05, ge=0, le=1)
    max_sanitised: float | None = Field(0.5, ge=0, le=1)
    min_spread: PositiveFloat | None = 0.1
    max_noise: float | None = Field(0.7, gt=0, lt=1)
    max_distance: PositiveFloat | None = 5.0
    max_memory: float | None = Field(0.9, gt=0, le=1)


def spread(images: Tensor) -> float:
    """Standard deviation over images, [B, C, H, W], mean over pixels."""
    return images.std(dim=0).mean().item()


def pixel_noise(images: Tensor) -> float:
    """Share of the variance over images that the mean of 3 x 3 pixels takes away; 0 without any.

    Smooth images are near 0; white noise has `white_noise`, whatever its strength.
    """
    images = images.double()  # So that the same image again and again has no variance at all.
    varying = images - images.mean(dim=0)
    rest = varying - _smooth(varying)
    return (rest.square().sum() / varying.square().sum().clamp_min(1e-30)).item()


def white_noise(images: Tensor) -> float:
    """`pixel_noise` of white noise in the shape of `images`: 8 / 9, and less at the edges."""
    ones = torch.ones_like(images[:1])
    inside = avg_pool2d(ones, 3, stride=1, padding=1)  # Pixels of the 3 x 3 that exist, over 9.
    return (1 - 1 / (9 * inside)).mean().item()


def _smooth(images: Tensor) -> Tensor:
    return avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)


def distance(images: Tensor, real: Tensor) -> float:
    """Frechet distance of Gaussians with diagonal covariance fitted to images pooled to 4 x 4.

    It needs no feature extractor and tells only what is grossly wrong.
    """
    a, b = (_pooled(x) for x in (images, real))
    means = (a.mean(0) - b.mean(0)).square().sum()
    return (means + (a.std(0) - b.std(0)).square().sum()).item()


def grey(real: Tensor) -> float:
    """The `distance` of one picture, the mean of the data, from the data: their variance."""
    return _pooled(real).var(0).sum().item()


def _pooled(images: Tensor) -> Tensor:
    return adaptive_avg_pool2d(images, 4).flatten(1).double()


class Watch:
    """The gates of one run, what they compare with, and two counts.

    Args:
        gates: the bounds.
        real: real images in [-1, 1], [B, C, H, W].
        first: what the generator makes of the fixed noise at image 0, [B, C, H, W].
        batch: images per update.
        updates: of networks in a step, on average.
    """

    def __init__(
        self, gates: Gates, real: Tensor, first: Tensor, batch: int, updates: float
    ) -> None:
        self.gates, self.real, self.batch = gates, real, batch
        self.window = round(WINDOW * updates)  # Updates of networks, each of `batch` images.
        # What the run begins with is no fault of its own: a start may be blurred, noisy or far off.
        self.least_spread = min(spread(real), 5 * spread(first))
        self.least_noise = max(pixel_noise(real), pixel_noise(first))
        self.white = white_noise(real)
        self.farthest = max(grey(real), distance(first, real))
        self.dropped = torch.zeros((), dtype=torch.int64)
        self.sanitised = torch.zeros((), dtype=torch.int64)

    def count(self, images: int, dropped: int, sanitised: int) -> None:
        """Note one step that ends at `images`."""
        if (images // self.batch) % WINDOW == 1:
            self.dropped.zero_()
            self.sanitised.zero_()
        self.dropped += dropped
        self.sanitised += sanitised

    def counts_problem(self) -> Problem | None:
        """Judge the counts of the updates since the last multiple of 100."""
        gates = self.gates
        for key, found, bound, what in (
            ("max_dropped", self.dropped, gates.max_dropped, "images"),
            ("max_sanitised", self.sanitised, gates.max_sanitised, "gradients"),
        ):
            of = self.window * self.batch if what == "images" else self.window
            if bound is not None and found.item() > bound * of:
                share = f"{found.item()} of the {of} {what} of {WINDOW} steps are not finite"
                return Problem(key, f"{share}, which is above the share {bound:g} ({key})")
        return None

    def images_problem(self, made: Tensor) -> Problem | None:
        """Judge what the averaged generator makes."""
        gates = self.gates
        if gates.min_spread is not None:
            found, bound = spread(made), gates.min_spread * self.least_spread
            if not found >= bound:
                said = f"all images are alike: their spread {found:.3g} is below {bound:.3g}"
                return Problem("min_spread", f"{said} (min_spread)")
        if gates.max_noise is not None and self.white - self.least_noise > APART:
            found = pixel_noise(made)
            bound = self.least_noise + gates.max_noise * (self.white - self.least_noise)
            if not found <= bound:
                said = f"the images are noise: their pixel noise {found:.3g} is above {bound:.3g}"
                return Problem("max_noise", f"{said} (max_noise)")
        if gates.max_distance is not None:
            found, bound = distance(made, self.real), gates.max_distance * self.farthest
            if not found <= bound:
                said = f"the images are far from the data: their distance {found:.3g} is above "
                return Problem("max_distance", f"{said}{bound:.3g} (max_distance)")
        return None

    def memory_problem(self) -> Problem | None:
        """Judge the memory that this process holds."""
        held, whole = psutil.Process().memory_info().rss, psutil.virtual_memory().total
        share = self.gates.max_memory
        if share is None or held <= share * whole:
            return None
        said = f"the process holds {held / 2**30:.3g} of the {whole / 2**30:.3g} GiB of memory"
        return Problem("max_memory", f"{said}, which is above the share {share:g} (max_memory)")
