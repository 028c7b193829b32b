"""Recipes against each other and the teacher: differences paired by draw, worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from benchmarks.verdict_records import claim_of, claims_of, rows_of, table_of
from sid.verdict.claims import judge
from sid.verdict.design import holm
from sid.verdict.order import partial_order
from sid.verdict.verdict import Verdict, to_table

T2, T1 = 2.9199856, 6.3137515  # Student's t, 95 %, 2 degrees and 1.
SHARED = np.array([-0.3, 0.1, 0.2])  # Far larger than all else, and in both sides.
OWN = np.array([[0.001, -0.001, 0], [0, 0.001, -0.001], [-0.001, 0, 0.001]])
RUNS = np.array([-0.01, 0, 0.01])


def side(mean: float, recipe: str = "a", runs: np.ndarray = RUNS) -> np.ndarray:
    own = OWN[: len(runs)] if recipe == "a" else 0
    return math.log(mean) + runs[:, None] + SHARED[None] + own


def ranked(
    table: pd.DataFrame, against: str = "b", bound: float = 1.0, metric: str = "frechet_distance"
) -> Verdict:
    claim = claim_of("ranking", against=against, bound=bound, draws=3, metric=metric)
    return judge(table, claims_of(claim))[0]


def test_what_draws_share_cancels() -> None:
    """Seeds differ by 0, 0.02 and 0.04, draws not on the average."""
    b = side(2.0, "b", np.array([-0.01, 0.02, 0.05]))
    verdict = ranked(table_of(rows_of(side(1.9)), rows_of(b, recipe="b")))
    half = T2 * 0.02 / math.sqrt(3)
    middle = math.log(0.95) - 0.02
    expected = [math.exp(middle + half * way) for way in (-1, 0, 1)]
    assert [verdict.low, verdict.value, verdict.high] == pytest.approx(expected, abs=1e-6)
    assert verdict.verdict == "holds"
    assert "by draw and seed" in verdict.reason
    assert verdict.scope == "3 training seeds"


@pytest.mark.parametrize(
    ("mean", "outcome"), [(1.9, "holds"), (2.02, "inconclusive"), (2.2, "does not hold")]
)
def test_against_the_teacher_of_the_same_draws(mean: float, outcome: str) -> None:
    teacher = {"role": "teacher", "recipe": "edm", "selection": "", "nfe": 35}
    worse = {**teacher, "nfe": 5}
    table = table_of(
        rows_of(side(mean)),
        rows_of(side(2.0, "t", np.zeros(1)), **teacher),
        rows_of(side(9.0, "t", np.zeros(1)), **worse),
    )
    verdict = ranked(table, "teacher")
    assert verdict.verdict == outcome
    assert verdict.value == pytest.approx(mean / 2)
    assert verdict.high / verdict.value == pytest.approx(math.exp(T2 * 0.01 / math.sqrt(3)), 1e-6)
    assert "given this teacher" in verdict.reason
    assert "35 evaluations" in verdict.reason
    assert ranked(table, "edm") == verdict.model_copy(
        update={"against": "edm", "figure": "a / edm"}
    )


def test_two_teachers_are_to_be_told_apart() -> None:
    teacher = {"role": "teacher", "selection": "", "nfe": 35}
    both = [rows_of(side(2.0, "t", np.zeros(1)), **teacher, recipe=name) for name in ("x", "y")]
    table = table_of(rows_of(side(1.9)), *both)
    verdict = ranked(table, "teacher")
    assert verdict.verdict == "undecided"
    assert "x, y" in verdict.reason
    assert ranked(table, "x").verdict == "holds"
    table.loc[table["recipe"] == "y", "labels"] = "uniform over 10 classes"
    assert "recipe=x" in ranked(table, "teacher").records


def test_one_run_ranks_no_methods_and_one_checkpoint_meets_a_teacher() -> None:
    one = np.zeros(1)
    table = table_of(
        rows_of(side(1.9, "a", one)),
        rows_of(side(2.0, "b", one), recipe="b"),
        rows_of(side(2.0, "t", one), role="teacher", recipe="t", selection="", nfe=35),
    )
    methods, teacher = ranked(table), ranked(table, "teacher")
    assert methods.verdict == "undecided"
    assert "ranks no methods" in methods.reason
    assert math.isfinite(methods.value)
    assert (teacher.verdict, teacher.scope) == ("holds", "this checkpoint")


def test_a_published_checkpoint_against_a_published_teacher() -> None:
    one = np.zeros(1)
    student = rows_of(side(1.9, "a", one), role="external")
    teacher = rows_of(side(2.0, "b", one), role="external", recipe="b", nfe=35)
    for against in ("b", "teacher"):
        assert ranked(table_of(student, teacher), against).verdict == "holds"
    images = [{**row, "weights_sha256": ""} for row in student]  # Given as images alone.
    assert ranked(table_of(images, teacher)).verdict == "holds"
    unknown = [{**row, "generated_sha256": ""} for row in images]
    assert "no generated_sha256" in ranked(table_of(unknown, teacher)).reason
    other = rows_of(side(2.0, "b", one), role="external", recipe="b", nfe=1)
    assert ranked(table_of(student, other)).verdict == "undecided"


def test_runs_of_other_seeds_are_not_paired() -> None:
    b = [{**row, "run_seed": row["run_seed"] + 7} for row in rows_of(side(2.0, "b"), recipe="b")]
    verdict = ranked(table_of(rows_of(side(1.9)), b))
    half = T2 * 0.01 * math.sqrt(2 / 3)
    assert verdict.high / verdict.value == pytest.approx(math.exp(half), 1e-6)
    two = ranked(table_of(rows_of(side(1.9, runs=RUNS[:2])), b))
    squares = (T1 * 0.01) ** 2 / 2 / 2, (T2 * 0.01) ** 2 / 3  # Of the runs of either side.
    own = OWN[:2].mean(axis=0).var(ddof=1) / 3  # Of draws.
    half = math.sqrt(sum(squares) + T2**2 * own)
    assert math.log(two.high / two.value) == pytest.approx(half, rel=1e-3)


def test_draws_are_paired_by_number() -> None:
    """Sides with other draws share none, and are not compared."""
    b = [{**row, "draw": row["draw"] + 3} for row in rows_of(side(2.0, "b"), recipe="b")]
    verdict = ranked(table_of(rows_of(side(1.9)), b))
    assert verdict.verdict == "undecided"
    assert "share no draw" in verdict.reason


@pytest.mark.parametrize("column", ["extractor_sha256", "reference_sha256"])
def test_sides_measured_differently_are_not_compared(column: str) -> None:
    table = table_of(
        rows_of(side(1.9)), rows_of(side(2.0, "b", RUNS[::-1]), recipe="b", **{column: "f" * 64})
    )
    verdict = ranked(table)
    assert verdict.verdict == "undecided"
    assert column in verdict.reason


def test_of_a_score_the_higher_one_is_better() -> None:
    score = {"metric": "inception_score"}
    a, b = rows_of(side(2.2), **score), rows_of(side(2.0, "b", RUNS[::-1]), recipe="b", **score)
    assert ranked(table_of(a, b), metric="inception_score").verdict == "holds"
    a = rows_of(side(1.8), **score)
    assert ranked(table_of(a, b), metric="inception_score").verdict == "does not hold"


def test_holm_as_worked_by_hand() -> None:
    found = holm([0.01, 0.04, math.nan, 0.03])
    assert found == pytest.approx([0.03, 0.06, math.nan, 0.06], nan_ok=True)
    assert holm([0.5, 0.9]) == [1, 1]
    assert holm([]) == []


def test_verdicts_of_one_page_are_read_together() -> None:
    """A claim that alone is broken at 4 % is open beside three others, and so is one kept."""
    table = table_of(rows_of(side(2.1)), rows_of(side(2.0, "b", -3 * RUNS), recipe="b"))
    alone = ranked(table, bound=0.975)
    assert alone.verdict == "does not hold"
    assert 0.025 < alone.p_value == alone.p_holm < 0.05
    names = ["one", "two", "three"]
    claims = claims_of(
        *(claim_of("ranking", against="b", bound=0.975, draws=3, name=name) for name in names)
    )
    for verdict in judge(table, claims):
        assert verdict.verdict == "inconclusive"
        assert verdict.p_holm == pytest.approx(3 * alone.p_value)
        assert "Holm" in verdict.reason
    holds = ranked(table, bound=1.13)
    assert holds.verdict == "holds"
    assert 0.02 < holds.p_kept == holds.p_kept_holm < 0.05
    assert to_table([holds])["p_kept"].tolist() == [holds.p_kept]
    assert holds.p_value == pytest.approx(1 - holds.p_kept)
    kept = claims_of(
        *(claim_of("ranking", against="b", bound=1.13, draws=3, name=name) for name in names)
    )
    for verdict in judge(table, kept):
        assert verdict.verdict == "inconclusive"
        assert verdict.p_kept_holm == pytest.approx(3 * holds.p_kept)


def test_rankings_make_a_partial_order() -> None:
    def pair(subject: str, against: str, low: float, high: float, **fields: str) -> Verdict:
        known = {"claim": "", "statement": "", "source": "", "criterion": "", "fixed": ""}
        about = {"verdict": "holds", "metric": "frechet_distance", **fields}
        return Verdict.model_validate(
            {**known, "reason": "", "kind": "ranking", "subject": subject, "against": against,
             "low": low, "high": high, **about}
        )  # fmt: skip

    found = [
        pair("a", "b", 0.8, 0.9),
        pair("b", "c", 0.8, 0.9),
        pair("a", "c", 0.6, 0.8),  # Follows from these two.
        pair("d", "c", 1.1, 1.2, verdict="does not hold"),
        pair("e", "a", 0.9, 1.05),  # At most 1.1 times.
        pair("f", "a", 0.8, 0.9, verdict="inconclusive"),
        pair("g", "h", 0.8, 0.9, metric="inception_score", verdict="does not hold"),
    ]
    assert partial_order(found) == [("a", "b"), ("b", "c"), ("c", "d"), ("h", "g")]
