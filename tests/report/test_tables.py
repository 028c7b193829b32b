import io

import numpy as np
import pandas as pd
import pytest

from sid.report.agreement import agreement_table, differences, plot_agreement
from sid.report.tables import (
    endings,
    ladder,
    main_table,
    readable,
    to_markdown,
    with_error,
    write_table,
)
from tests.verdict.synthetic import IMPLEMENTATIONS, LAWS, make_records


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


def test_agreement_is_the_relative_difference_to_ours():
    table = agreement_table(differences(make_records())).set_index(["metric", "implementation"])
    distance = table.loc["frechet_distance"]
    assert 2e-6 < distance.loc["clean-fid", "relative_max"] <= 2e-5 * (1 + 1e-6)
    assert distance.loc["torch-fidelity", "relative_max"] <= 3e-7 * (1 + 1e-6)
    assert np.isnan(distance.loc["clean-fid", "errors_max"])
    assert table.loc["kernel_distance", "errors_max"].max() < 1


def test_the_agreement_figure_has_a_dot_a_value_and_the_tolerance():
    found = differences(make_records())
    axes = plot_agreement(found).axes[0]
    n = sum(found["metric"] == "frechet_distance")
    assert sum(len(dots.get_offsets()) for dots in axes.collections) == n
    assert axes.get_xscale() == "log"
    assert any(list(line.get_xdata()) == [1e-4, 1e-4] for line in axes.lines)


def test_one_implementation_alone_has_nothing_to_agree_with():
    records = make_records(laws={"sid": LAWS["sid"]})
    found = differences(records[records["implementation"] == "ours"])
    assert agreement_table(found).empty
    plot_agreement(found)
