"""clean-fid (Parmar et al. 2022) through the public functions of `cleanfid.fid`.

Images are handed over in memory, by `get_model_features`, which clean-fid has for generators: from
a folder of files the same features come, bit for bit, and slowly (a zip is no way, as
clean-fid reads its entries in an order that changes from process to process).
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sid.data.zips import ImageSet
from sid.evaluate.compat import clean_fid
from sid.evaluate.extractor import CHUNK, Extractor
from sid.evaluate.implementation import KERNEL_SUBSET_SIZE, KERNEL_SUBSETS, Kept, Value

CPU = torch.device("cpu")


def no_resize(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Our extractor takes the images' own size."""
    return image


def feature_function(extractor: Extractor) -> Callable[[Tensor], Tensor]:
    """The extractor as clean-fid calls it: images [B, C, H, W] in 0 .. 255 to features [B, 64].

    From files clean-fid makes float32 by x / 255 * 255; rounding gives the uint8 back exactly.
    """

    def features(batch: Tensor) -> Tensor:
        return extractor.features_and_logits(batch.round().to(torch.uint8))[0]

    return features


def features_of(images: NDArray[np.uint8], extractor: Extractor) -> NDArray[np.float32]:
    """Features [N, 64] of images [N, C, H, W], through clean-fid."""
    whole = torch.from_numpy(images)
    start = 0

    def generator(z: Tensor) -> Tensor:
        nonlocal start
        # It wants whole batches; what goes beyond the end is cut off again.
        index = torch.arange(start, start + len(z)).clamp(max=len(whole) - 1)
        start += len(z)
        return whole[index]

    with torch.random.fork_rng(devices=[]):  # It draws latents, which nobody looks at.
        features: NDArray[np.float32] = clean_fid.get_model_features(
            generator,
            feature_function(extractor),
            z_dim=1,
            num_gen=len(images),
            batch_size=CHUNK,
            device=CPU,
            custom_fn_resize=no_resize,
            verbose=False,
        )
    return features


@contextmanager
def numpy_seed(seed: int) -> Iterator[None]:
    """NumPy's global generator seeded within, and as before after: clean-fid draws from it."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)


class Clean:
    """clean-fid's distances (an `Implementation`); it has no inception score."""

    name = "clean-fid"
    version = metadata.version("clean-fid")

    def __init__(self) -> None:
        self._kept: Kept[NDArray[np.float32]] = Kept()

    def evaluate(
        self, images: NDArray[np.uint8], reference: ImageSet, extractor: Extractor, seed: int
    ) -> list[Value]:
        """Both distances (see `Implementation.evaluate`)."""
        real = self._kept.get(
            reference, extractor, lambda: features_of(np.asarray(reference.images), extractor)
        )
        features = features_of(images, extractor)
        with warnings.catch_warnings(), numpy_seed(seed):
            # SciPy deprecates the `disp` that clean-fid passes to sqrtm, and remarks on singular
            # products, which clean-fid looks for itself.
            warnings.simplefilter("ignore")
            frechet = clean_fid.fid_from_feats(features, real)
            kernel = clean_fid.kernel_distance(real, features, KERNEL_SUBSETS, KERNEL_SUBSET_SIZE)
        return [Value("frechet_distance", float(frechet)), Value("kernel_distance", kernel)]
