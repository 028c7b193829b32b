"""clean-fid (Parmar et al. 2022) through the public functions of its modules.

Images that it is to resize are handed over a chunk at a time, by `get_model_features`, which
clean-fid has for generators: from a folder of files the same features come, bit for bit, and slowly
(a zip is no way, as clean-fid reads its entries in an order that changes from process to process).
"""

import math
import tempfile
import warnings
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from sid.errors import UserError
from sid.evaluate.extractors import Extractor
from sid.evaluate.extractors.extractor import rgb
from sid.evaluate.extractors.inception import NAME as INCEPTION
from sid.evaluate.extractors.inception import Inception
from sid.evaluate.extractors.published import PROGRAM, STATE, copy_state
from sid.evaluate.features.image_features import ImageFeatures, features_and_logits
from sid.evaluate.implementations.implementation import check_enough
from sid.evaluate.implementations.libraries import (
    clean_fid,
    clean_fid_features,
    clean_fid_torchscript,
)
from sid.evaluate.metrics import PerReference, Reference, Value
from sid.evaluate.metrics.kernel import SUBSET_SIZE, SUBSETS
from sid.fetch import locate
from sid.files import sha256
from sid.runs.precision import full_float32

Network = Callable[[Tensor], Tensor]
Features = NDArray[np.float32]

SIZE = (3, 299, 299)
WIDTH = 2048  # It checks that its own networks have as many features.
# pytorch-fid's name for the file that torch-fidelity has under the name STATE: the same bytes.
STATE_THERE = "pt_inception-2015-12-05-6726825d.pth"
# Of the modes that resize before the network; `legacy_tensorflow` leaves it to the network.
RESIZING = {
    "clean": "grey repeated to RGB; bicubic to 299x299 in float32, antialiased, by clean-fid",
    "legacy_pytorch": "grey repeated to RGB; bilinear to 299x299 in float32, by clean-fid",
}


class Clean:
    """clean-fid's distances (an `Implementation`); it has no inception score.

    Args:
        mode: its way to resize; None leaves the images to the extractor as they are. Of
            `inception-2015` its own copy for this mode is taken, of others the extractor gets what
            clean-fid has resized, as float32: it rounds nothing to 8 bits.
    """

    version = metadata.version("clean-fid")
    metrics = frozenset({"frechet_distance", "kernel_distance"})
    statistics = False
    divisor = "N-1"

    def __init__(self, mode: str | None = None) -> None:
        self.name, self._mode = f"clean-fid-{mode}" if mode else "clean-fid", mode
        self._made = PerReference()

    def weights(self, features: ImageFeatures) -> str:
        """Those of its own file, or of the extractor."""
        return sha256(locate(STATE)) if self._by_state(features) else features.extractor.sha256

    def preprocessing(self, features: ImageFeatures) -> str:
        """Its own resizing, that of the extractor, or one after the other."""
        first = RESIZING.get(self._mode or "")
        if first and isinstance(features.extractor.network, Inception):
            return f"{first}; {'x / 127.5 - 1' if self._by_state(features) else '(x - 128) / 128'}"
        return "; ".join(filter(None, (first, features.extractor.preprocessing)))

    def evaluate(
        self, generated: ImageFeatures, reference: Reference, metrics: Collection[str], seed: int
    ) -> list[Value]:
        """Those of `metrics` that it has (see `Implementation.evaluate`).

        Raises:
            UserError: the extractor does not take resized images, or its own weights are wanted
                and not fetched.
        """
        assert isinstance(reference, ImageFeatures)
        if not self.metrics & set(metrics):
            return []
        check_enough(generated, reference, self.metrics & set(metrics))

        def prepare() -> tuple[Network | None, Features]:
            own = self._own(reference.extractor)
            return own, self._features(reference, own)

        # SciPy deprecates the `disp` that clean-fid passes to sqrtm, and remarks on singular
        # products, which clean-fid looks for itself.
        with full_float32(), warnings.catch_warnings(), numpy_seed(seed):
            warnings.simplefilter("ignore")
            own, real = self._made.get(reference, "features", prepare)
            features = self._features(generated, own)
            found = []
            if "frechet_distance" in metrics:
                try:
                    frechet = float(clean_fid.fid_from_feats(features, real))
                except ValueError:  # It refuses a square root with an imaginary part.
                    frechet = math.nan
                found.append(Value("frechet_distance", frechet))
            if "kernel_distance" in metrics:
                kernel = clean_fid.kernel_distance(real, features, SUBSETS, SUBSET_SIZE)
                found.append(Value("kernel_distance", kernel))
        return found

    def _by_state(self, features: ImageFeatures) -> bool:
        """Whether its own network is the one that reads the state dict."""
        return self._mode == "legacy_pytorch" and features.extractor.name == INCEPTION

    def _own(self, extractor: Extractor) -> Network | None:
        """Its own network for this mode, where the extractor is the same network."""
        if self._mode and isinstance(extractor.network, Inception) and extractor.path:
            if extractor.width != WIDTH:
                raise UserError(
                    f"{self.name}: takes programs of {WIDTH} features, and {extractor.name} has "
                    f"{extractor.width}; ask for clean-fid"
                )
            if self._mode != "legacy_pytorch":
                return torchscript(extractor, inside=self._mode == "legacy_tensorflow")
            if extractor.name == INCEPTION:
                return pytorch(extractor.device)
        if self._mode in RESIZING:
            try:
                extractor.check(SIZE)
            except UserError as error:
                raise UserError(
                    f"{self.name}: resizes images to {SIZE}, which {extractor.name} does not take; "
                    "leave it out of --implementations, or take another extractor"
                ) from error
        return None

    def _features(self, features: ImageFeatures, own: Network | None) -> Features:
        if not self._mode:
            return as_they_are(features)
        return features_of(
            features, own or (lambda images: features_and_logits(images, features)[0]), self._mode
        )


def as_they_are(features: ImageFeatures) -> Features:
    """Features [N, d] of images that nobody resizes; clean-fid would take them one by one."""
    images, chunk = features.images.images, features.extractor.chunk
    parts = [
        features_and_logits(torch.from_numpy(images[start : start + chunk]), features)[0]
        .cpu()
        .numpy()
        for start in range(0, len(images), chunk)
    ]
    return np.concatenate(parts)


def torchscript(extractor: Extractor, *, inside: bool) -> Network:
    """clean-fid's own class over NVIDIA's program, in the file of this extractor.

    Args:
        extractor: with the program.
        inside: whether the program resizes; else clean-fid has.
    """
    assert extractor.path
    with tempfile.TemporaryDirectory(prefix="sid-clean-") as folder:
        (Path(folder) / PROGRAM).symlink_to(extractor.path.resolve())
        made = clean_fid_torchscript.InceptionV3W(folder, download=False, resize_inside=inside)
    network: Network = made.to(extractor.device)
    return lambda images: network(rgb(images))


def pytorch(device: torch.device) -> Network:
    """clean-fid's own PyTorch network, with weights put where it looks before it would download."""
    before = torch.hub.get_dir()
    with tempfile.TemporaryDirectory(prefix="sid-clean-") as folder:
        copy_state(locate(STATE), Path(folder) / "checkpoints" / STATE_THERE)
        try:
            torch.hub.set_dir(folder)
            network: Network = clean_fid_features.build_feature_extractor(
                "legacy_pytorch", device, use_dataparallel=False
            )
        finally:
            torch.hub.set_dir(before)
    return network


def features_of(of: ImageFeatures, network: Network, mode: str) -> Features:
    """Features [N, d] through clean-fid, which keeps all of them in memory.

    Args:
        of: the images.
        network: given them after resizing, a batch [B, C, H, W] at a time.
        mode: of clean-fid.
    """
    images, chunk = of.images.images, of.extractor.chunk
    start = count = 0

    def generator(z: Tensor) -> Tensor:
        nonlocal start, count
        batch = torch.from_numpy(images[start : start + chunk])
        count = len(batch)
        start += count
        # It wants whole batches: the last image stands in for those that there are not.
        whole = torch.cat([batch, batch[-1:].expand(chunk - count, -1, -1, -1)])
        return rgb(whole) if mode in RESIZING else whole

    def features(batch: Tensor) -> Tensor:
        # A batch of another size would round differently from that of the one pass.
        found = network(batch[:count])
        return torch.cat([found, found[-1:].expand(chunk - count, -1)])

    with torch.random.fork_rng(devices=[]):  # It draws latents, which nobody looks at.
        found: Features = clean_fid.get_model_features(
            generator,
            features,
            mode=mode,
            z_dim=1,
            num_gen=len(images),
            batch_size=chunk,
            device=of.extractor.device,
            verbose=False,
        )
    return found


@contextmanager
def numpy_seed(seed: int) -> Iterator[None]:
    """NumPy's global generator seeded within, and as before after: clean-fid draws from it."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)
