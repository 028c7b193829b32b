"""What a perfect generator would read, against samples of a known distribution."""

import math

import numpy as np
import pandas as pd
import pytest

from sid.evaluate.features.moments import Gaussian, Moments
from sid.evaluate.metrics.frechet import FrechetReference
from sid.verdict.bias import bias_of
from tests.verdict.synthetic import BIAS, make_records

D, N, SIZE, REPEATS = 8, 600, 2500, 60


def gaussian(rows: np.ndarray) -> Gaussian:
    moments = Moments(D)
    moments.add(rows)
    return moments.gaussian()


def distance(one: np.ndarray, other: np.ndarray) -> float:
    return FrechetReference(gaussian(other)).distance(gaussian(one))


def row(role: str, draw: int, value: float, n: int, n_reference: int) -> dict[str, object]:
    fixed = {"metric": "frechet_distance", "implementation": "ours", "role": role, "draw": draw}
    return {**fixed, "value": value, "n_images": n, "n_reference": n_reference}


def test_new_images_of_the_distribution_read_what_is_estimated() -> None:
    """Features with heavy tails and unequal variances; the truth is known by drawing anew."""
    rng = np.random.default_rng(0)
    scale = np.linspace(0.2, 2, D)

    def draw(n: int) -> np.ndarray:
        return scale * rng.standard_t(8, (n, D))

    read, again_read, estimated = [], [], []
    for _ in range(REPEATS):
        real, rows = draw(N), []
        for split in (1, 2, 3):
            order = rng.permutation(N)
            one, other = real[order[: N // 2]], real[order[N // 2 :]]
            rows.append(row("halves", split, distance(one, other), N // 2, N // 2))
            again = real[rng.integers(0, N, SIZE)]
            rows.append(row("redrawn", split, distance(again, real), SIZE, N))
        bias = bias_of(pd.DataFrame(rows), "ours")
        assert bias is not None
        again_read.append(rows[-1]["value"])
        read.append(distance(draw(SIZE), real))
        estimated.append(bias.perfect(SIZE).value)
    error = np.hypot(np.std(read), np.std(estimated)) / math.sqrt(REPEATS)
    assert abs(np.mean(estimated) - np.mean(read)) < 3 * error
    assert error < 0.05 * np.mean(read)  # The comparison has the power to fail.
    assert np.mean(read) > 3 * np.mean(again_read)  # Which is what real images drawn again read.


def test_both_kinds_of_records_count_and_of_draws_the_largest() -> None:
    bias = bias_of(make_records(noise=0), "ours")
    assert bias is not None
    assert bias == pytest.approx((BIAS, 0, 5, 1797), abs=1e-9)
    assert bias.perfect(5000) == pytest.approx((BIAS * (1 / 5000 + 1 / 1797), 0), abs=1e-9)
    records = make_records()
    chosen = (records["metric"] == "frechet_distance") & (records["implementation"] == "ours")
    largest = records[chosen & (records["role"] == "redrawn") & (records["n_images"] == 20000)]
    found = bias_of(records[records["role"] != "halves"], "ours")
    each = largest["value"].astype(float) * 20000
    assert found == pytest.approx((each.mean(), each.std() / 3**0.5, 2, 1797))


def test_without_records_of_real_images_there_is_none() -> None:
    records = make_records()
    assert bias_of(records[~records["role"].isin(["redrawn", "halves"])], "ours") is None
    assert bias_of(records, "nvidia") is None
    moments = records.assign(n_reference=None)  # As of published moments.
    assert bias_of(moments, "ours") is None


def test_one_measurement_has_no_error() -> None:
    records = make_records(draws=1)
    found = bias_of(records[records["role"] != "halves"], "ours")
    assert found is not None
    assert math.isnan(found.stderr)
