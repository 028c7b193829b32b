from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from sid.data.images import ImageSet
from sid.errors import UserError
from sid.evaluate.extractors import Extractor, load_extractor, train_extractor
from sid.evaluate.extractors import classifier as module
from sid.networks.weights import save_tensors


def test_reads_digits(extractor: Extractor, reference: ImageSet) -> None:
    assert extractor.name == "digits-cnn"
    assert extractor.accuracy >= 0.98
    features, logits = extractor.features_and_logits(torch.from_numpy(reference.images))
    assert features.shape == (1797, 64)
    assert logits.shape == (1797, 10)
    # Standardised on the training four fifths.
    assert float(features.mean(dim=0).abs().max()) < 0.1
    assert float(features.square().mean()) == pytest.approx(1, abs=0.05)
    # No covariance of the reference is singular.
    assert float(torch.linalg.eigvalsh(torch.cov(features.T))[0]) > 1e-6


def test_same_seed_same_weights(reference: ImageSet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS", 20)
    state = torch.get_rng_state()
    one, two, other = (train_extractor(reference, seed) for seed in (3, 3, 4))
    assert one.sha256 == two.sha256 != other.sha256
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (3, 11, 9)])
def test_other_images(shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STEPS", 2)
    images = np.random.default_rng(0).integers(0, 256, (60, *shape), dtype=np.uint8)
    made = train_extractor(ImageSet("x", images, np.arange(60) % 3, "s"), 0)
    features, logits = made.features_and_logits(torch.from_numpy(images))
    assert features.shape == (60, 64)
    assert logits.shape == (60, 3)


def test_file_round_trip(extractor: Extractor, reference: ImageSet, tmp_path: Path) -> None:
    path = tmp_path / "extractor.safetensors"
    extractor.save(path)
    loaded = load_extractor(path)
    assert replace(loaded, network=extractor.network) == extractor
    images = torch.from_numpy(reference.images[:7])
    before, after = (e.features_and_logits(images) for e in (extractor, loaded))
    assert torch.equal(before[0], after[0])
    assert torch.equal(before[1], after[1])


def test_refuses_another_shape(extractor: Extractor) -> None:
    with pytest.raises(UserError, match=r"images are \(3, 8, 8\).*digits-cnn takes \(1, 8, 8\)"):
        extractor.features_and_logits(torch.zeros(2, 3, 8, 8, dtype=torch.uint8))


def test_refuses_unlabelled(reference: ImageSet) -> None:
    with pytest.raises(UserError, match=r"digits: .*no such labels"):
        train_extractor(replace(reference, labels=None), 0)


def test_refuses_one_class_whatever_its_number(reference: ImageSet) -> None:
    """A classifier of one class gives an inception score of 1 with no error."""
    with pytest.raises(UserError, match=r"digits: .*at least two classes"):
        train_extractor(replace(reference, labels=np.full(1797, 3)), 0)
    assert reference.labels is not None
    with pytest.raises(UserError, match="1 of the classes 0 to 10 have no image, first 0; number"):
        train_extractor(replace(reference, labels=reference.labels + 1), 0)


def test_refuses_files_of_others(tmp_path: Path) -> None:
    path = tmp_path / "extractor.safetensors"
    save_tensors(path, {"x": torch.zeros(1)}, {"kind": "generator"})
    with pytest.raises(UserError, match="holds no extractor"):
        load_extractor(path)
    save_tensors(path, {"x": torch.zeros(1)}, {"kind": "extractor"})
    with pytest.raises(UserError, match="no extractor of `sid evaluate extractor`"):
        load_extractor(path)
