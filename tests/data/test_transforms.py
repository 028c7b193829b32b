"""Crops with known answers; their equality with the official tools is in test_prepare."""

import numpy as np
import pytest
from PIL import Image

from sid.data.conversion import Transform, crop_and_resize
from tests.data.sources import picture

NONE, CROP, WIDE, DHARIWAL = Transform


def pixels(image: Image.Image | None) -> np.ndarray:
    assert image is not None
    return np.asarray(image)


def test_none_keeps_what_fits() -> None:
    image = picture("L", 7, 5)
    assert crop_and_resize(image, NONE, None) is image
    assert crop_and_resize(image, NONE, (7, 5)) is image
    assert pixels(crop_and_resize(image, NONE, (4, 8))).shape == (8, 4)


@pytest.mark.parametrize(("width", "height"), [(12, 8), (8, 13), (8, 8)])
def test_center_crop_of_the_right_size_is_a_cut(width: int, height: int) -> None:
    image = picture("RGB", width, height)
    left, top = (width - 8) // 2, (height - 8) // 2
    expected = pixels(image)[top : top + 8, left : left + 8]
    assert np.array_equal(pixels(crop_and_resize(image, CROP, (8, 8))), expected)


def test_wide_crop_has_black_bands() -> None:
    image = picture("L", 16, 12)
    made = pixels(crop_and_resize(image, WIDE, (16, 8)))
    assert made.shape == (16, 16, 3)
    assert not made[:4].any()
    assert not made[12:].any()
    # The band is 16 * 12 / 16 = 12 high, squeezed to 8.
    squeezed = image.convert("RGB").resize((16, 8), Image.Resampling.LANCZOS)
    assert np.array_equal(made[4:12], pixels(squeezed))
    assert crop_and_resize(image, WIDE, (32, 8)) is None
    assert crop_and_resize(image, WIDE, (16, 13)) is None


def test_dhariwal_halves_by_averages() -> None:
    # Levels in steps of 16: four averages of two are exact.
    levels = np.random.default_rng(0).integers(0, 16, (16, 24)).astype(np.uint8) * 16
    made = pixels(crop_and_resize(Image.fromarray(levels), DHARIWAL, (4, 4)))
    expected = levels.reshape(4, 4, 6, 4).mean(axis=(1, 3))[:, 1:5]
    assert np.array_equal(made[:, :, 0], expected)
    assert np.array_equal(made[:, :, 0], made[:, :, 2])


def test_a_crop_needs_a_size() -> None:
    with pytest.raises(ValueError, match="needs a size"):
        crop_and_resize(picture("L", 4, 4), CROP, None)
