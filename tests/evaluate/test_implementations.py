"""Ours, torch-fidelity, clean-fid and NVIDIA's protocol on the same images and features."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sid.data.images import ImageSet
from sid.errors import UserError
from sid.evaluate.evaluator import finite
from sid.evaluate.extractors import Extractor
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.features.statistics import Statistics
from sid.evaluate.implementations import IMPLEMENTATIONS
from sid.evaluate.implementations import clean as clean_module
from sid.evaluate.implementations.libraries import clean_fid
from sid.evaluate.metrics import Value
from sid.evaluate.metrics.frechet import FrechetReference

Images = NDArray[np.uint8]
See = Callable[..., ImageFeatures]
ALL = ("ours", "torch-fidelity", "clean-fid", "nvidia")
QUICK = ("frechet_distance", "kernel_distance", "inception_score")
EVERY = frozenset({*QUICK, "precision", "recall"})


@pytest.fixture
def see(tmp_path: Path, extractor: Extractor) -> See:
    """Images as a set that was seen."""
    made = 0

    def make(images: Images, by: Extractor = extractor) -> ImageFeatures:
        nonlocal made
        made += 1
        found = ImageSet(f"set {made}", images, None, f"{made}")
        return ImageFeatures(found, by, tmp_path / str(made))

    return make


def values(
    name: str,
    generated: ImageFeatures,
    reference: ImageFeatures | Statistics,
    metrics: Any = EVERY,
    seed: int = 1,
) -> dict[str, Value]:
    one = IMPLEMENTATIONS[name]()
    found = one.evaluate(generated, reference, metrics, seed)
    assert {value.metric for value in found} <= one.metrics & set(metrics)
    return {value.metric: value for value in found}


@pytest.fixture(params=["noisy", "real", "constant"])
def images(request: pytest.FixtureRequest, reference: ImageSet, noisy: Images) -> Images:
    if request.param == "noisy":
        return noisy
    real = np.asarray(reference.images)
    if request.param == "real":  # The smallest distances that are ever measured.
        return real[np.random.default_rng(1).integers(0, 1797, 1200)]
    # A collapsed generator: no variance at all, and no square root of the product.
    return np.repeat(real[:1], 1000, axis=0)


def test_agreement_on_images(images: Images, reference: ImageSet, see: See) -> None:
    generated, real = see(images), see(np.asarray(reference.images))
    ours, *others = (values(name, generated, real) for name in ALL)
    fidelity, clean, nvidia = others
    assert set(ours) == set(fidelity) == EVERY
    assert set(clean) == {"frechet_distance", "kernel_distance"}
    assert set(nvidia) == {"frechet_distance", "inception_score"}
    for other in others:
        found = other["frechet_distance"].value
        assert found == pytest.approx(ours["frechet_distance"].value, rel=1e-4)
    # The libraries multiply kernels in float32.
    for other in (fidelity, clean):
        found = other["kernel_distance"].value
        assert found == pytest.approx(ours["kernel_distance"].value, rel=1e-4, abs=1e-5)
    score, error = ours["inception_score"].value, ours["inception_score"].stderr or 0
    assert fidelity["inception_score"].value == pytest.approx(score, rel=1e-6)
    # Of splits in the images' own order.
    assert abs(nvidia["inception_score"].value - score) < 5 * error + 1e-5
    for metric in ("precision", "recall"):
        assert fidelity[metric].value == pytest.approx(ours[metric].value, abs=2e-3)


@pytest.mark.parametrize("name", ALL)
def test_same_seed_same_numbers(name: str, noisy: Images, reference: ImageSet, see: See) -> None:
    generated, real = see(noisy), see(np.asarray(reference.images))
    one = IMPLEMENTATIONS[name]()
    numpy_state, torch_state = np.random.get_state()[1], torch.get_rng_state()
    first = one.evaluate(generated, real, QUICK, 1)
    assert one.evaluate(generated, real, QUICK, 1) == first  # The reference is prepared now.
    assert IMPLEMENTATIONS[name]().evaluate(see(noisy), real, QUICK, 1) == first
    other = one.evaluate(generated, real, QUICK, 2)
    assert other[0].value == first[0].value
    assert (other[1].value != first[1].value) == (name != "nvidia")
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_subsets_of_all_images_have_no_error(noisy: Images, reference: ImageSet, see: See) -> None:
    real = see(np.asarray(reference.images))
    few, many = (values("torch-fidelity", see(noisy[:n]), real) for n in (300, 1200))
    assert few["kernel_distance"].stderr is None  # It would be 1e-8, of float32's rounding.
    assert many["kernel_distance"].stderr_of == "subsets"


@pytest.mark.parametrize("name", ALL)
def test_another_reference(name: str, noisy: Images, reference: ImageSet, see: See) -> None:
    generated, one = see(noisy), IMPLEMENTATIONS[name]()
    real, few = (see(np.asarray(reference.images)[:n]) for n in (None, 500))
    metrics = ["frechet_distance", "kernel_distance"]
    before = one.evaluate(generated, real, metrics, 1)
    expected = IMPLEMENTATIONS[name]().evaluate(generated, few, metrics, 1)
    assert one.evaluate(generated, few, metrics, 1) == expected != before


@pytest.mark.parametrize("name", ["ours", "nvidia", "nvidia-n"])
def test_moments_alone_will_do(name: str, noisy: Images, reference: ImageSet, see: See) -> None:
    generated, real = see(noisy), see(np.asarray(reference.images))
    moments = Statistics("digits", real.gaussian, real.count)
    found = values(name, generated, moments)
    expected = values(name, generated, real)
    assert set(found) == {"frechet_distance", "inception_score"}
    for metric, value in found.items():
        assert value.value == pytest.approx(expected[metric].value, rel=1e-9)


def test_nvidia_s_two_divisors(noisy: Images, reference: ImageSet, see: See) -> None:
    generated, real = see(noisy[:40]), see(np.asarray(reference.images))
    shrunk = replace(generated.gaussian, covariance=generated.gaussian.covariance * 39 / 40)
    reached = FrechetReference(real.gaussian)
    for name, gaussian in (("nvidia", generated.gaussian), ("nvidia-n", shrunk)):
        found = values(name, generated, real)["frechet_distance"].value
        assert found == pytest.approx(reached.distance(gaussian), rel=1e-6)
        assert IMPLEMENTATIONS[name]().divisor == {"nvidia": "N-1", "nvidia-n": "N"}[name]


def test_nvidia_s_root_is_that_of_scipy(noisy: Images, reference: ImageSet, see: See) -> None:
    """The formula of the protocol, word by word, on raw sums of the same features."""
    generated, real = see(noisy), see(np.asarray(reference.images))
    for name, ddof in (("nvidia", 1), ("nvidia-n", 0)):
        moments = []
        for side, less in ((generated, ddof), (real, 1)):
            features = np.asarray(side.features[:], np.float64)
            n, mean = len(features), features.mean(axis=0)
            covariance = (features.T @ features - n * np.outer(mean, mean)) / (n - less)
            moments.append((mean, covariance))
        (m, c), (r, s) = moments
        root = scipy.linalg.sqrtm(c @ s)
        expected = float(np.real((m - r) @ (m - r) + np.trace(c + s - 2 * root)))
        found = values(name, generated, real, ["frechet_distance"])["frechet_distance"].value
        assert found == pytest.approx(expected, rel=1e-6)


def test_what_is_no_number_is_said_and_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    values = [Value("frechet_distance", math.nan), Value("inception_score", 1.0)]
    assert finite(values, "nvidia", "a\nb") == values[1:]
    (line,) = capsys.readouterr().err.splitlines()
    assert line == r"warning: nvidia finds no finite frechet_distance of a\nb"


class Tiny(nn.Module):
    """Eight features of images of any size, and three logits."""

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        x = nn.functional.adaptive_avg_pool2d(images.float().mean(dim=1), (2, 4)).flatten(1)
        return x, x[:, :3]


TINY = Extractor("tiny", "1" * 64, Tiny().eval(), 8, 3, 7, "none")


@pytest.mark.parametrize(
    "shape", [(1, 8, 8), (1, 28, 28), (3, 32, 32), (3, 64, 64), (3, 12, 30), (1, 30, 12)]
)
def test_sizes(shape: tuple[int, ...], see: See) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 60, *shape), dtype=np.uint8)
    generated, real = see(images[0] // 2, TINY), see(images[1], TINY)
    ours, *others = (values(name, generated, real) for name in (*ALL, *IMPLEMENTATIONS))
    for other in others:
        found = other["frechet_distance"].value
        # Resized features, and the other divisor, are others in the third digit.
        assert found == pytest.approx(ours["frechet_distance"].value, rel=0.1)
    same = values("clean-fid-legacy_tensorflow", generated, real)
    assert same == values("clean-fid", generated, real)


def test_clean_fid_s_resizing_is_its_own(see: See) -> None:
    seen: list[Tensor] = []

    class Look(Tiny):
        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            seen.append(images)
            return super().forward(images)

    look = replace(TINY, network=Look())
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (2, 12, 1, 16, 16), dtype=np.uint8)
    for mode in ("clean", "legacy_pytorch"):
        generated, real = see(images[0], look), see(images[1], look)
        name = f"clean-fid-{mode}"
        values(name, generated, real, ["frechet_distance"])
        resize = clean_module.clean_fid.build_resizer(mode)
        expected = resize(np.repeat(images[0, 0].transpose(1, 2, 0), 3, axis=2))
        # The reference is the first to be resized, in two chunks.
        found = [x for x in seen if x.shape[2:] == (299, 299)][2]
        assert found.dtype == torch.float32
        np.testing.assert_array_equal(found[0].permute(1, 2, 0).numpy(), expected)
        assert "299x299" in IMPLEMENTATIONS[name]().preprocessing(generated)
        seen.clear()


def test_extractors_of_one_size_get_no_other(noisy: Images, reference: ImageSet, see: See) -> None:
    with pytest.raises(UserError, match=r"clean-fid-clean: resizes images .* digits-cnn"):
        values("clean-fid-clean", see(noisy), see(np.asarray(reference.images)))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_clean_fid_gives_the_same_from_files(
    noisy: Images, reference: ImageSet, see: See, extractor: Extractor, tmp_path: Path
) -> None:
    real = np.asarray(reference.images)
    for name, some in (("fake", noisy), ("real", real)):
        (tmp_path / name).mkdir()
        for i, image in enumerate(some):
            np.save(tmp_path / name / f"{i:09d}.npy", image.transpose(1, 2, 0))
    expected = clean_fid.compute_fid(
        str(tmp_path / "fake"),
        str(tmp_path / "real"),
        # From files clean-fid makes float32 by x / 255 * 255.
        custom_feat_extractor=lambda x: extractor.features_and_logits(x.round().byte())[0],
        num_workers=0,
        batch_size=extractor.chunk,
        device=torch.device("cpu"),
        custom_fn_resize=lambda image: image,
        verbose=False,
    )
    assert values("clean-fid", see(noisy), see(real))["frechet_distance"].value == expected


@pytest.mark.parametrize("name", ["torch-fidelity", "clean-fid"])
def test_libraries_hand_over_the_bytes_that_we_see(name: str, see: See) -> None:
    passes: list[Tensor] = []

    class Look(Tiny):
        def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
            passes.append(images.clone())
            return super().forward(images)

    look = replace(TINY, network=Look(), sha256=name)
    # All 256 levels: no rounding on the way may move one. 60 is no multiple of the chunk.
    levels = np.arange(60 * 64, dtype=np.int64).reshape(60, 1, 8, 8).astype(np.uint8)
    generated, real = see(levels, look), see(levels[::-1].copy(), look)
    values(name, generated, real)
    # Each image went through the extractor once, in our pass: what the library handed over later
    # was the same, chunk by chunk.
    assert sum(map(len, passes)) == 120


@pytest.mark.parametrize("name", ALL)
def test_few_images_are_told(name: str, noisy: Images, reference: ImageSet, see: See) -> None:
    real = see(np.asarray(reference.images))
    metric = "kernel_distance" if name == "clean-fid" else "inception_score"
    few = see(noisy[: 1 if name == "clean-fid" else 9])
    with pytest.raises(UserError, match=rf"set \d+: \d images, and the metric {metric} needs"):
        values(name, few, real, [metric])
    two = see(noisy[:2])
    found = values(name, two, real, ["frechet_distance"])["frechet_distance"]
    assert np.isfinite(found.value)
