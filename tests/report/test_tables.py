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
from tests.verdict.synthetic import IMPLEMENTATIONS, make_records, make_samples


def row_of(table, model, implementation="ours"):
    chosen = (table["model"] == model) & (table["implementation"] == implementation)
    return table[chosen].iloc[0]


def test_rows_are_methods_by_implementations_with_ceilings_and_floor():
    table = main_table(make_records())
    assert len(endings(table)) == (5 * 2 + 2) * 3
    assert len(ladder(table)) == (1 + 5 + 1) * 3
    assert set(table["implementation"]) == set(IMPLEMENTATIONS)
    assert row_of(table, "SiD, best")["kimg"] == "44"


def test_the_standard_error_is_over_draws_of_one_seed_and_over_seeds_of_many():
    records = make_records()
    chosen = (records["recipe"] == "sid") & (records["selection"] == "last")
    chosen &= (records["metric"] == "frechet_distance") & (records["implementation"] == "ours")
    values = records.loc[chosen, "value"]
    row = row_of(main_table(records), "SiD, last")
    assert row["frechet_distance"] == pytest.approx(values.mean())
    assert row["frechet_distance_stderr"] == pytest.approx(values.std() / 3**0.5)

    records = make_records(seeds=(0, 1, 2))
    chosen = (records["recipe"] == "sid") & (records["selection"] == "last")
    chosen &= (records["metric"] == "frechet_distance") & (records["implementation"] == "ours")
    means = records[chosen].groupby("run_seed")["value"].mean()
    row = row_of(main_table(records), "SiD, last")
    assert (row["seeds"], row["draws"]) == (3, 3)
    assert row["frechet_distance_stderr"] == pytest.approx(means.std() / 3**0.5)


def test_a_single_draw_has_no_error():
    row = row_of(main_table(make_records(draws=1)), "SiD, last")
    assert np.isnan(row["frechet_distance_stderr"])


def test_markdown_and_csv_agree(tmp_path):
    table = main_table(make_records())
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
    assert with_error(764.2, float("nan")) == "764"
    assert with_error(float("nan"), 1.0) == "-"
    assert with_error(0.0, float("nan")) == "0.000"


def test_other_metrics_are_in_the_tables_where_records_hold_them():
    records = make_records()
    assert not {"precision", "coverage"} & set(main_table(records).columns)
    score = records[records["metric"] == "inception_score"]
    more = pd.concat([records, *(score.assign(metric=name) for name in ("precision", "coverage"))])
    table = main_table(more)
    assert row_of(table, "SiD, last")["coverage"] == row_of(table, "SiD, last")["inception_score"]
    shown = readable(table, "digits-cnn")
    names = ["Inception score", "Precision", "Coverage"]
    assert list(shown)[-3:] == [f"{name} (digits-cnn), ours" for name in names]


def test_only_the_2015_inception_makes_an_fid():
    table = main_table(make_records())
    assert {"FID, ours", "FID, clean-fid", "KID, ours"} <= set(readable(table, "inception-2015"))
    assert not any("ID," in name for name in readable(table, "dinov2-vits14"))


def test_halves_and_samples_are_no_models():
    table = main_table(pd.concat([make_records(), make_samples({"ours": {}})]))
    assert set(table["role"]) == {"final", "curve", "teacher", "floor"}
    assert 898 not in set(table["n_images"])


def test_a_bar_within_a_cell_does_not_end_it():
    text = to_markdown(pd.DataFrame({"Preprocessing": ["a | b"], "n": [1]}))
    assert text.splitlines()[2] == "| a \\| b | 1 |"
