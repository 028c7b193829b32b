"""A feature extractor that can be made without a network: a small classifier of the data itself.

A Frechet distance on its features is not FID, which is by definition the distance on the 2015
Inception; it is named after the extractor, `digits-cnn` for the data set `digits`.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sid.data.images import ImageSet, check_classes
from sid.errors import UserError
from sid.evaluate.extractors.extractor import Extractor
from sid.networks.weights import digest, load_tensors, save_tensors
from sid.streams import Stream, epoch_order

CHUNK = 500
SOME = 50_000  # Images that a mean or an accuracy is taken over, at most.
SUFFIX = "-cnn"
FEATURES = 64
BATCH = 64
STEPS = 450
LEARNING_RATE = 3e-3


class Classifier(nn.Module):
    """Two convolutions on a grid of about 8x8, whatever the resolution; 64 features; logits."""

    def __init__(self, shape: tuple[int, int, int], n_classes: int) -> None:
        super().__init__()
        channels, height, width = shape
        stride = max(1, min(height, width) // 8)
        self.stem = nn.Conv2d(channels, 24, stride + 2, stride=stride, padding=1)
        self.body = nn.Conv2d(24, 40, 3, padding=1)
        with torch.no_grad():
            flat = self._convolve(torch.zeros(1, *shape)).shape[1]
        self.features = nn.Linear(flat, FEATURES)
        self.logits = nn.Linear(FEATURES, n_classes)
        self.centre: Tensor
        self.register_buffer("centre", torch.zeros(FEATURES))
        self.scale: Tensor
        self.register_buffer("scale", torch.ones(()))

    def _convolve(self, x: Tensor) -> Tensor:
        x = F.relu(self.body(F.relu(self.stem(x))))
        if not self.training:  # The same maxima, in an order of memory that finds them faster.
            x = x.contiguous(memory_format=torch.channels_last)
        return F.max_pool2d(x, 2).flatten(1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Features [N, 64] and logits [N, K] of uint8 images [N, C, H, W], float32."""
        # SiLU, not ReLU: a unit that never fires would make every covariance singular.
        features = F.silu(self.features(self._convolve(images.float() / 127.5 - 1)))
        return (features - self.centre) * self.scale, self.logits(features)

    def standardise(self, chunks: Iterable[Tensor]) -> None:
        """Make the features of these images zero on average, and their squares one.

        Libraries that take means in float32 then lose little, and the cubic kernel has arguments
        near one. One scale for all features: what the classifier finds important stays large.
        """
        features = torch.cat([self(chunk)[0] for chunk in chunks])
        self.centre += features.mean(dim=0)
        self.scale *= (features - self.centre).square().mean().rsqrt()


@dataclass(frozen=True, kw_only=True)
class DataExtractor(Extractor):
    """A classifier trained on a data set, named `DATA-cnn`.

    Attributes:
        data_sha256: of the data set.
    """

    data_sha256: str

    def save(self, path: Path) -> None:
        """Write the weights with the description in the metadata, atomically."""
        described = {
            "kind": "extractor",
            "name": self.name,
            "accuracy": self.accuracy,
            "shape": self.shape,
            "n_classes": self.classes,
            "data_sha256": self.data_sha256,
        }
        save_tensors(path, self.network.state_dict(), described)


def _extractor(
    classifier: Classifier,
    name: str,
    sha256: str,
    shape: tuple[int, int, int],
    accuracy: float,
    data_sha256: str,
) -> DataExtractor:
    return DataExtractor(
        name=name,
        sha256=sha256,
        network=classifier.eval().requires_grad_(False),
        width=FEATURES,
        classes=classifier.logits.out_features,
        chunk=CHUNK,
        preprocessing="none",
        accuracy=accuracy,
        shape=shape,
        data_sha256=data_sha256,
    )


def load_classifier(path: Path) -> DataExtractor:
    """Read what `DataExtractor.save` wrote.

    Raises:
        UserError: the file is missing, damaged or holds no extractor, or one that takes the name
            of another.
    """
    tensors, about = load_tensors(path)
    if about.get("kind") != "extractor":
        raise UserError(f"{path}: holds no extractor; make one with `sid evaluate extractor`")
    try:
        name, accuracy, data = (about[key] for key in ("name", "accuracy", "data_sha256"))
        channels, height, width = about["shape"]
        shape = (channels, height, width)
        classifier = Classifier(shape, about["n_classes"])
        classifier.load_state_dict(tensors)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise UserError(
            f"{path}: no extractor of `sid evaluate extractor`, or an old one; make it again"
        ) from error
    if not str(name).endswith(SUFFIX):
        raise UserError(f"{path}: a classifier's name ends in {SUFFIX}, not {name}")
    return _extractor(classifier, name, about["sha256"], shape, accuracy, data)


@contextmanager
def _reproducible(seed: int) -> Iterator[None]:
    """One thread (sums in one order) and initial weights by seed; the caller's state comes back."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def train_extractor(data: ImageSet, seed: int) -> DataExtractor:
    """Train on a random four fifths, measure the accuracy on the rest; seconds on one core.

    Args:
        data: labelled images.
        seed: of the split, the initial weights and the order.

    Raises:
        UserError: the data set has no labels, fewer than two classes, or a class without an image.
    """
    if data.labels is None or len(set(data.labels.tolist())) < 2:
        raise UserError(
            f"{data.name}: an extractor needs images of at least two classes, "
            "and dataset.json gives no such labels; use a labelled data set"
        )
    check_classes(data.labels, data.name)
    _, channels, height, width = data.images.shape
    shape = (channels, height, width)
    labels = torch.from_numpy(data.labels)
    order = torch.argsort(Stream(seed, "extractor split").uniform(0, len(data)), stable=True)
    train, held_out = order[: len(order) * 4 // 5], order[len(order) * 4 // 5 :]

    def images(index: Tensor) -> Tensor:
        batch = torch.from_numpy(data.batch(index.numpy()))
        return batch.clone(memory_format=torch.contiguous_format)  # See `Extractor`.

    with _reproducible(seed):
        classifier = Classifier(shape, data.n_classes)
        optimizer = torch.optim.Adam(classifier.parameters(), LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, STEPS)
        for step in range(STEPS):
            batch = train[epoch_order(seed, step * BATCH, (step + 1) * BATCH, len(train))]
            loss = F.cross_entropy(classifier(images(batch))[1], labels[batch])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            schedule.step()
        classifier.eval().requires_grad_(False)
        classifier.standardise(map(images, torch.split(train[:SOME], CHUNK)))
        chunks = torch.split(held_out[:SOME], CHUNK)
        guesses = torch.cat([classifier(images(chunk))[1].argmax(dim=1) for chunk in chunks])
    accuracy = float((guesses == labels[held_out[:SOME]]).double().mean())
    name, sha256 = f"{data.name}{SUFFIX}", digest(classifier.state_dict())
    return _extractor(classifier, name, sha256, shape, accuracy, data.sha256)
