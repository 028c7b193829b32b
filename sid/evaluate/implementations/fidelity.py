"""torch-fidelity (Obukhov et al. 2020) through its public `calculate_metrics`."""

import functools
import math
import tempfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from sid.data.images import Images
from sid.evaluate.extractors.inception import NAME as INCEPTION
from sid.evaluate.extractors.published import STATE, copy_state
from sid.evaluate.features.image_features import ImageFeatures, features_and_logits
from sid.evaluate.implementations.implementation import check_enough
from sid.evaluate.implementations.libraries import torch_fidelity
from sid.evaluate.metrics import PerReference, Reference, Value
from sid.evaluate.metrics.inception_score import SPLITS
from sid.evaluate.metrics.kernel import SUBSETS, subset_size
from sid.fetch import locate
from sid.files import sha256
from sid.runs.precision import full_float32

OWN = "inception-v3-compat"  # Its name for its own 2015 Inception.
FLAGS = {
    "frechet_distance": "fid",
    "kernel_distance": "kid",
    "inception_score": "isc",
    "precision": "prc",
    "recall": "prc",
}


class OurFeatures(torch_fidelity.FeatureExtractorBase):  # type: ignore[misc]
    """An extractor in torch-fidelity's clothes; a subclass for each, which makes the instances."""

    sides: ClassVar[tuple[ImageFeatures, ...]]  # Those that are compared now.

    def __init__(self, name: str, features_list: list[str], **_: object) -> None:
        super().__init__(name, features_list)

    @staticmethod
    def get_provided_features_list() -> tuple[str, ...]:
        """The layers on offer."""
        return "features", "logits"

    @staticmethod
    def get_default_feature_layer_for_metric(metric: str) -> str:
        """The inception score takes logits, the others features."""
        return "logits" if metric == "isc" else "features"

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        """The requested layers of uint8 images [B, C, H, W]."""
        found = features_and_logits(images, *self.sides)
        layers = dict(zip(self.get_provided_features_list(), found, strict=True))
        return tuple(layers[name] for name in self.features_list)


@functools.cache
def registered(sha256: str) -> type[OurFeatures]:
    """A class in torch-fidelity's registry, which is global and refuses a name twice."""
    made = type("OurFeatures", (OurFeatures,), {})
    torch_fidelity.register_feature_extractor(f"sid-{sha256}", made)
    return made


class Lazy(Dataset[Tensor]):
    """Images as torch-fidelity's loader asks for them, a batch at a time and none before.

    Args:
        images: [N, C, H, W].
        rgb: whether a grey channel is repeated.
    """

    def __init__(self, images: Images, *, rgb: bool) -> None:
        self._images, self._channels = images, 3 if rgb else images.shape[1]

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, i: int) -> Tensor:
        return self.__getitems__([i])[0]

    def __getitems__(self, index: Sequence[int]) -> list[Tensor]:
        batch = torch.from_numpy(self._images[np.asarray(index)])
        return list(batch.expand(-1, self._channels, -1, -1))


class Fidelity:
    """torch-fidelity's metrics (an `Implementation`).

    Of `inception-2015` it takes its own copy, any other extractor through its registry.
    """

    name = "torch-fidelity"
    version: str = torch_fidelity.__version__
    metrics = frozenset(FLAGS)
    statistics = False
    divisor = "N-1"

    def __init__(self) -> None:
        self._made = PerReference()

    def weights(self, features: ImageFeatures) -> str:
        """Those of its own file, or of the extractor."""
        own = features.extractor.name == INCEPTION
        return sha256(locate(STATE)) if own else features.extractor.sha256

    def preprocessing(self, features: ImageFeatures) -> str:
        """Its own resizing, or that of the extractor."""
        if features.extractor.name != INCEPTION:
            return features.extractor.preprocessing
        return "grey repeated to RGB; bilinear to 299x299 as TensorFlow 1, by torch-fidelity"

    def evaluate(
        self, generated: ImageFeatures, reference: Reference, metrics: Collection[str], seed: int
    ) -> list[Value]:
        """Those of `metrics` that it has (see `Implementation.evaluate`).

        The reference's features go through torch-fidelity's own cache, in a folder that lives and
        dies with this object: its cache is pickled, so none is ever read that others wrote.

        Raises:
            UserError: its own weights are wanted and not fetched.
        """
        assert isinstance(reference, ImageFeatures)
        wanted = [m for m in FLAGS if m in metrics]
        if not generated.extractor.classes:
            wanted = [m for m in wanted if m != "inception_score"]
        if not wanted:
            return []
        check_enough(generated, reference, wanted)
        own = generated.extractor.name == INCEPTION

        def prepare() -> tempfile.TemporaryDirectory[str]:
            folder = tempfile.TemporaryDirectory(prefix="sid-fidelity-")
            if own:
                copy_state(locate(STATE), Path(folder.name) / STATE)
            return folder

        folder = Path(self._made.get(reference, "folder", prepare).name)
        images, real = generated.images.images, reference.images.images
        size = subset_size(len(images), len(real))
        extractor = generated.extractor
        registered(extractor.sha256).sides = (generated, reference)
        try:
            # Its loader draws a seed that nobody uses.
            with full_float32(), torch.random.fork_rng(devices=[]):
                found = torch_fidelity.calculate_metrics(
                    **{FLAGS[metric]: True for metric in wanted},
                    input1=Lazy(images, rgb=own),
                    input2=Lazy(real, rgb=own),
                    input2_cache_name="reference",
                    cache_root=str(folder),
                    feature_extractor=OWN if own else f"sid-{extractor.sha256}",
                    feature_extractor_weights_path=str(folder / STATE) if own else None,
                    kid_subsets=SUBSETS,
                    kid_subset_size=size,
                    isc_splits=SPLITS,
                    prc_batch_size=1000,  # Rows of distances in memory; its 10,000 take gigabytes.
                    batch_size=extractor.chunk,
                    rng_seed=seed,
                    cuda=extractor.device.type == "cuda",
                    save_cpu_ram=True,  # Means no worker processes.
                    verbose=False,
                )
        finally:
            registered(extractor.sha256).sides = ()
        return [value_of(metric, found, in_part=size < len(images)) for metric in wanted]


def value_of(metric: str, found: dict[str, float], *, in_part: bool) -> Value:
    """One of torch-fidelity's numbers, its deviation over parts made a standard error.

    Args:
        metric: which.
        found: what it says.
        in_part: whether a subset leaves images out; where none does, subsets differ by rounding
            alone, which is no error.
    """
    if metric == "frechet_distance":
        return Value(metric, found[torch_fidelity.KEY_METRIC_FID])
    if metric in ("precision", "recall"):
        return Value(metric, found[metric])
    key, parts, over = {
        "kernel_distance": ("kernel_inception_distance", SUBSETS, "subsets"),
        "inception_score": ("inception_score", SPLITS, "splits"),
    }[metric]
    if metric == "kernel_distance" and not in_part:
        return Value(metric, found[f"{key}_mean"])
    return Value(metric, found[f"{key}_mean"], found[f"{key}_std"] / math.sqrt(parts), over)
