"""torch-fidelity (Obukhov et al. 2020) through its public `calculate_metrics`."""

import functools
import math
import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from sid.data.zips import ImageSet
from sid.evaluate.compat import torch_fidelity
from sid.evaluate.extractor import CHUNK, Extractor, load_extractor
from sid.evaluate.implementation import (
    KERNEL_SUBSETS,
    SCORE_SPLITS,
    Kept,
    Value,
    subset_size,
)

REGISTERED = "sid-extractor"


class OurFeatures(torch_fidelity.FeatureExtractorBase):  # type: ignore[misc]
    """Our extractor in torch-fidelity's clothes; it makes one per call, from the weights file."""

    def __init__(
        self,
        name: str,
        features_list: list[str],
        feature_extractor_weights_path: str = "",
        **_: object,
    ) -> None:
        super().__init__(name, features_list)
        self.extractor = load_extractor(Path(feature_extractor_weights_path))

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        """The layers on offer."""
        return "features", "logits"

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        """The inception score takes logits, the distances features."""
        return "logits" if metric == "isc" else "features"

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The requested layers of uint8 images [B, C, H, W]."""
        layers = dict(
            zip(
                self.get_provided_features_list(),
                self.extractor.features_and_logits(images),
                strict=True,
            )
        )
        return tuple(layers[name] for name in self.features_list)


@functools.cache
def _register() -> None:
    # Its registry is global and refuses a name twice.
    torch_fidelity.register_feature_extractor(REGISTERED, OurFeatures)


class _Images(Dataset[Tensor]):
    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._images = torch.from_numpy(images)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, i: int) -> Tensor:
        return self._images[i]


class Fidelity:
    """torch-fidelity's distances and inception score (an `Implementation`)."""

    name = "torch-fidelity"
    version: str = torch_fidelity.__version__

    def __init__(self) -> None:
        self._kept: Kept[tempfile.TemporaryDirectory[str]] = Kept()

    def evaluate(
        self, images: NDArray[np.uint8], reference: ImageSet, extractor: Extractor, seed: int
    ) -> list[Value]:
        """All three metrics (see `Implementation.evaluate`).

        The reference's features go through torch-fidelity's own cache, in a folder that lives and
        dies with this object: its cache is pickled, so none is ever read that others wrote.
        """
        _register()

        def prepare() -> tempfile.TemporaryDirectory[str]:
            folder = tempfile.TemporaryDirectory(prefix="sid-fidelity-")
            extractor.save(Path(folder.name) / "extractor.safetensors")
            return folder

        folder = Path(self._kept.get(reference, extractor, prepare).name)
        with torch.random.fork_rng(devices=[]):  # Its loader draws a seed that nobody uses.
            metrics = torch_fidelity.calculate_metrics(
                input1=_Images(images),
                input2=_Images(np.asarray(reference.images)),
                input2_cache_name=f"{reference.sha256}-{extractor.sha256}",
                cache_root=str(folder),
                feature_extractor=REGISTERED,
                feature_extractor_weights_path=str(folder / "extractor.safetensors"),
                fid=True,
                kid=True,
                isc=True,
                kid_subsets=KERNEL_SUBSETS,
                kid_subset_size=subset_size(len(images), len(reference.images)),
                isc_splits=SCORE_SPLITS,
                batch_size=CHUNK,
                rng_seed=seed,
                cuda=False,
                save_cpu_ram=True,  # Means no worker processes.
                verbose=False,
            )
        return [
            Value("frechet_distance", metrics["frechet_inception_distance"]),
            Value(
                "kernel_distance",
                metrics["kernel_inception_distance_mean"],
                metrics["kernel_inception_distance_std"] / math.sqrt(KERNEL_SUBSETS),
            ),
            Value(
                "inception_score",
                metrics["inception_score_mean"],
                metrics["inception_score_std"] / math.sqrt(SCORE_SPLITS),
            ),
        ]
