"""What the records have to be to decide a claim: each thing that may be wrong with them."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.verdict_records import claim_of, claims_of, rows_of, table_of
from sid.errors import UserError
from sid.verdict.claims import judge
from sid.verdict.verdict import Verdict

TEN = math.log(2) + 0.005 * np.sin(np.arange(10))[None]


def rows(**fields: Any) -> list[dict[str, Any]]:
    return rows_of(TEN, role="external", **fields)


def found(*some: list[dict[str, Any]], **asked: Any) -> Verdict:
    return judge(table_of(*some), claims_of(claim_of("checkpoint", **asked)))[0]


@pytest.mark.parametrize(
    ("fields", "outcome", "says"),
    [
        ({"metric": "kernel_distance"}, "not run", "wanted frechet_distance, found kernel"),
        ({"implementation": "ours"}, "undecided", "wanted frechet_distance by nvidia"),
        ({"extractor": "dinov2-vits14"}, "undecided", "found frechet_distance by nvidia, dinov2"),
        ({"n_images": 5000}, "undecided", "5,000 images where 50,000 are wanted decide nothing"),
        ({"dataset": "ffhq-64x64"}, "not run", "wanted on cifar10-32x32, found on ffhq-64x64"),
        ({"recipe": "b"}, "not run", "no fresh draws"),
        ({"role": "sample"}, "not run", "no fresh draws"),
        ({"extractor_sha256": ""}, "undecided", "no extractor_sha256 and count for nothing"),
        ({"reference_sha256": ""}, "undecided", "no reference_sha256 and count for nothing"),
        ({"weights_sha256": ""}, "undecided", "no weights_sha256 and count for nothing"),
        ({"git": ""}, "undecided", "no git and count for nothing"),
    ],
)
def test_records_of_another_thing_decide_nothing(
    fields: dict[str, Any], outcome: str, says: str
) -> None:
    """And beside the right ones they change nothing but what is said."""
    own = [{**row, **fields} for row in rows()]
    whole = found(rows())
    (verdict,) = judge(table_of(own), claims_of(claim_of("checkpoint")), ["claim"])
    assert whole.verdict == "reproduces"
    assert verdict.verdict == outcome
    assert says in verdict.reason
    beside = found(rows(), [{**row, "value": row["value"] * 2} for row in own])
    assert (beside.verdict, beside.low, beside.high) == (whole.verdict, whole.low, whole.high)


def test_without_the_checksum_of_what_was_measured_a_record_counts_for_nothing() -> None:
    bare = [{**row, "generated_sha256": ""} for row in rows()]
    assert "generated_sha256" in found(bare).reason
    some = found([*bare[:3], *rows()[3:]])
    assert some.verdict == "undecided"
    assert "3 records" in some.reason
    assert "draw 1, 2, 3" in some.reason
    assert "7 draws in common where 10 are wanted" in some.reason


@pytest.mark.parametrize("column", ["extractor_sha256", "reference_sha256", "weights_sha256"])
def test_two_of_what_should_be_one_are_not_mixed(column: str) -> None:
    verdict = found(rows()[:5], rows(**{column: "f" * 64})[5:])
    assert verdict.verdict == "undecided"
    assert "mixed" in verdict.reason
    assert "ffffffffffff" in verdict.reason


def test_conflicting_records_of_one_measurement_decide_nothing() -> None:
    again = [{**row, "value": row["value"] * 1.001} for row in rows()[:1]]
    verdict = found(rows(), again)
    assert verdict.verdict == "undecided"
    assert "two records of seed -1, draw 1 differ" in verdict.reason
    assert found(rows(), rows()[:1]) == found(rows())


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0])
def test_a_value_without_logarithm_decides_nothing(value: float) -> None:
    verdict = found([{**rows()[0], "value": value}, *rows()[1:]])
    assert verdict.verdict == "undecided"
    assert "draw 1" in verdict.reason


def test_fewer_draws_are_shown_and_decide_nothing() -> None:
    verdict = found(rows()[:9])
    assert verdict.verdict == "undecided"
    assert "9 draws in common where 10 are wanted, which decides nothing" in verdict.reason
    assert math.isfinite(verdict.low)
    one = found(rows()[:1])
    assert one.verdict == "undecided"
    assert one.reproduced == pytest.approx(2, rel=0.01)
    assert math.isnan(one.low)


def test_draws_added_afterwards_do_not_count() -> None:
    more = [{**rows()[0], "draw": 11, "value": 3.0}]
    assert found(rows(), more) == found(rows())


@pytest.mark.parametrize(
    ("labels", "outcome", "says"),
    [
        ("data set's frequencies of 10 classes", "reproduces", ""),
        ("uniform over 10 classes, the data set's frequencies", "reproduces", "one law"),
        ("uniform over 10 classes", "undecided", "the published value's by data set"),
        ("", "reproduces", ""),
    ],
)
def test_classes_are_drawn_as_the_published_ones(labels: str, outcome: str, says: str) -> None:
    verdict = found(rows(labels=labels), labels="data set")
    assert verdict.verdict == outcome
    assert says in verdict.reason


def test_of_two_rules_of_classes_the_protocols_decides() -> None:
    other = [{**row, "value": 3.0, "labels": "uniform over 1000 classes"} for row in rows()]
    both = (rows(labels="data set's frequencies of 1000 classes"), other)
    verdict = found(*both, labels="data set")
    assert verdict.verdict == "reproduces"
    assert "10 draws by another rule of classes (uniform) left out" in verdict.reason
    mixed = found(*both)
    assert mixed.verdict == "undecided"
    assert "two rules" in mixed.reason


def test_unknown_names_are_refused_and_missing_evidence_is_not_run() -> None:
    claims = claims_of(claim_of("checkpoint"))
    with pytest.raises(UserError, match=r"claims\.yaml: has no claim b"):
        judge(table_of(rows()), claims, ["b"])
    empty = table_of(rows()).iloc[:0]
    assert judge(empty, claims) == []
    (verdict,) = judge(empty, claims, ["claim"])
    assert verdict.verdict == "not run"
    assert verdict.command == "sid evaluate compare GENERATOR REFERENCE --as a"


def test_a_table_as_a_file_has_it_is_judged_alike(tmp_path: Any) -> None:
    from sid.evaluate.records import load_table

    table_of(rows()).to_csv(tmp_path / "records.csv", index=False)
    loaded = load_table(tmp_path / "records.csv")
    assert isinstance(loaded, pd.DataFrame)
    assert judge(loaded, claims_of(claim_of("checkpoint")))[0].verdict == "reproduces"
