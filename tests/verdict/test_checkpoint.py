"""A checkpoint against its published number: answers worked by hand."""

import math
import re
from typing import Any

import numpy as np
import pytest

from benchmarks.verdict_records import claim_of, claims_of, rows_of, table_of
from sid.verdict.claims import judge
from sid.verdict.verdict import Verdict

S = 0.009  # Standard deviation of ten draws.
T9 = 1.8331129  # Student's t, 95 %, 9 degrees.
TEN = np.array([-1.5, -1, -1, -0.5, 0, 0, 0.5, 1, 1, 1.5])
TEN *= S / TEN.std(ddof=1)


def found(mean: float, draws: np.ndarray = TEN, published: str = "2.000", **asked: Any) -> Verdict:
    """The verdict on draws about `mean` times 2."""
    logs = math.log(2 * mean) + draws[None]
    claim = claim_of("checkpoint", published=published, **asked)
    (verdict,) = judge(table_of(rows_of(logs, role="external")), claims_of(claim))
    return verdict


@pytest.mark.parametrize(
    ("of", "variance"), [("mean of 10", 0.1 + 0.1), ("single", 0.1 + 1), ("unknown", 0.1 + 1)]
)
def test_the_error_is_that_of_the_kind_of_published_value(of: str, variance: float) -> None:
    verdict = found(1.01, of=of)
    middle = math.log(1.01)
    half = T9 * math.sqrt(S**2 * variance + (0.0005 / 2) ** 2 / 3)
    expected = [math.exp(middle + half * way) for way in (-1, 0, 1)]
    assert [verdict.low, verdict.value, verdict.high] == pytest.approx(expected, abs=1e-6)
    assert verdict.needed_margin == pytest.approx(math.expm1(abs(middle) + half), abs=1e-6)
    new = math.exp(T9 * S * math.sqrt(1.1))
    assert verdict.new_high / verdict.value == pytest.approx(new, abs=1e-6)


def test_the_least_of_three_is_shifted_and_its_limits_are_lopsided() -> None:
    """M less a minimum of three, over s: 90 % lie between -0.475 and 2.587 (K = 10, simulated)."""
    verdict = found(1.01, of="minimum of 3", published="2.00000000")
    raw = math.log(1.01)
    expected = [math.exp(raw - law * S) for law in (2.587, 0.846, -0.475)]
    limits = [verdict.low, verdict.value, verdict.high]
    assert limits == pytest.approx(expected, abs=2e-5)
    assert verdict.needed_margin == pytest.approx(verdict.high - 1)
    lower = found(0.99, of="minimum of 3")
    assert lower.needed_margin == pytest.approx(1 / lower.low - 1)


def test_a_wide_interval_beyond_the_margin_is_not_enough() -> None:
    """Where noise is wider than the margin, either end is one of two ways to be wrong."""
    wide = TEN * 5 / 0.9  # The interval reaches 10 % to either side, the margin 2 %.
    near, far = found(1.13, wide, of="single"), found(1.2, wide, of="single")
    assert near.low > 1.02
    assert (near.verdict, far.verdict) == ("inconclusive", "differs")
    assert 0.05 < near.p_value < 0.10
    assert far.p_value < 0.05


@pytest.mark.parametrize(
    ("mean", "outcome"),
    [(1.0, "reproduces"), (1.012, "reproduces"), (1.018, "inconclusive"), (0.985, "inconclusive"),
     (1.03, "differs"), (0.97, "differs")],
)  # fmt: skip
def test_the_outcome_is_two_sided(mean: float, outcome: str) -> None:
    """The interval reaches 0.74 % to either side, the margin 2 %."""
    verdict = found(mean)
    assert verdict.verdict == outcome
    assert (verdict.scope, verdict.runs, verdict.draws) == ("this checkpoint", 1, 10)
    assert verdict.redraw_sd == pytest.approx(S)
    assert verdict.reproduced == pytest.approx(2 * mean)


@pytest.mark.parametrize("mean", [1.004, 1.05, 0.95])
def test_a_published_value_as_it_is_told_gives_another_outcome(mean: float) -> None:
    """Just beyond the told values the outcome is another, just before them the same."""
    verdict = found(mean)
    low, high = (float(number) for number in re.findall(r"[0-9.]+", verdict.changes))
    inside = verdict.verdict == "reproduces"
    assert verdict.changes.startswith("a published value " + ("outside" if inside else "between"))
    for value, within in ((low * 0.998, False), (low * 1.002, True), (high * 0.998, True),
                          (high * 1.002, False)):  # fmt: skip
        again = found(mean * 2 / value, published="2.000")
        assert (again.verdict == verdict.verdict) == (within == inside)


def test_a_value_of_two_decimals_is_less_sure() -> None:
    """0.005 of 2.00 is 0.25 %: as a uniform error its variance is a third of that squared."""
    wide, narrow = found(1.0, published="2.00"), found(1.0, published="2.000")
    halves = [math.log(each.high) / T9 for each in (wide, narrow)]
    assert halves[0] ** 2 - halves[1] ** 2 == pytest.approx((0.0025**2 - 0.00025**2) / 3, rel=1e-5)


def test_a_published_value_changed_by_one_digit_is_found_out() -> None:
    assert found(1.0, published="2.000").verdict == "reproduces"
    assert found(1.0, published="2.100").verdict == "differs"


def test_an_unverified_number_decides_nothing_and_is_shown() -> None:
    verdict, known = found(1.0, evidence="unverified"), found(1.0)
    assert (verdict.verdict, known.verdict) == ("undecided", "reproduces")
    assert (verdict.low, verdict.high) == (known.low, known.high)
    assert "unverified" in verdict.reason
    assert verdict.changes == "the published value checked against the paper"
    assert math.isnan(found(1.2, evidence="unverified").p_value)


def test_higher_is_better_makes_no_difference_to_a_checkpoint() -> None:
    for mean in (1.03, 0.97):
        assert found(mean, metric="frechet_distance").verdict == "differs"
    logs = math.log(9.0) + TEN[None]
    claim = claim_of("checkpoint", published="9.00", metric="inception_score")
    table = table_of(rows_of(logs, role="external", metric="inception_score"))
    assert judge(table, claims_of(claim))[0].verdict == "reproduces"


def test_draws_without_spread_decide_nothing() -> None:
    verdict = found(1.0, 0 * TEN)
    assert verdict.verdict == "undecided"
    assert "no spread" in verdict.reason


def test_as_many_more_draws_as_it_asks_for_decide() -> None:
    s = 0.011
    three, four = np.array([-1, 0, 1]) * s, np.array([-1, -1, 1, 1]) * s * math.sqrt(3) / 2
    few, more = (
        judge(
            table_of(rows_of(math.log(2) + draws[None], role="external")),
            claims_of(claim_of("checkpoint", draws=len(draws))),
        )[0]
        for draws in (three, four)
    )
    assert few.verdict == "inconclusive"
    assert "experiment of about 4 draws" in few.changes
    assert more.verdict == "reproduces"
    single = found(1.01, of="single")
    assert single.verdict == "inconclusive"
    assert single.changes.startswith("a published mean of ten, or a margin of ")
