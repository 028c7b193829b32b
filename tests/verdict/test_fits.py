import math

import numpy as np
import pytest

from sid.verdict.fits import images_until, power_law

IMAGES = np.geomspace(3000, 60000, 9)


def test_an_exact_power_law_is_found():
    fit = power_law(IMAGES, 40 * (IMAGES / 3000) ** -0.54)
    assert fit.slope == pytest.approx(-0.54)
    assert fit.r2 == pytest.approx(1)
    assert fit.gain == pytest.approx(0, abs=1e-12)
    assert fit.curvature == pytest.approx(0, abs=1e-12)


def test_a_bend_is_noticed():
    bent = np.exp(3 - 0.8 * np.log(IMAGES / 3000) + 0.2 * np.log(IMAGES / 3000) ** 2)
    fit = power_law(IMAGES, bent)
    assert fit.curvature == pytest.approx(0.2)
    assert fit.r2 + fit.gain == pytest.approx(1)


def test_a_flat_curve_explains_nothing():
    assert power_law(IMAGES, np.full(9, 5.0)).r2 == 0


def test_images_until_interpolates_a_power_law_exactly():
    distances = 40 * (IMAGES / 3000) ** -0.5
    assert images_until(IMAGES, distances, 20) == pytest.approx(12000)


def test_images_until_takes_the_first_crossing():
    images, distances = np.array([1.0, 2, 3, 4]), np.array([8.0, 4, 8, 2])
    assert images_until(images, distances, 4) == pytest.approx(2)


def test_images_until_of_what_is_not_crossed():
    distances = 40 * (IMAGES / 3000) ** -0.5
    assert math.isnan(images_until(IMAGES, distances, 1))
    assert math.isnan(images_until(IMAGES, distances, 50))
