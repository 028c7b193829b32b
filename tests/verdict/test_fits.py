import math

import numpy as np
import pytest

from sid.verdict.fits import bend, images_bounds, power_law

IMAGES = np.geomspace(3000, 60000, 9)


def test_an_exact_power_law_is_found() -> None:
    fit = power_law(IMAGES, 40 * (IMAGES / 3000) ** -0.54)
    assert fit.slope == pytest.approx(-0.54)
    assert fit.r2 == pytest.approx(1)
    assert fit.gain == pytest.approx(0, abs=1e-12)
    assert fit.curvature == pytest.approx(0, abs=1e-12)


def test_a_bend_is_noticed() -> None:
    bent = np.exp(3 - 0.8 * np.log(IMAGES / 3000) + 0.2 * np.log(IMAGES / 3000) ** 2)
    fit = power_law(IMAGES, bent)
    assert fit.curvature == pytest.approx(0.2)
    assert fit.r2 + fit.gain == pytest.approx(1)


def test_a_flat_curve_explains_nothing() -> None:
    assert power_law(IMAGES, np.full(9, 5.0)).r2 == 0


def test_a_bend_is_the_change_of_the_slope_from_the_middle_to_the_end() -> None:
    """Slope -0.8 + 0.4 x: in the middle of a range of log 20 -0.2, at its end 0.4."""
    bent = np.exp(3 - 0.8 * np.log(IMAGES / 3000) + 0.2 * np.log(IMAGES / 3000) ** 2)
    middle, end = (-0.8 + 0.4 * share * math.log(20) for share in (0.5, 1))
    assert bend(power_law(IMAGES, bent)) == pytest.approx((end - middle) / middle)
    assert bend(power_law(IMAGES, 40 * IMAGES**-0.5)) == pytest.approx(0, abs=1e-9)
    assert math.isinf(bend(power_law(IMAGES, np.full(9, 5.0))))


def test_a_threshold_is_met_between_snapshots_as_a_power_law_has_it() -> None:
    distances = 40 * (IMAGES / 3000) ** -0.5
    assert images_bounds(IMAGES, distances, 20) == pytest.approx([math.log(12000)] * 2)
    images, distances = np.array([1.0, 2, 3, 4]), np.array([8.0, 4, 8, 2])
    assert images_bounds(images, distances, 4) == pytest.approx([math.log(2)] * 2)


def test_a_threshold_out_of_reach_is_a_bound() -> None:
    distances = 40 * (IMAGES / 3000) ** -0.5
    assert images_bounds(IMAGES, distances, 1) == (pytest.approx(math.log(60000)), math.inf)
    assert images_bounds(IMAGES, distances, 50) == (-math.inf, pytest.approx(math.log(3000)))
