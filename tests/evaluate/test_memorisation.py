from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sid.data.images import ImageSet
from sid.evaluate.extractors import Extractor
from sid.evaluate.features.moments import Array
from sid.evaluate.metrics.memorisation import memorisation, write_pairs
from sid.evaluate.metrics.neighbours import Manifold


def random(n: int, seed: int) -> Array:
    drawn: Array = np.random.default_rng(seed).normal(size=(n, 6))
    return drawn


def brute(generated: Array, training: Array) -> float:
    authentic = 0
    for one in generated:
        distances = np.linalg.norm(training - one, axis=1)
        near = distances.argmin()
        others = np.delete(training, near, axis=0)
        authentic += distances[near] > np.linalg.norm(others - training[near], axis=1).min()
    return authentic / len(generated)


def test_brute_force() -> None:
    generated, training = random(120, 0), random(150, 1)
    found = memorisation(generated, Manifold(training))
    assert found.authenticity == brute(generated, training)
    alone = [
        brute(training[i : i + 1], np.delete(training, i, axis=0)) for i in range(len(training))
    ]
    assert found.real == pytest.approx(np.mean(alone), rel=1e-12)


def test_exact_copies() -> None:
    training = random(150, 0)
    order = np.random.default_rng(0).permutation(150)[:60]
    found = memorisation(training[order], Manifold(training))
    assert (found.authenticity, found.stderr) == (0, 0)
    np.testing.assert_array_equal(found.nearest, order)
    assert not found.distance.any()
    assert not found.ratio.any()


def test_copies_are_found_among_others() -> None:
    training, generated = random(300, 0), random(200, 1)
    copied = [3, 77, 150]
    generated[copied] = training[[5, 5, 9]] + 1e-4
    found = memorisation(generated, Manifold(training))
    assert set(found.suspects(3).tolist()) == set(copied)
    assert found.nearest[copied].tolist() == [5, 5, 9]
    assert found.distance[copied] == pytest.approx(6**0.5 * 1e-4)


def test_training_images_that_are_there_twice() -> None:
    training = np.repeat(random(50, 0), 2, axis=0)
    generated = np.concatenate([training[:10], training[:10] + 0.01])
    found = memorisation(generated, Manifold(training))
    assert found.authenticity == 0.5
    np.testing.assert_array_equal(found.ratio, [0.0] * 10 + [np.inf] * 10)
    assert found.real == 0


def test_held_out_digits_are_as_real_ones(reference: ImageSet, extractor: Extractor) -> None:
    images = torch.from_numpy(np.asarray(reference.images))
    features = extractor.features_and_logits(images)[0].numpy()
    order = np.random.default_rng(0).permutation(len(features))
    training, held_out = features[order[:1200]], features[order[1200:]]
    manifold = Manifold(training)
    found = memorisation(held_out, manifold)
    assert found.authenticity == pytest.approx(found.real, abs=3 * found.stderr)
    # Half of them copies: half the level.
    half = memorisation(np.concatenate([held_out, training[: len(held_out)]]), manifold)
    assert half.authenticity == pytest.approx(found.authenticity / 2, rel=1e-12)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("count", [1, 7, 32])
def test_picture(channels: int, count: int, tmp_path: Path) -> None:
    shape = (channels, 8, 8)
    training = np.arange(40, dtype=np.uint8)[:, None, None, None] * np.ones((1, *shape), np.uint8)
    generated = np.full((20, *shape), 200, np.uint8)
    # One generated image is near a training image, more and more so.
    features = np.arange(40.0)[:, None]
    found = memorisation(np.linspace(12.0, 12.45, 20)[:, None], Manifold(features))
    path = tmp_path / "sub" / "pairs.png"
    write_pairs(path, generated, training, found, count)
    assert [entry.name for entry in path.parent.iterdir()] == ["pairs.png"]
    with Image.open(path) as image:
        assert image.mode == ("L" if channels == 1 else "RGB")
        pixels = np.asarray(image).reshape(image.height, image.width, channels)
    # Images of 64, side by side, in frames of 4: generated first, its neighbour right of it.
    assert pixels.shape[0] % 72 == pixels.shape[1] % 136 == 0
    assert (pixels[4:68, 4:68] == 200).all()
    assert (pixels[4:68, 68:132] == 12).all()
    assert (pixels[:4] == 255).all()
    cells = pixels.reshape(-1, 72, pixels.shape[1] // 136, 136, channels)
    assert (cells[:, 20, :, 20, 0] == 200).sum() == min(count, 20)
