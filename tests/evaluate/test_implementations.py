"""Ours, torch-fidelity and clean-fid on the same images."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sid.evaluate.extractor import CHUNK, Extractor

from sid.data.zips import ImageSet
from sid.evaluate import clean as clean_module
from sid.evaluate.clean import CPU, Clean, feature_function, features_of, no_resize
from sid.evaluate.compat import clean_fid
from sid.evaluate.fidelity import Fidelity
from sid.evaluate.implementation import Implementation
from sid.evaluate.ours import Ours

Images = NDArray[np.uint8]


def values(
    implementation: Implementation, images: Images, reference: ImageSet, extractor: Extractor
) -> dict[str, tuple[float, float | None]]:
    found = implementation.evaluate(images, reference, extractor, seed=1)
    return {value.metric: (value.value, value.stderr) for value in found}


@pytest.fixture(scope="module", params=["noisy", "real", "constant"])
def images(request: pytest.FixtureRequest, reference: ImageSet, noisy: Images) -> Images:
    if request.param == "noisy":
        return noisy
    if request.param == "real":  # The smallest distances that are ever measured.
        return reference.images[np.random.default_rng(1).integers(0, 1797, 1200)]
    # A collapsed generator: no variance at all, and no square root of the product.
    return np.repeat(reference.images[:1], 1000, axis=0)


def test_agreement(images: Images, reference: ImageSet, extractor: Extractor) -> None:
    ours, theirs, clean = (
        values(make(), images, reference, extractor) for make in (Ours, Fidelity, Clean)
    )
    assert set(ours) == set(theirs) == {*clean, "inception_score"}
    for other in (theirs, clean):
        frechet = other["frechet_distance"][0]
        assert frechet == pytest.approx(ours["frechet_distance"][0], rel=1e-4)
    # Subsets and splits are drawn differently: equal within their errors.
    for other, metric in (
        (theirs, "kernel_distance"),
        (clean, "kernel_distance"),
        (theirs, "inception_score"),
    ):
        value, stderr = ours[metric]
        error = np.hypot(stderr or 0, other[metric][1] or stderr or 0)
        assert abs(other[metric][0] - value) < 5 * error + 1e-4


@pytest.mark.parametrize("make", [Ours, Fidelity, Clean])
def test_same_seed_same_numbers(
    make: type[Implementation], noisy: Images, reference: ImageSet, extractor: Extractor
) -> None:
    implementation = make()
    numpy_state, torch_state = np.random.get_state()[1], torch.get_rng_state()
    first = implementation.evaluate(noisy, reference, extractor, seed=1)
    assert implementation.evaluate(noisy, reference, extractor, seed=1) == first  # From the cache.
    assert make().evaluate(noisy, reference, extractor, seed=1) == first
    other = implementation.evaluate(noisy, reference, extractor, seed=2)
    assert other[0] == first[0]
    assert other[1] != first[1]
    assert np.array_equal(np.random.get_state()[1], numpy_state)  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), torch_state)


@pytest.mark.parametrize("make", [Ours, Fidelity, Clean])
def test_another_reference_is_not_taken_from_the_cache(
    make: type[Implementation], noisy: Images, reference: ImageSet, extractor: Extractor
) -> None:
    implementation = make()
    few = replace(reference, images=reference.images[:500], sha256="e" * 64)
    before = implementation.evaluate(noisy, reference, extractor, seed=1)
    expected = make().evaluate(noisy, few, extractor, seed=1)
    assert implementation.evaluate(noisy, few, extractor, seed=1) == expected != before


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_clean_fid_gives_the_same_from_files(
    noisy: Images, reference: ImageSet, extractor: Extractor, tmp_path: Path
) -> None:
    for name, some in (("fake", noisy), ("real", reference.images)):
        (tmp_path / name).mkdir()
        for i, image in enumerate(some):
            np.save(tmp_path / name / f"{i:09d}.npy", image.transpose(1, 2, 0))
    features = feature_function(extractor)
    from_files = clean_fid.get_folder_features(
        str(tmp_path / "fake"),
        features,
        num_workers=0,
        batch_size=CHUNK,
        device=CPU,
        custom_fn_resize=no_resize,
        verbose=False,
    )
    in_memory = features_of(noisy, extractor)
    np.testing.assert_allclose(in_memory, from_files, rtol=0, atol=1e-5)
    np.testing.assert_array_equal(in_memory[:1000], from_files[:1000])  # Whole chunks.
    expected = clean_fid.compute_fid(
        str(tmp_path / "fake"),
        str(tmp_path / "real"),
        custom_feat_extractor=features,
        num_workers=0,
        batch_size=CHUNK,
        device=CPU,
        custom_fn_resize=no_resize,
        verbose=False,
    )
    found = values(Clean(), noisy, reference, extractor)["frechet_distance"][0]
    assert found == pytest.approx(expected, rel=1e-7)


def test_every_implementation_sees_the_same_bytes(
    reference: ImageSet, extractor: Extractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[torch.Tensor] = []
    whole = Extractor.features_and_logits

    def spy(self: Extractor, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(images)
        return whole(self, images)

    # All 256 levels: no rounding on the way may move one.
    levels = np.arange(256, dtype=np.uint8).repeat(64).reshape(256, 1, 8, 8)
    monkeypatch.setattr(Extractor, "features_and_logits", spy)
    small = replace(reference, images=levels, sha256="f" * 64)
    for make in (Ours, Fidelity, Clean):
        seen.clear()
        make().evaluate(levels, small, extractor, seed=0)
        assert len(seen) == 2
        for images in seen:
            assert images.dtype == torch.uint8
            np.testing.assert_array_equal(images[:256].numpy(), levels)


def test_seed_of_numpy_is_restored_after_an_error() -> None:
    before = np.random.get_state()[1]
    with pytest.raises(RuntimeError), clean_module.numpy_seed(3):
        raise RuntimeError
    assert np.array_equal(np.random.get_state()[1], before)  # type: ignore[arg-type]
