import numpy as np
import pandas as pd
import pytest

from sid.report.noise import noise
from tests.verdict.synthetic import make_records, make_samples


def rows(records, kind, metric="frechet_distance"):
    table = noise(records)
    return table[(table["kind"] == kind) & (table["metric"] == metric)].set_index("n_images")


def test_draws_of_a_generator_spread():
    row = rows(make_samples({"ours": {}}, draws=5, spread=0.04), "redraw").loc[5000]
    assert (row["sources"], row["draws"]) == (1, 5)
    assert row["value"] == pytest.approx(10)
    assert row["relative"] == pytest.approx(0.04)


def test_the_variances_of_generators_are_pooled_by_their_draws():
    one = make_samples({"ours": {}}, draws=5, spread=0.04)
    two = make_samples({"ours": {}}, draws=3, spread=0.01).assign(generated="others")
    # A generator far from the first adds nothing but its own spread.
    two["value"] *= 50
    row = rows(pd.concat([one, two]), "redraw").loc[5000]
    assert row["relative"] == pytest.approx(((4 * 0.04**2 + 2 * 0.01**2) / 6) ** 0.5)
    assert (row["sources"], row["draws"], row["freedom"]) == (2, 8, 6)


def test_sizes_are_kept_apart():
    big = make_samples({"ours": {}}, draws=3, spread=0.01, n_images=50000)
    found = rows(pd.concat([big, make_samples({"ours": {}}, draws=3)]), "redraw")
    assert found["relative"].to_dict() == pytest.approx({50000: 0.01, 5000: 0.02})


def test_the_noise_is_ours_where_there_are_ours():
    other = {"a": {"off": 0.5}}
    assert rows(make_samples({"ours": {}, **other}, draws=3), "redraw")["value"].iloc[0] == 10
    assert rows(make_samples(other, draws=3), "redraw")["value"].iloc[0] == 15


def test_a_single_draw_has_its_own_error_instead():
    ways = {"ours": {"stderr": 0.5}}
    assert rows(make_samples(ways), "redraw").empty
    assert rows(make_samples(ways), "error").loc[5000, "relative"] == pytest.approx(0.05)
    assert rows(make_samples(ways, draws=3), "error").empty


def test_real_images_are_measured_against_themselves():
    records = make_records()
    redrawn, halves = rows(records, "redrawn"), rows(records, "halves")
    assert set(redrawn.index) == {5000, 20000}
    chosen = records[(records["role"] == "halves") & (records["implementation"] == "ours")]
    values = chosen[chosen["metric"] == "frechet_distance"]["value"].astype(float)
    assert halves.loc[898, "value"] == pytest.approx(values.mean())
    assert halves.loc[898, "relative"] == pytest.approx(values.std() / values.mean())
    assert np.isnan(rows(make_records(draws=1), "halves").loc[898, "relative"])


def test_fresh_draws_of_finals_are_redraws():
    row = rows(make_records(), "redraw").loc[20000]
    assert (row["sources"], row["draws"], row["freedom"]) == (11, 33, 22)  # With the teacher.
    assert 0.02 < row["relative"] < 0.07  # Made with 0.08 at 5,000, half of it at 20,000.


def test_a_snapshot_that_is_last_and_best_counts_once():
    records = make_records(last_is_best=("sid", "sida"))
    row = rows(records, "redraw").loc[20000]
    assert (row["sources"], row["draws"], row["freedom"]) == (9, 27, 18)
    again = records["recipe"].isin(["sid", "sida"]) & (records["selection"] == "best")
    pd.testing.assert_frame_equal(noise(records), noise(records[~again]))


def test_a_spread_about_zero_is_pooled_as_it_is():
    one = make_samples({"ours": {}}, draws=5, spread=0.04).assign(metric="kernel_distance")
    near_zero = one.assign(generated="others", value=one["value"] - 10)
    row = rows(pd.concat([one, near_zero]), "redraw", "kernel_distance").loc[5000]
    assert row["value"] * row["relative"] == pytest.approx(0.4)
