"""Our implementation: float64 moments in one pass, no matrix square root, seeded streams."""

import numpy as np
import torch
from numpy.typing import NDArray

import sid
from sid.data.zips import ImageSet
from sid.evaluate.extractor import Extractor
from sid.evaluate.frechet import FrechetReference
from sid.evaluate.implementation import (
    KERNEL_SUBSETS,
    SCORE_SPLITS,
    Kept,
    Value,
    subset_size,
)
from sid.evaluate.inception_score import inception_score
from sid.evaluate.kernel import kernel_distance
from sid.evaluate.moments import gaussian_of

Features = NDArray[np.float32]


class Ours:
    """Frechet distance, kernel distance and inception score (an `Implementation`)."""

    name = "ours"
    version = sid.__version__

    def __init__(self) -> None:
        self._kept: Kept[tuple[Features, FrechetReference]] = Kept()

    def evaluate(
        self, images: NDArray[np.uint8], reference: ImageSet, extractor: Extractor, seed: int
    ) -> list[Value]:
        """All three metrics (see `Implementation.evaluate`)."""

        def prepare() -> tuple[Features, FrechetReference]:
            real: Features = extractor.features_and_logits(
                torch.from_numpy(np.asarray(reference.images))
            )[0].numpy()
            return real, FrechetReference(gaussian_of(real))

        real, gaussian = self._kept.get(reference, extractor, prepare)
        tensors = extractor.features_and_logits(torch.from_numpy(images))
        features, logits = tensors[0].numpy(), tensors[1].numpy()
        size = subset_size(len(features), len(real))
        kernel = kernel_distance(features, real, KERNEL_SUBSETS, size, seed)
        return [
            Value("frechet_distance", gaussian.distance(gaussian_of(features))),
            Value("kernel_distance", kernel.value, kernel.stderr),
            Value("inception_score", *inception_score(logits, SCORE_SPLITS, seed)),
        ]
