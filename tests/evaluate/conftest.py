"""Digits, noisy digits and one extractor, made once."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from sid.data.images import ImageSet
from sid.data.sets.digits import digits
from sid.evaluate.extractors import Extractor, train_extractor

# Such small matrices gain nothing from threads, and lose much where cores are shared.
torch.set_num_threads(1)
threadpool_limits(1)


@pytest.fixture(scope="package")
def reference() -> ImageSet:
    images, labels = digits()
    return ImageSet("digits", images, labels, "d" * 64)


@pytest.fixture(scope="package")
def extractor(reference: ImageSet) -> Extractor:
    return train_extractor(reference, seed=0)


@pytest.fixture(scope="package")
def noisy(reference: ImageSet) -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    images = reference.images[rng.integers(0, len(reference.images), 1200)]
    noise = rng.normal(0, 30, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)
