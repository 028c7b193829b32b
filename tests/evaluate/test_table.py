"""What a person reads of the records."""

import math

import pytest

from sid.evaluate.table import provenance, significant, summarise
from tests.evaluate.cases import record


@pytest.mark.parametrize(
    ("metric", "value", "low", "high"),
    [
        ("recall", 0.9, 0.6738, 1.0),  # Over tenths: Student's t, nine degrees.
        ("precision", 0.1, 0.0, 0.296),
        ("frechet_distance", 0.1, 0.0, 0.3262),
        ("frechet_distance", -1e-13, -1e-13, 0.2262),  # Of equal sets, by rounding.
        ("kernel_distance", 0.1, -0.096, 0.296),  # Unbiased, so below zero at times.
        ("density", 1.1, 0.904, 1.296),
    ],
)
def test_intervals_end_where_metrics_do(metric: str, value: float, low: float, high: float) -> None:
    (row,) = summarise([record(metric=metric, value=value, stderr=0.1)])
    assert (row.low, row.high) == pytest.approx((low, high), abs=1e-4)


def test_of_draws() -> None:
    about = {"metric": "kernel_distance", "stderr": 9.0}
    (row,) = summarise([record(**about, value=x, draw=i) for i, x in enumerate((1, 3))])
    assert (row.value, row.stderr, row.basis) == (2, 1, "2 draws")
    assert row.high - row.value == pytest.approx(12.7062, abs=1e-4)  # Student's t, one degree.


def test_digits() -> None:
    assert significant(1.23456, 0.012) == "1.235"
    assert significant(-1e-13, 0.1) == "0.00"
    assert significant(-0.0, 0.0) == "0"
    assert significant(-0.2, 0.1) == "-0.20"
    assert significant(1.53e-7, 4e-18) == "1.53e-07"
    assert significant(1.23456789, math.nan) == "1.23457"


def test_names_stay_in_their_line() -> None:
    made = provenance([record(value=1, generated="a\nb\x1b[31m", dataset="c\td")])
    assert all(line.isprintable() for line in made)
