"""The forest plot: per cent in words, the scale, and what is drawn of a verdict."""

import math

import pytest

from sid.report.forest import Scale, band_of, compared, percent


def verdict(value, low=math.nan, high=math.nan, kind="checkpoint", **fields):
    row = {"kind": kind, "value": value, "low": low, "high": high, "level": 0.9}
    return {**row, "new_low": math.nan, "new_high": math.nan, "metric": "frechet_distance"} | fields


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(1.0042, "+0.42 %"), (0.976, "-2.4 %"), (1.1, "+10 %"), (0.5, "-50 %"), (3.1, "3.1 times")],
)
def test_a_ratio_is_a_difference_in_per_cent(ratio, text):
    assert percent(ratio) == text.replace("-", "\N{MINUS SIGN}")


def test_what_is_kept_depends_on_the_kind_and_the_metric():
    assert band_of(verdict(1.0), 0.02) == pytest.approx((1 / 1.02, 1.02))
    assert band_of(verdict(1.0, kind="ranking"), 1.1) == (0.0, 1.1)
    assert band_of(verdict(1.0, kind="retraining"), 0.05) == (0.0, 1.05)
    score = verdict(1.0, kind="retraining", metric="inception_score")
    assert band_of(score, 0.05) == pytest.approx((1 / 1.05, math.inf))


def test_equal_is_in_the_middle_and_the_ends_are_mirrored():
    scale = Scale([1.01, 0.99], [1.02])
    assert scale.reach == 1.05
    assert scale.x(1.0) == 120
    assert scale.x(1.05) + scale.x(1 / 1.05) == 240
    assert scale.x(math.inf) == scale.x(1.05)
    assert scale.x(0.0) == scale.x(1 / 1.05)
    assert [tick.text for tick in scale.ticks()][2] == "0"


def test_one_value_far_off_does_not_press_the_others_together():
    scale = Scale([1.01, 1.02, 0.99, 0.98, 40.0], [1.02])
    assert scale.reach == 1.05
    far = scale.mark(verdict(40.0, 30.0, 50.0), 0.02)
    assert (far.point, far.left, far.right) == (None, False, True)
    assert Scale([1.0, 0.9, 40.0], [1.02]).mark(verdict(0.9), 0.02).point is not None


def test_a_mark_has_the_interval_inside_the_prediction_interval():
    row = verdict(1.01, 1.0, 1.02, new_low=0.97, new_high=1.2)
    mark = Scale([1.01], [1.02]).mark(row, 0.02)
    assert mark.new[0] < mark.interval[0] < mark.point < mark.interval[1] < mark.new[1]
    assert (mark.left, mark.right) == (False, True)
    assert "90 % interval from +0.00 % to +2.0 %" in mark.text
    assert "kept from \N{MINUS SIGN}2.0 % to +2.0 %" in mark.text


def test_slopes_and_factors_have_no_place_on_the_scale():
    assert compared(verdict(1.2))
    assert not compared(verdict(-0.5, kind="power-law"))
    assert not compared(verdict(60.0, kind="fall"))
    assert not compared(verdict(math.nan))
