import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sid.errors import UserError
from sid.verdict.claims import judge
from sid.verdict.verdict import to_table
from tests.verdict.synthetic import BIAS, LAWS, make_records, make_samples, power


def by_claim(table):
    return {verdict.claim: verdict for verdict in judge(table)}


SEEDS = (0, 1, 2)


def with_law(recipe, law):
    return make_records(laws={**LAWS, recipe: law}, noise=0, seeds=SEEDS)


def test_exact_laws_give_exact_figures():
    found = by_claim(make_records(noise=0, seeds=SEEDS))
    slope = found["power-law/sid"]
    assert (slope.verdict, slope.value) == ("holds", pytest.approx(-0.54))
    fall = found["falls/sida"]
    assert fall.value == pytest.approx(764 / LAWS["sida"](60000))
    assert fall.verdict == "holds"
    near = found["near-teacher/sid"]
    assert near.value == pytest.approx(LAWS["sid"](60000) * 0.97 / 4.1)


def test_a_bent_curve_is_no_power_law():
    bent = with_law("sid", lambda images: 8 + 300 * np.exp(-images / 3000))
    assert by_claim(bent)["power-law/sid"].verdict == "does not hold"


def test_a_rising_curve_is_no_falling_power_law():
    found = by_claim(with_law("sida", power(0.2, 40.0)))
    assert found["power-law/sida"].verdict == "does not hold"
    assert found["falls/sida"].verdict == "does not hold"


def test_a_curve_shifted_by_two_needs_half_the_images():
    table = with_law("sida", lambda images: LAWS["sid"](2 * images))
    found = by_claim(table)["fewer-images"]
    assert (found.verdict, found.value) == ("holds", pytest.approx(2, rel=1e-9))
    assert (found.low, found.high) == pytest.approx((2, 2))


def test_equal_curves_are_a_tie():
    found = by_claim(with_law("sida", LAWS["sid"]))["fewer-images"]
    assert (found.verdict, found.value) == ("inconclusive", pytest.approx(1))


def test_the_points_of_one_curve_are_no_repetition():
    found = by_claim(make_records())
    for claim in ("power-law/sid", "power-law/sida", "fewer-images"):
        assert found[claim].verdict == "inconclusive"
        assert np.isfinite(found[claim].value)
        assert np.isnan(found[claim].low)


@pytest.mark.parametrize(
    ("factor", "outcome", "verdict"),
    [(1.03, "equivalent", "holds"), (0.7, "better", "holds"), (1.5, "worse", "does not hold")],
)
def test_meeting_the_teacher(factor, outcome, verdict):
    found = by_claim(with_law("sid2a", lambda _: 4.1 / 0.97 * factor))["meets-teacher/sid2a"]
    assert found.verdict == verdict
    assert found.reason.startswith(outcome)
    assert found.value == pytest.approx(factor)
    assert found.level == 0.9


def test_noise_beyond_the_margin_is_inconclusive():
    table = make_records(laws={"sida": lambda _: 4.1 / 0.97 * 1.08}, noise=0.3)
    assert by_claim(table)["meets-teacher/sida"].verdict == "inconclusive"


def test_of_one_training_run_only_that_run_is_spoken():
    one, three = by_claim(make_records()), by_claim(make_records(seeds=(0, 1, 2)))
    for claim, verdict in one.items():
        curve = claim.startswith(("power-law", "fewer"))
        assert verdict.scope == ("this run" if curve else "this checkpoint")
        assert "redraw noise only" in verdict.reason or "one training run" in verdict.reason
        of_run = {"power-law/sid": "This SiD run's", "fewer-images": "This SiDA run needs"}
        assert of_run.get(claim, "his Si") in verdict.statement
        assert three[claim].scope == "3 training seeds"
        assert "3 training seeds" in three[claim].reason
        assert "his Si" not in three[claim].statement


@pytest.mark.parametrize("seeds", [(0,), SEEDS])
def test_the_teacher_is_drawn_as_often_and_is_this_teacher(seeds):
    records = make_records(seeds=seeds, teacher_draws=3)
    for claim in ("near-teacher/sid", "meets-teacher/sid2a"):
        verdict = by_claim(records)[claim]
        assert "given this teacher, by its 3 draws" in verdict.reason
        assert "this teacher" in verdict.statement
    rows = (records["role"] == "final") & (records["recipe"] == "sid")
    rows &= records["selection"] == "last"
    teacher = (records["role"] == "teacher") & (records["n_images"] == 20000)
    ours = (records["metric"] == "frechet_distance") & (records["implementation"] == "ours")
    runs = np.log(records[rows & ours].astype({"value": float}).set_index("run_seed")["value"])
    units = runs.groupby(level=0).mean() if len(seeds) > 1 else runs
    draws = np.log(records[teacher & ours]["value"].astype(float))
    welch = stats.ttest_ind(units, draws, equal_var=False).confidence_interval(0.95)
    near = by_claim(records)["near-teacher/sid"]
    assert (near.low, near.high) == pytest.approx((np.exp(welch.low), np.exp(welch.high)))


def test_older_records_with_one_draw_of_the_teacher_are_judged():
    found = by_claim(make_records(teacher_draws=0))["near-teacher/sid"]
    assert found.verdict == "holds"
    assert "by its lone draw, taken to scatter like these draws" in found.reason


def test_a_larger_curve_makes_no_fresh_draw_of_the_teacher_from_its_fixed_one():
    """Where curves and fresh draws have one size, the curves' noise stays with the curves."""
    records = make_records(noise=0).replace({"n_images": {5000: 20000}})
    assert by_claim(records)["near-teacher/sid"].reason.count("3 draws") == 2


def test_best_compares_with_best():
    """The best of SiD2A lies far below everything, and so does SiD's: their ratio is 1."""
    records = make_records(noise=0)
    best = (records["selection"] == "best") & records["recipe"].isin(["sid", "sid2a"])
    records.loc[best, "value"] = 1.0
    reason = by_claim(records)["sid2a-improves-on-start"].reason
    assert "best against best by the curve (12 and 44 kimg): 1, 95 % interval 1 to 1" in reason
    same = by_claim(make_records(last_is_best=("sid", "sid2a")))
    assert "the last is also the best" in same["sid2a-improves-on-start"].reason
    assert "the last is also the best" in same["near-teacher/sid"].reason
    one = by_claim(make_records(last_is_best=("sid2a",)))
    assert "best against best (" not in one["sid2a-improves-on-continued"].reason
    assert "(18 and 12 kimg)" in one["sid2a-improves-on-continued"].reason


def test_ratios_tell_the_bias_in_them():
    found = by_claim(make_records(noise=0))
    expected = f"{BIAS * (1 / 20000 + 1 / 1797):.6g}"
    for claim in ("near-teacher/sid", "meets-teacher/sida", "sid2a-improves-on-continued"):
        assert f"a perfect generator would read about {expected}" in found[claim].reason
        assert "toward 1" in found[claim].reason
    records = make_records(noise=0)
    without = by_claim(records[~records["role"].isin(["redrawn", "halves"])])
    assert "perfect" not in without["near-teacher/sid"].reason


def test_bounds_of_ours_are_not_laid_to_the_papers():
    for verdict in judge(make_records()):
        if not verdict.claim.startswith(("sid2a", "power-law")):
            assert "ours" in verdict.source or "judged here" in verdict.source


def test_seeds_pair_with_the_start_they_had():
    table = make_records(seeds=(0, 1, 2), noise=0)
    seeds = table["run_seed"]
    own = np.where(seeds > 0, 1 + seeds, 1)  # Runs differ, their ratio does not.
    found = by_claim(table.assign(value=table["value"] * own))["sid2a-improves-on-start"]
    expected = LAWS["sid2a"](18000) / LAWS["sid"](60000)
    assert (found.low, found.high) == pytest.approx((expected, expected))
    assert found.verdict == "holds"


def test_one_draw_decides_nothing():
    for verdict in judge(make_records(draws=1)):
        if verdict.claim.startswith(("near", "meets", "sid2a", "falls")):
            assert verdict.verdict == "inconclusive"
            assert "no interval" in verdict.reason


@pytest.mark.parametrize("recipe", sorted(LAWS))
def test_a_missing_method_is_not_run(recipe):
    table = make_records()
    found = by_claim(table[table["recipe"] != recipe])
    mentions = {claim for claim in found if claim.endswith(f"/{recipe}")}
    mentions |= {"fewer-images"} if recipe in ("sid", "sida") else set()
    mentions |= {"sid2a-improves-on-start"} if recipe in ("sid", "sid2a") else set()
    mentions |= {"sid2a-improves-on-continued"} if recipe in ("sid2a", "sid-continued") else set()
    assert {claim for claim, v in found.items() if v.verdict == "not run"} == mentions


def test_no_records_at_all_are_not_run():
    assert {verdict.verdict for verdict in judge(make_records().iloc[:0])} == {"not run"}


def test_a_diverged_run_does_not_stop_the_others():
    table = make_records()
    table.loc[table["recipe"] == "sida", "value"] = np.nan
    found = by_claim(table)
    assert found["near-teacher/sida"].verdict == "not run"
    assert found["near-teacher/sid"].verdict == "holds"


def test_two_data_sets_are_refused():
    table = make_records()
    other = pd.concat([table, table.assign(reference_sha256="f" * 64)])
    with pytest.raises(UserError, match="mix 2 data sets"):
        judge(other)


@pytest.mark.parametrize("other", [{"extractor": "dinov2-vits14"}, {}])
def test_two_extractors_are_refused(other):
    table = make_records()
    both = pd.concat([table, table.assign(extractor_sha256="f" * 64, **other)])
    with pytest.raises(UserError, match=r"mix 2 (extractors|weights).*table of its own") as error:
        judge(both)
    assert "\n" not in str(error.value)


def test_what_others_bring_along_is_no_second_benchmark():
    table = make_records(noise=0)
    own = {"reference_sha256": "9" * 64, "n_reference": None, "extractor_sha256": "a" * 64}
    nvidia = table[table["implementation"] == "torch-fidelity"]
    nvidia = nvidia.assign(implementation="nvidia", **own)
    sample = make_samples({"ours": {"extractor": "dinov2-vits14", "reference_sha256": "8" * 64}})
    both = judge(pd.concat([table, nvidia, sample]))
    pd.testing.assert_frame_equal(to_table(both), to_table(judge(table)))


def test_two_image_counts_are_refused():
    table = make_records()
    table.loc[table.index[table["role"] == "curve"][0], "n_images"] = 4999
    with pytest.raises(UserError, match="image counts"):
        judge(table)
