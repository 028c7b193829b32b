"""Parts of a variance: intervals that cover whatever the true parts are."""

import math

import numpy as np
import pytest
from scipy.special import stdtrit

from sid.verdict.design import Array
from sid.verdict.parts import Part, beyond, known, reach

COUNT = 100_000
CHANCE = 2 * math.sqrt(0.05 * 0.95 / COUNT)


def estimates(freedoms: tuple[int, int], share: float) -> tuple[Array, Array]:
    """Of two parts of a variance of 1, [2, `COUNT`], and means of truth 0, [`COUNT`]."""
    rng = np.random.default_rng(0)
    parts = [
        weight * rng.chisquare(freedom, COUNT) / freedom
        for weight, freedom in zip((share, 1 - share), freedoms, strict=True)
    ]
    return np.array(parts), rng.standard_normal(COUNT)


@pytest.mark.parametrize("freedoms", [(4, 2), (4, 1), (9, 2), (2, 9), (2, 2), (1, 1)])
@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7])
def test_a_bound_is_passed_in_at_most_5_per_cent(freedoms: tuple[int, int], share: float) -> None:
    parts, means = estimates(freedoms, share)
    squares = sum(part * stdtrit(f, 0.95) ** 2 for part, f in zip(parts, freedoms, strict=True))
    assert np.mean(means > np.sqrt(squares)) < 0.05 + CHANCE


def test_what_one_t_for_the_sum_would_do_and_what_certainty_costs() -> None:
    """Satterthwaite's degrees are too many where a part of few degrees is large."""
    parts, means = estimates((4, 1), 0.1)
    freedom = parts.sum(axis=0) ** 2 / (parts[0] ** 2 / 4 + parts[1] ** 2 / 1)
    assert np.mean(means > np.sqrt(parts.sum(axis=0)) * stdtrit(freedom, 0.95)) > 0.07
    parts, means = estimates((2, 2), 0.5)
    cost = np.mean(means > np.sqrt(parts.sum(axis=0)) * stdtrit(2, 0.95))
    assert cost == pytest.approx(0.022, abs=0.002)


def test_reach_and_p_are_two_sides_of_one_rule() -> None:
    parts = [Part(1e-4, 2), Part(3e-4, 9)]
    for p in (0.2, 0.05, 1e-3):
        distance = reach(parts, 1 - 2 * p)
        squares = sum(part.variance * stdtrit(part.freedom, p) ** 2 for part in parts)
        assert distance == pytest.approx(math.sqrt(squares))
        assert beyond(distance, parts) == pytest.approx(p)
        assert beyond(-distance, parts) == pytest.approx(1 - p)
    assert beyond(0, parts) == pytest.approx(0.5)


@pytest.mark.parametrize("away", [3, 30, 3e3, 3e6, 3e60])
def test_far_away_p_is_small_and_a_number(away: float) -> None:
    for parts in ([Part(1e-4, 2), Part(3e-4, 9)], [Part(1e-4, 4), Part(0.0, 9)], [Part(1, 9)] * 2):
        p = beyond(away, parts)
        assert 0 <= p < 0.05
        assert p >= beyond(10 * away, parts)
        assert beyond(-away, parts) == 1 - p


def test_one_part_has_students_t() -> None:
    assert reach([Part(0.04, 9)], 0.9) == pytest.approx(0.2 * 1.8331129)
    assert beyond(0.2 * 1.8331129, [Part(0.04, 9)]) == pytest.approx(0.05)


@pytest.mark.parametrize("part", [Part(math.nan, 0), Part(math.nan, 2), Part(0.0, 2)])
def test_where_nothing_repeats_nothing_is_known(part: Part) -> None:
    assert not known([part])
    assert math.isnan(beyond(0.1, [part]))
    assert known([part, Part(0.1, 3)]) == (part.variance == 0)
