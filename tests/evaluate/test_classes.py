"""What a protocol takes for granted of the images is looked at, or said beside the value."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from sid.data.images import ImageSet, first, picked
from sid.evaluate.classes import class_mismatch, equal_counts, sorted_by_class
from sid.evaluate.extractors import Extractor
from sid.evaluate.features import image_features
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.features.moments import Gaussian
from sid.evaluate.features.statistics import Statistics
from sid.evaluate.implementations import IMPLEMENTATIONS
from sid.evaluate.implementations import implementation as module
from sid.evaluate.implementations.implementation import OfExtractor
from sid.evaluate.labels import LabelRule
from sid.evaluate.metrics import Value
from sid.evaluate.real_images import halves

NVIDIA = ("nvidia", "nvidia-n")


def one_hot(classes: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    return np.eye(count, dtype=np.float32)[classes]


@pytest.mark.parametrize(("count", "n"), [(2, 60), (10, 60), (10, 900), (1000, 900)])
def test_sorted_classes_are_told_from_random_ones(count: int, n: int) -> None:
    """Of 200 random orders none is called sorted; of evenly spread classes none either."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        assert not sorted_by_class(one_hot(rng.integers(0, count, n), count))
    assert not sorted_by_class(one_hot(np.arange(n) % count, count))
    assert sorted_by_class(one_hot(np.sort(rng.integers(0, count, n)), count))
    half = np.sort(rng.integers(0, count, n))
    half[: n // 2] = rng.permutation(half[: n // 2])
    assert sorted_by_class(one_hot(half, count))


def test_nothing_to_be_sorted() -> None:
    assert not sorted_by_class(np.zeros((50, 0), np.float32))  # An extractor without classes.
    assert not sorted_by_class(np.zeros((0, 10), np.float32))
    assert not sorted_by_class(np.zeros((50, 10), np.float32))


def scores(images: ImageSet, extractor: Extractor, folder: Path) -> dict[str, Value]:
    names = ("ours", "torch-fidelity", *NVIDIA)
    side = ImageFeatures(images, extractor, folder)
    found = {n: IMPLEMENTATIONS[n]().evaluate(side, side, ["inception_score"], 0) for n in names}
    return {name: values[0] for name, values in found.items()}


def test_score_of_sorted_images(reference: ImageSet, extractor: Extractor, tmp_path: Path) -> None:
    """NVIDIA's contiguous tenths stay as published; that they are of sorted images is said."""
    assert reference.labels is not None
    kept = np.arange(900)
    order = kept[np.argsort(reference.labels[:900], kind="stable")]
    sorted_, mixed = (
        scores(picked(reference, index, name), extractor, tmp_path / name)
        for index, name in ((order, "sorted"), (kept, "mixed"))
    )
    for name in NVIDIA:
        assert sorted_[name].value < 2 < 9 < mixed[name].value
        assert not mixed[name].note
        told = sorted_[name].note
        assert told.startswith("the images are sorted by class, and its splits are contiguous: ")
        assert float(told.split()[-1]) == pytest.approx(sorted_["ours"].value, abs=0.01)
    for name in ("ours", "torch-fidelity"):  # These shuffle.
        assert sorted_[name].value == pytest.approx(mixed[name].value, rel=0.02)
        assert not sorted_[name].note


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if 300 images were as many as features are kept of."""
    for place in (image_features, module):
        monkeypatch.setattr(place, "CAP", 300)


@pytest.mark.usefixtures("few")
def test_values_of_some_images(reference: ImageSet, extractor: Extractor, tmp_path: Path) -> None:
    assert reference.labels is not None
    order = np.argsort(reference.labels, kind="stable")
    real = ImageFeatures(picked(reference, order, "sorted"), extractor, tmp_path / "real")
    fake = ImageFeatures(first(reference, 500), extractor, tmp_path / "fake")
    ours = IMPLEMENTATIONS["ours"]()
    assert isinstance(ours, OfExtractor)
    found = {
        v.metric: ours.noted(v, fake, real) for v in ours.evaluate(fake, real, ours.metrics, 0)
    }
    start = "of the first 300 of 500 generated images"
    assert found["frechet_distance"].note == f"its error is {start}"
    for metric in ("inception_score", "frechet_distance_infinity"):
        assert found.pop(metric).note == start
    both = f"{start} and 300 of 1,797 real images, which are sorted by class"
    assert {v.note for k, v in found.items() if k != "frechet_distance"} == {both}
    nvidia = IMPLEMENTATIONS["nvidia"]()
    assert isinstance(nvidia, OfExtractor)
    distance, score = nvidia.evaluate(fake, real, nvidia.metrics, 0)
    assert not nvidia.noted(distance, fake, real).note  # Of the moments of all, without an error.
    assert nvidia.noted(score, fake, real).note == start


def test_halves_of_a_sorted_set_are_in_random_order(reference: ImageSet) -> None:
    assert reference.labels is not None
    order = np.argsort(reference.labels, kind="stable")
    for half in halves(picked(reference, order, "sorted"), 1):
        assert half.labels is not None
        assert not sorted_by_class(one_hot(half.labels, 10))


@pytest.mark.parametrize(
    ("classes", "labels", "told"),
    [
        (10, np.arange(500) % 10, ""),
        (64, 7 * (np.arange(500) % 10), "d has no images of 54 of these"),
        (10, np.arange(500) % 8, "d has no images of 2 of these"),
        (2, np.arange(500) % 4, "50% of d would need another class"),
        (2, (np.arange(500) % 10 == 0).astype(np.int64), "40% of d would need another class"),
        (0, np.arange(500) % 10, ""),
        (10, None, ""),
    ],
)
def test_classes_that_the_data_has_otherwise(
    classes: int, labels: NDArray[np.int64] | None, told: str
) -> None:
    images = torch.zeros(500, 1, 4, 4, dtype=torch.uint8).numpy()
    assert class_mismatch(LabelRule(classes), ImageSet("d", images, labels, "s")) == told


def test_equally_frequent_classes_are_known_by_labels_or_by_the_name() -> None:
    """So that uniform draws count for both rules: of CIFAR-10 also where only its moments are."""
    images = torch.zeros(500, 1, 4, 4, dtype=torch.uint8).numpy()
    ten, equal = LabelRule(10), np.arange(500) % 10
    assert equal_counts(ten, ImageSet("d", images, equal, "s")) == (50,) * 10
    assert equal_counts(LabelRule(5), ImageSet("d", images, equal, "s")) == ()
    assert equal_counts(ten, ImageSet("d", images, np.sort(equal) // 2, "s")) == ()
    moments = Statistics("cifar10-32x32", Gaussian(np.zeros(2), np.eye(2)), None)
    assert equal_counts(ten, moments) == (5000,) * 10
    assert equal_counts(LabelRule(0), moments) == ()
    assert equal_counts(LabelRule(1000), replace(moments, name="imagenet-64x64")) == ()
