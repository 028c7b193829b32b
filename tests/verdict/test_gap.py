"""The law of a gap between our draws and a published value, against drawing them."""

import math

import numpy as np
import pytest

from sid.verdict.entries import Of
from sid.verdict.gap import SHIFT, Gap

MARGIN = 0.02


def gap(value: float, s: float, of: Of, share: float = 0.0) -> Gap:
    return Gap(value, s, of, share)


@pytest.mark.parametrize("of", ["mean of 10", "single", "minimum of 3"])
@pytest.mark.parametrize("draws", [2, 3, 10])
def test_each_limit_is_beyond_the_truth_in_5_per_cent(of: Of, draws: int) -> None:
    """Of 200,000 experiments; a limit lies so many s from the value, whatever s is."""
    rng = np.random.default_rng(draws)
    ours = rng.standard_normal((200_000, draws))
    theirs = rng.standard_normal((200_000, 10))
    published = {"single": theirs[:, 0], "minimum of 3": theirs[:, :3].min(axis=1)}
    s = ours.std(axis=1, ddof=1)
    value = ours.mean(axis=1) - published.get(of, theirs.mean(axis=1)) - SHIFT[of] * s
    low, high = gap(0.0, 1.0, of).limits(draws, 0.9)
    assert np.mean(value + low * s > 0) == pytest.approx(0.05, abs=0.002)
    assert np.mean(value + high * s < 0) == pytest.approx(0.05, abs=0.002)


@pytest.mark.parametrize("of", ["mean of 10", "single", "minimum of 3"])
def test_p_is_one_sided_where_noise_is_small_and_two_sided_where_it_is_large(of: Of) -> None:
    """A value whose 90 % interval just leaves the margin: on one side, or on either."""
    for s, expected in ((1e-3, 0.05), (10.0, 0.10)):
        low, high = gap(0.0, s, of).limits(10, 0.9)
        for value in (MARGIN - low, -MARGIN - high):
            assert gap(value, s, of).beyond(10, MARGIN) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("s", [0.005, 0.02, 0.05, 0.5])
def test_a_gap_at_the_margin_is_beyond_it_in_at_most_5_per_cent(s: float) -> None:
    """Of 5,000 experiments with a single published value and three draws."""
    rng = np.random.default_rng(0)
    ours = s * rng.standard_normal((5000, 3))
    value = MARGIN + ours.mean(axis=1) - s * rng.standard_normal(5000)
    each = zip(value.tolist(), ours.std(axis=1, ddof=1).tolist(), strict=True)
    p = [gap(at, spread, "single").beyond(3, MARGIN) for at, spread in each]
    assert np.mean(np.array(p) <= 0.05) < 0.05 + 2 * math.sqrt(0.05 * 0.95 / 5000)


def test_rounding_widens() -> None:
    for of in SHIFT:
        (low, high), (lower, higher) = (
            gap(0.0, 0.01, of, share).limits(10, 0.9) for share in (0.0, 0.01)
        )
        assert lower < low < high < higher


def test_one_draw_tells_nothing() -> None:
    one = gap(0.1, math.nan, "single")
    assert all(map(math.isnan, (*one.limits(1, 0.9), one.beyond(1, MARGIN))))
