"""The digits' claims, as `claims.yaml` has them, on records of known laws."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.verdict import Verdict
from tests.verdict.synthetic import BIAS, LAWS, make_records, make_samples, power

SEEDS = (0, 1, 2)
CLAIMS = load_claims()
DIGITS = [  # About methods that the records have.
    name
    for name, claim in CLAIMS.claims.items()
    if claim.subject in LAWS and claim.against in (*LAWS, "teacher", "")
]
RANKINGS = ("near", "meets", "sid2a")


def by_claim(table: pd.DataFrame) -> dict[str, Verdict]:
    return {verdict.claim: verdict for verdict in judge(table, CLAIMS)}


def with_law(recipe: str, law: Callable[[float], float], noise: float = 0.02) -> pd.DataFrame:
    return make_records(laws={**LAWS, recipe: law}, noise=noise, seeds=SEEDS)


def test_known_laws_are_found() -> None:
    found = by_claim(make_records(noise=0.02, seeds=SEEDS))
    slope, fall = found["power-law/sid"], found["falls/sida"]
    assert slope.verdict == fall.verdict == "holds"
    assert slope.low < -0.54 < slope.high
    assert fall.low < 764 / LAWS["sida"](60000) < fall.high
    near = found["near-teacher/sid"]
    assert near.low < LAWS["sid"](60000) * 0.97 / 4.1 < near.high
    assert list(found) == DIGITS


def floor(images: float) -> float:
    """A power law above a floor, which at 60 kimg is three quarters of it."""
    return 6 + 2 * (images / 60000) ** -0.8


def test_a_curve_with_a_floor_is_no_power_law() -> None:
    """R2 is above 0.95, so that a test of no bend that lacks power would let it pass."""
    assert by_claim(with_law("sid", floor))["power-law/sid"].verdict == "does not hold"
    noisy = by_claim(with_law("sid", floor, noise=0.3))["power-law/sid"]
    assert noisy.verdict == "inconclusive"


def test_a_rising_curve_is_no_falling_power_law() -> None:
    found = by_claim(with_law("sida", power(0.4, 40.0)))
    assert found["power-law/sida"].verdict == "does not hold"
    assert found["falls/sida"].verdict == "does not hold"


def test_a_curve_shifted_by_two_needs_half_the_images() -> None:
    table = with_law("sida", lambda images: LAWS["sid"](2 * images))
    found = by_claim(table)["fewer-images"]
    assert found.verdict == "holds"
    assert found.low < 2 < found.high < 2.3
    tie = by_claim(with_law("sida", LAWS["sid"]))["fewer-images"]
    assert tie.verdict == "inconclusive"


def test_a_fast_start_that_ends_above_is_not_called_faster() -> None:
    """It reaches 10 times the teacher in a tenth of the images, and 5 times never."""
    stuck = by_claim(with_law("sida", lambda images: max(23, LAWS["sid"](10 * images))))
    verdict = stuck["fewer-images"]
    assert verdict.verdict == "inconclusive"
    assert verdict.low == 0
    assert "by one side and so bounds" in verdict.reason
    turned = with_law("sid", lambda images: max(23, LAWS["sid"](images)))
    slow = by_claim(turned)["fewer-images"]
    assert (slow.verdict, slow.high) == ("holds", math.inf)


def test_one_seed_decides_no_statement_about_training() -> None:
    for name, verdict in by_claim(make_records()).items():
        if verdict.against == "teacher":
            assert verdict.scope == "this checkpoint"
            continue
        assert verdict.verdict == "undecided", name
        assert "one run" in verdict.reason
        assert math.isfinite(verdict.value)


def test_the_teacher_on_the_noise_of_curves_alone_decides_nothing() -> None:
    found = by_claim(make_records(seeds=SEEDS, teacher_draws=0))
    for name, verdict in found.items():
        if verdict.against == "teacher":
            assert verdict.verdict == "not run", name
    assert found["sid2a-improves-on-start"].verdict == "holds"


def test_ratios_tell_the_bias_in_them() -> None:
    records = make_records(noise=0.02, seeds=SEEDS)
    assert round(BIAS * (1 / 20000 + 1 / 1797), 1) == 2.7
    for claim in ("near-teacher/sid", "meets-teacher/sida", "sid2a-improves-on-continued"):
        reason = by_claim(records)[claim].reason
        assert "a perfect generator would read about 2.69" in reason
    without = by_claim(records[~records["role"].isin(["redrawn", "halves"])])
    assert "perfect" not in without["near-teacher/sid"].reason


def test_last_decides_and_best_that_is_last_counts_once() -> None:
    records = make_records(seeds=SEEDS)
    best = records["selection"] == "best"
    changed = by_claim(records.assign(value=records["value"].where(~best, 1.0)))
    assert changed == by_claim(records)
    assert by_claim(make_records(seeds=SEEDS, last_is_best=("sid",)))["near-teacher/sid"].runs == 3


def test_one_draw_decides_nothing() -> None:
    for verdict in by_claim(make_records(draws=1, seeds=SEEDS)).values():
        if verdict.claim.startswith((*RANKINGS, "falls")):
            assert verdict.verdict == "undecided"


@pytest.mark.parametrize("recipe", sorted(LAWS))
def test_a_missing_method_is_not_run(recipe: str) -> None:
    table = make_records(seeds=SEEDS)
    left = table[table["recipe"] != recipe]
    for verdict in judge(left, CLAIMS, DIGITS):
        concerned = recipe in (verdict.subject, verdict.against)
        assert (verdict.verdict == "not run") == concerned, verdict.claim
    assert {verdict.subject for verdict in judge(left, CLAIMS)} <= set(LAWS) - {recipe}


def test_a_diverged_run_does_not_stop_the_others() -> None:
    table = make_records(seeds=SEEDS)
    table.loc[table["recipe"] == "sida", "value"] = np.nan
    found = by_claim(table)
    assert found["near-teacher/sida"].verdict == "undecided"
    assert found["near-teacher/sid"].verdict == "holds"


@pytest.mark.parametrize("column", ["reference_sha256", "extractor_sha256", "extractor"])
def test_two_benchmarks_in_one_table_decide_nothing(column: str) -> None:
    table = make_records(seeds=SEEDS)
    other = table.assign(draw=table["draw"] + 100 * (table["draw"] > 0), **{column: "f" * 64})
    for verdict in judge(pd.concat([table, other]), CLAIMS):
        assert verdict.verdict == "undecided"
        assert "mixed" in verdict.reason


@pytest.mark.parametrize("column", ["reference_sha256", "extractor_sha256"])
def test_a_recipe_measured_differently_is_not_faster(column: str) -> None:
    table = make_records(seeds=SEEDS)
    table.loc[table["recipe"] == "sida", column] = "f" * 64
    verdict = by_claim(table)["fewer-images"]
    assert verdict.verdict == "undecided"
    assert column in verdict.reason


def test_what_others_bring_along_is_no_second_benchmark() -> None:
    table = make_records(seeds=SEEDS)
    own = {"reference_sha256": "9" * 64, "n_reference": None, "extractor_sha256": "a" * 64}
    nvidia = table[table["implementation"] == "torch-fidelity"]
    nvidia = nvidia.assign(implementation="nvidia", **own)
    sample = make_samples({"ours": {"extractor": "dinov2-vits14", "reference_sha256": "8" * 64}})
    assert by_claim(pd.concat([table, nvidia, sample])) == by_claim(table)


def test_two_image_counts_decide_nothing() -> None:
    table = make_records(seeds=SEEDS)
    table.loc[table.index[table["role"] == "curve"][0], "n_images"] = 4999
    one = by_claim(table)["falls/" + str(table.loc[table["n_images"] == 4999, "recipe"].iloc[0])]
    assert one.verdict == "undecided"
    assert "do not compare" in one.reason


def test_every_criterion_says_its_level_and_its_bound() -> None:
    for criterion in {
        claim.criterion.text: claim.criterion for claim in CLAIMS.claims.values()
    }.values():
        sides = f"{100 * criterion.level:g} %", f"one-sided, {50 * (1 - criterion.level):.2g} %"
        assert any(each in criterion.text for each in sides)
        said = {f"{criterion.bound:g}", f"{criterion.bound:.2f}", f"{100 * criterion.bound:g} %"}
        assert any(each in criterion.text for each in said)
