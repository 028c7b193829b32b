"""An outcome beside those of other machines: what is within, and what is not."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sid.errors import UserError
from sid.evaluate.records import load_table
from sid.report.compare import COLUMNS, compare, compare_files, quantities
from sid.verdict.claim import load_claims

REFERENCE = Path(__file__).resolve().parents[2] / "reports" / "reference"


def runs(**values: list[float]) -> pd.DataFrame:
    rows = [
        ("some machine", seed, name, value)
        for name, found in values.items()
        for seed, value in enumerate(found)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def test_the_interval_is_that_of_one_more_run() -> None:
    rng = np.random.default_rng(0)
    logs = rng.normal(0.0, 0.1, size=(400, 6))
    inside = [
        compare({"a": float(np.exp(one[5]))}, runs(a=np.exp(one[:5]).tolist()))["within"][0]
        for one in logs
    ]
    low, high = stats.binom.interval(0.999, len(logs), 0.95)
    assert low <= sum(inside) <= high


def test_all_quantities_together_are_within_at_least_as_often() -> None:
    rng = np.random.default_rng(1)
    names, inside = [f"q{k}" for k in range(6)], 0
    for _ in range(300):
        values = {name: np.exp(rng.normal(0.0, 0.2, size=6)).tolist() for name in names}
        spread = runs(**{name: found[:5] for name, found in values.items()})
        inside += bool(
            compare({n: found[5] for n, found in values.items()}, spread)["within"].all()
        )
    assert inside >= stats.binom.interval(0.999, 300, 0.95)[0]


def test_a_run_that_is_another_one_again_counts_once() -> None:
    row = compare({"a": 1.0}, runs(a=[1.0, 1.0, 1.0, 1.1])).iloc[0]
    assert row["runs"] == 2
    assert (row["least"], row["greatest"]) == (pytest.approx(1.0), pytest.approx(1.1))


def test_one_run_bounds_nothing() -> None:
    assert compare({"a": 50.0}, runs(a=[1.0]))["within"].all()


def test_the_committed_outcome_is_within_its_own_spread() -> None:
    table = compare_files(REFERENCE / "records.csv", REFERENCE)
    assert table["within"].all()
    assert {"SiD, last", "SiDA, last", "SiD2A, last"} < set(table["quantity"])
    assert table["runs"].min() > 1


def test_a_worse_outcome_is_not(tmp_path: Path) -> None:
    records = load_table(REFERENCE / "records.csv")
    sid = records["recipe"] == "sid"
    records.loc[sid, "value"] = records.loc[sid, "value"].astype(float) * 10
    records.to_csv(tmp_path / "records.csv", index=False)
    table = compare_files(tmp_path / "records.csv", REFERENCE).set_index("quantity")
    assert not table.loc["SiD, last", "within"]
    assert table.loc["SiDA, last", "within"]


def test_what_is_no_reference_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"spread\.csv: no such file"):
        compare_files(REFERENCE / "records.csv", tmp_path)
    (tmp_path / "spread.csv").write_text("machine,seed\n")
    with pytest.raises(UserError, match=r"spread\.csv: has no column quantity"):
        compare_files(REFERENCE / "records.csv", tmp_path)


def test_values_are_geometric_means_over_draws() -> None:
    records = load_table(REFERENCE / "records.csv")
    rows = records[
        (records["recipe"] == "sida")
        & (records["role"] == "final")
        & (records["metric"] == "frechet_distance")
        & (records["implementation"] == "ours")
        & records["selection"].str.contains("last")
    ]
    assert quantities(records, load_claims())["SiDA, last"] == pytest.approx(
        stats.gmean(rows["value"].astype(float))
    )
