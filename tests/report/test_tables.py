import io

import numpy as np
import pandas as pd
import pytest

from sid.report.tables import (
    endings,
    ladder,
    main_table,
    readable,
    to_markdown,
    with_error,
    write_table,
)
from tests.report.published import DIGITS
from tests.verdict.synthetic import BIAS, IMPLEMENTATIONS, make_records, make_samples


def row_of(table, model, implementation="ours"):
    chosen = (table["model"] == model) & (table["implementation"] == implementation)
    return table[chosen].iloc[0]


def test_rows_are_methods_by_implementations_with_teacher_and_real_images():
    table = main_table(make_records(), DIGITS)
    assert len(endings(table)) == (5 * 2 + 3) * 3
    assert len(ladder(table)) == (1 + 5 + 2) * 3
    assert set(table["implementation"]) == set(IMPLEMENTATIONS)
    assert row_of(table, "SiD, best")["kimg"] == "44"


def of_ours(records, metric="frechet_distance"):
    chosen = (records["metric"] == metric) & (records["implementation"] == "ours")
    return records[chosen].astype({"value": float})


def test_the_standard_error_of_draws_is_pooled_over_generators_and_the_teacher():
    records = make_records()
    rows = of_ours(records[records["n_images"] == 20000])
    draws = rows[rows["role"].isin(["final", "teacher"])].groupby(["recipe", "selection"])["value"]
    assert len(draws) == 11
    pooled = ((draws.std() / draws.mean()) ** 2).mean() ** 0.5
    for model, key in (
        ("SiD, last", ("sid", "last")),
        ("Teacher, 35 evaluations", ("teacher", "")),
    ):
        row = row_of(endings(main_table(records, DIGITS)), model)
        assert row["frechet_distance"] == pytest.approx(draws.mean()[key])
        expected = draws.mean()[key] * pooled / 3**0.5
        assert row["frechet_distance_stderr"] == pytest.approx(expected)
        assert (row["draws"], row["over"]) == (3, "3 draws, pooled")


def test_a_metric_that_may_be_zero_is_pooled_as_it_is():
    """One generator about 0 would make the relative spread of all boundless."""
    records = make_records()
    near_zero = (records["recipe"] == "sid2a") & (records["metric"] == "kernel_distance")
    level = records.loc[near_zero, "value"].mean()
    records.loc[near_zero, "value"] -= level
    rows = of_ours(records, "kernel_distance")
    rows = rows[rows["role"].isin(["final", "teacher"]) & (rows["n_images"] == 20000)]
    pooled = (rows.groupby(["recipe", "selection"])["value"].var().mean() / 3) ** 0.5
    row = row_of(main_table(records, DIGITS), "SiD, last")
    assert row["kernel_distance_stderr"] == pytest.approx(pooled)


def test_the_standard_error_of_seeds_is_over_seeds():
    records = make_records(seeds=(0, 1, 2))
    chosen = (records["recipe"] == "sid") & (records["selection"] == "last")
    chosen &= (records["metric"] == "frechet_distance") & (records["implementation"] == "ours")
    means = records[chosen].groupby("run_seed")["value"].mean()
    row = row_of(main_table(records, DIGITS), "SiD, last")
    assert (row["seeds"], row["draws"], row["over"]) == (3, 3, "3 seeds")
    assert row["frechet_distance_stderr"] == pytest.approx(means.std() / 3**0.5)


def test_a_single_draw_has_the_error_of_its_images():
    row = row_of(main_table(make_records(draws=1), DIGITS), "SiD, last")
    assert np.isnan(row["frechet_distance_stderr"])
    older = make_records(teacher_draws=0)
    teacher = (older["role"] == "teacher") & (older["n_images"] == 20000)
    older.loc[teacher, "stderr"] = 0.3
    row = row_of(endings(main_table(older, DIGITS)), "Teacher, 35 evaluations")
    assert (row["frechet_distance_stderr"], row["draws"], row["over"]) == (0.3, 1, "images")


def test_a_snapshot_that_is_last_and_best_is_one_row():
    both = main_table(make_records(last_is_best=("sid",)), DIGITS)
    names = set(both["model"])
    assert "SiD, last and best" in names
    assert not {"SiD, last", "SiD, best"} & names
    assert {"SiDA, last", "SiDA, best"} <= names
    # It counts once in what is pooled, too.
    records = make_records(last_is_best=("sid",))
    again = (records["recipe"] == "sid") & (records["selection"] == "best")
    pd.testing.assert_series_equal(
        both["frechet_distance_stderr"],
        main_table(records[~again], DIGITS)["frechet_distance_stderr"],
    )


def test_seeds_that_differ_in_which_is_best_keep_two_rows():
    one = make_records(seeds=(0, 1))
    last = (one["selection"] == "last") & (one["run_seed"] == 0) & (one["recipe"] == "sid")
    best = (one["selection"] == "best") & (one["run_seed"] == 0) & (one["recipe"] == "sid")
    mixed = pd.concat([one[~best], one[last].assign(selection="best")])
    table = main_table(mixed, DIGITS)
    assert row_of(table, "SiD, best")["kimg"] == "44 to 60"
    assert row_of(table, "SiD, last")["seeds"] == row_of(table, "SiD, best")["seeds"] == 2


def test_a_perfect_generator_is_estimated_beside_the_real_images():
    table = main_table(make_records(noise=0), DIGITS)
    row = row_of(endings(table), "Perfect generator, estimated")
    expected = BIAS * (1 / 20000 + 1 / 1797)
    assert row["frechet_distance"] == pytest.approx(expected)
    assert np.isnan(row["kernel_distance"])  # It is unbiased.
    assert row_of(endings(table), "Real images drawn again")["frechet_distance"] < expected / 10


def test_of_curves_and_fresh_draws_of_one_size_the_teacher_has_the_fresh_ones():
    records = make_records(noise=0).replace({"n_images": {5000: 20000}})
    row = row_of(main_table(records, DIGITS), "Teacher, 35 evaluations")
    assert (row["draws"], row["frechet_distance"]) == (3, pytest.approx(4.1))


def test_markdown_and_csv_agree(tmp_path):
    table = main_table(make_records(), DIGITS)
    write_table(tmp_path / "main", table, readable(table, "digits-cnn"))
    numbers = pd.read_csv(tmp_path / "main.csv", keep_default_na=False, na_values={"x": []})
    lines = (tmp_path / "main.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    head, body = cells[0], cells[2:]
    for row in body:
        shown = dict(zip(head, row, strict=True))
        for implementation in IMPLEMENTATIONS:
            chosen = (numbers["model"] == shown["Model"]) & (
                numbers["implementation"] == implementation
            )
            chosen &= numbers["n_images"] == int(shown["n"].replace(",", ""))
            exact = pd.to_numeric(numbers[chosen].iloc[0][["frechet_distance"]]).iloc[0]
            text = shown[f"Frechet distance (digits-cnn), {implementation}"].split(" ")[0]
            assert float(text.replace(",", "")) == pytest.approx(exact, rel=5e-3)


def test_markdown_parses_as_a_table():
    frame = pd.DataFrame({"Model": ["a", "b"], "n": [1, 2]})
    text = to_markdown(frame)
    assert text.splitlines()[1] == "|---|---:|"
    assert len(pd.read_csv(io.StringIO(text), sep="|")) == 3


def test_values_and_errors_share_their_decimals():
    assert with_error(7.897, 0.142) == "7.90 ± 0.14"
    assert with_error(-9e-6, 0.0024) == "-0.0000 ± 0.0024"
    assert with_error(8.4941, 0.008) == "8.4941 ± 0.0080"
    assert with_error(764.2, float("nan")) == "764"
    assert with_error(float("nan"), 1.0) == "-"
    assert with_error(0.0, float("nan")) == "0.000"


def test_other_metrics_are_in_the_tables_where_records_hold_them():
    records = make_records()
    assert not {"precision", "coverage"} & set(main_table(records, DIGITS).columns)
    score = records[records["metric"] == "inception_score"]
    more = pd.concat([records, *(score.assign(metric=name) for name in ("precision", "coverage"))])
    table = main_table(more, DIGITS)
    assert row_of(table, "SiD, last")["coverage"] == row_of(table, "SiD, last")["inception_score"]
    shown = readable(table, "digits-cnn")
    names = ["Inception score", "Precision", "Coverage"]
    assert list(shown)[-3:] == [f"{name} (digits-cnn), ours" for name in names]


def test_only_the_2015_inception_makes_an_fid():
    table = main_table(make_records(), DIGITS)
    assert {"FID, ours", "FID, clean-fid", "KID, ours"} <= set(readable(table, "inception-2015"))
    assert not any("ID," in name for name in readable(table, "dinov2-vits14"))


def test_halves_and_samples_are_no_models():
    table = main_table(pd.concat([make_records(), make_samples({"ours": {}})]), DIGITS)
    assert set(table["role"]) == {"final", "curve", "teacher", "perfect", "redrawn"}
    assert 898 not in set(table["n_images"])


def test_a_bar_within_a_cell_does_not_end_it():
    text = to_markdown(pd.DataFrame({"Preprocessing": ["a | b"], "n": [1]}))
    assert text.splitlines()[2] == "| a \\| b | 1 |"
