"""Are generated images copies of training images? What a Frechet distance cannot see.

Authenticity (Alaa et al. 2022, section 3.3): a generated image is authentic when it is farther from
its nearest training image than that one is from its own nearest other training image.
"""

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sid.data.images import Images
from sid.evaluate.features.moments import Array
from sid.evaluate.metrics.metric import Comparison, Metric, Value, indexed
from sid.evaluate.metrics.neighbours import (
    NEIGHBOURS,
    Features,
    Index,
    Manifold,
    manifold_of,
    nearest,
)
from sid.files import write_atomic

PIXELS = 64  # Of one image in the picture, at least.
GAP = 4


class Memorisation(NamedTuple):
    """What was found.

    Attributes:
        authenticity: share of generated images that are authentic: 0 where all are copies.
        stderr: of that, for these training images: sqrt(a (1 - a) / N).
        real: the same share of the training images, each against all the others: what new images
            of their distribution come near. It depends on the data (0.5 for digits, 0.8 for a
            Gaussian in 64 dimensions), so a share says something only beside it.
        nearest: the nearest training image of each generated one, int64 [N].
        distance: how far that is, in feature space, float64 [N].
        ratio: that over the training image's distance from its own nearest other, float64 [N];
            0 for exact copies, infinite for others beside a training image that is there twice.
    """

    authenticity: float
    stderr: float
    real: float
    nearest: Index
    distance: Array
    ratio: Array

    def suspects(self, count: int) -> Index:
        """Numbers of the `count` generated images of the smallest ratio, the smallest first."""
        return self.ratio.argsort(kind="stable")[:count]


def memorisation(generated: Features, training: Manifold) -> Memorisation:
    """Compare every generated image with every training image, a tile at a time.

    Args:
        generated: features [N, d], indexed like an array.
        training: all images that the generator was trained on, two neighbours each at least.
    """
    squared, numbers = nearest(generated, training.features, 1)
    found, index = squared[:, 0], numbers[:, 0]
    own = training.squared[index, 0]
    share = float((found > own).mean())
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(found > 0, np.sqrt(found / own), 0)
    error = math.sqrt(share * (1 - share) / len(generated))
    return Memorisation(share, error, _level(training), index, np.sqrt(found), ratio)


def _level(training: Manifold) -> float:
    """Authenticity of the training images, each taken out of the set before it is compared."""
    neighbour = training.nearest
    # Where two are each other's nearest, the neighbour's next is what it has without this one.
    mutual = training.nearest[neighbour] == np.arange(len(neighbour))
    without = np.where(mutual, training.squared[neighbour, 1], training.squared[neighbour, 0])
    return float((training.squared[:, 0] > without).mean())


def compute(asked: Comparison) -> list[Value]:
    """Authenticity, the reference being the training images (see `Metric.compute`)."""
    found = memorisation(indexed(asked.generated.features), manifold_of(asked))
    return [Value("authenticity", found.authenticity, found.stderr, "images")]


METRICS = (Metric("authenticity", compute, least=NEIGHBOURS + 1, limits=(0.0, 1.0), higher=True),)


def write_pairs(
    path: Path, generated: Images, training: Images, found: Memorisation, count: int = 32
) -> None:
    """Write a PNG of the most suspicious images, each left of its nearest training image.

    Pairs stand in rows, the smallest ratio first, enlarged by whole pixels.
    """
    suspects = found.suspects(count)
    factor = max(1, -(-PIXELS // generated.shape[3]))
    pairs = np.concatenate([generated[suspects], training[found.nearest[suspects]]], axis=3)
    large = pairs.repeat(factor, axis=2).repeat(factor, axis=3)
    across = max(1, math.isqrt(len(suspects) // 2))
    blank = np.full((-len(suspects) % across, *large.shape[1:]), 255, np.uint8)
    framed = np.pad(
        np.concatenate([large, blank]),
        ((0, 0), (0, 0), (GAP, GAP), (GAP, GAP)),
        constant_values=255,
    )
    n, channels, height, width = framed.shape
    grid: NDArray[np.uint8] = (
        framed.reshape(n // across, across, channels, height, width)
        .transpose(0, 3, 1, 4, 2)
        .reshape(n // across * height, across * width, channels)
    )
    image = Image.fromarray(grid[:, :, 0] if channels == 1 else grid)
    write_atomic(path, lambda temporary: image.save(temporary, "png"))
