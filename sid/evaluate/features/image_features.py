"""A set of images as an extractor sees it, by one pass over them."""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sid.data.images import ImageSet
from sid.data.rows import Rows
from sid.evaluate.extractors import Extractor
from sid.evaluate.features.moments import Array, Gaussian, Moments
from sid.progress import Progress
from sid.runs.precision import full_float32

CAP = 100_000  # Features and logits are kept of so many images at most: 0.8 GB at d = 2048.


@dataclass
class RawSums:
    """Sums of f and of f f^T in float64, as EDM's `fid.py` takes them."""

    first: Array
    second: Array
    count: int = 0

    def add(self, features: NDArray[np.floating]) -> None:
        """Take in features [n, d]."""
        chunk = features.astype(np.float64)
        self.first += chunk.sum(axis=0)
        self.second += chunk.T @ chunk
        self.count += len(chunk)


class ImageFeatures:
    """Moments, features and logits of a set of images, made by one pass when first asked for.

    Args:
        images: the set; it is never in memory as a whole.
        extractor: of features and logits.
        folder: for features and logits, which lie in files and not in memory.
        progress: advanced by the images as they pass.

    Attributes:
        count: N.
    """

    def __init__(
        self,
        images: ImageSet,
        extractor: Extractor,
        folder: Path,
        progress: Progress | None = None,
    ) -> None:
        extractor.check(images.shape[1:])
        self.images, self.extractor, self.count = images, extractor, len(images)
        self._folder, self._progress = folder, progress

    @property
    def gaussian(self) -> Gaussian:
        """Mean and covariance (divisor N - 1) of the features of all images, float64."""
        return self._pass[0].gaussian()

    @property
    def raw(self) -> RawSums:
        """The same as sums."""
        return self._pass[1]

    @property
    def features(self) -> Rows:
        """Features of the first `CAP` images, float32 [n, d], in a file."""
        return self._pass[2]

    @property
    def logits(self) -> Rows:
        """Logits of the first `CAP` images, float32 [n, K], in a file."""
        return self._pass[3]

    def of_chunk(self, images: Tensor) -> tuple[Tensor, Tensor] | None:
        """Features and logits of images that are a chunk of the pass, byte for byte; else None."""
        start = self._pass[4].get(_digest(images)) if images.dtype == torch.uint8 else None
        if start is None:
            return None
        stop = start + len(images)
        return torch.from_numpy(self.features[start:stop]), torch.from_numpy(
            self.logits[start:stop]
        )

    @cached_property
    def _pass(self) -> tuple[Moments, RawSums, Rows, Rows, dict[bytes, int]]:
        width, kept = self.extractor.width, min(self.count, CAP)
        moments = Moments(width)
        raw = RawSums(np.zeros(width), np.zeros((width, width)))
        self._folder.mkdir(parents=True, exist_ok=True)
        features, logits = (
            Rows(self._folder / name, np.float32, (kept, columns), writable=True)
            for name, columns in (("features", width), ("logits", self.extractor.classes))
        )
        chunk = self.extractor.chunk
        starts: dict[bytes, int] = {}
        with full_float32(), torch.inference_mode():
            for start in range(0, self.count, chunk):
                images = torch.from_numpy(self.images.images[start : start + chunk])
                found = [part.cpu().numpy() for part in self.extractor.features_and_logits(images)]
                self._check(found[0], start)
                moments.add(found[0])
                raw.add(found[0])
                if start + len(images) <= kept:
                    starts[_digest(images)] = start
                if start < kept:
                    features.write(start, found[0][: kept - start])
                    logits.write(start, found[1][: kept - start])
                if self._progress:
                    self._progress.advance(len(images))
        return moments, raw, features, logits, starts

    def _check(self, features: NDArray[np.float32], start: int) -> None:
        if not math.isfinite(float(np.abs(features).sum(dtype=np.float64))):
            raise ValueError(
                f"{self.extractor.name}: a feature is not finite at image {start} or after"
            )


def _digest(images: Tensor) -> bytes:
    """Of their number, shape and bytes."""
    return hashlib.sha256(repr(images.shape).encode() + images.cpu().numpy().tobytes()).digest()


def features_and_logits(images: Tensor, *sides: ImageFeatures) -> tuple[Tensor, Tensor]:
    """What an extractor gives for a chunk that a library hands to it.

    The same bytes have the same features: those that a side has are read, not computed again.

    Args:
        images: as of `Extractor.features_and_logits`.
        sides: sets with the same extractor, from which the images may come.
    """
    for side in sides:
        if found := side.of_chunk(images):
            return found
    return sides[0].extractor.features_and_logits(images)
