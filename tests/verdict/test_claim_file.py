"""The claims of the suite, entered a second time where a slip would be a wrong verdict."""

import csv

import pytest

from sid.config import read_yaml
from sid.fetch.catalogue import catalogue
from sid.teacher.sampler import PUBLISHED_SAMPLERS
from sid.verdict.claim import load_claims
from sid.verdict.published import GRADES, load_published
from tests.recipes.published import DISTILLATIONS, ROOT, TEACHERS

CLAIMS = load_claims(ROOT / "baselines/published")
RECIPES = {**TEACHERS, **DISTILLATIONS}
OURS = {name: about for name, about in CLAIMS.subjects.items() if name in RECIPES}

# README of SiD; README of its branch sida; EDM's README and table 2.
HEADLINES = {
    "cifar10-uncond-sid-alpha1.2": "1.923",
    "cifar10-cond-sid-alpha1.2": "1.710",
    "imagenet64-sid-alpha1.2": "1.524",
    "ffhq64-sid-alpha1.2": "1.550",
    "afhqv2-64-sid-alpha1": "1.628",
    "cifar10-uncond-sid2a-alpha1": "1.499",
    "cifar10-cond-sid2a-alpha1.2": "1.396",
    "imagenet64-sid2a-alpha1.2": "1.110",
    "ffhq64-sid2a-alpha1": "1.040",
    "afhqv2-64-sid2a-alpha1": "1.276",
    "edm-cifar10-32x32-uncond-vp": "1.97",
    "edm-cifar10-32x32-cond-vp": "1.79",
    "edm-imagenet-64x64-cond-adm": "1.36",
    "edm-ffhq-64x64-uncond-vp": "2.39",
    "edm-afhqv2-64x64-uncond-vp": "1.96",
}


@pytest.mark.parametrize("subject", HEADLINES)
def test_headline_values_are_those_of_the_sources(subject: str) -> None:
    number = CLAIMS.claims[f"{subject}/fid"].number
    assert number
    assert number.text == HEADLINES[subject]
    assert GRADES[number.evidence]


def test_each_published_recipe_is_a_subject_as_its_recipe_says() -> None:
    assert set(OURS) == set(RECIPES)
    for name, recipe in DISTILLATIONS.items():
        about = OURS[name]
        alpha = float(about.published.get("alpha", 1))
        assert (about.dataset, about.start) == (recipe.data, recipe.start or ""), name
        assert alpha == recipe.method.alpha, name  # type: ignore[attr-defined]
        assert about.method.lower() == ("sid2a" if recipe.start else recipe.method.name), name
        assert (about.published["conditional"] == "cond") == TEACHERS[recipe.teacher].conditional


def test_teachers_take_the_evaluations_of_their_published_samplers() -> None:
    for name, teacher in TEACHERS.items():
        about = OURS[name]
        assert str(teacher.weights).endswith(f"/{about.weights}")
        assert about.nfe == 2 * PUBLISHED_SAMPLERS[about.dataset][0] - 1
        assert CLAIMS.claims[f"{name}/fid"].protocol.of == "minimum of 3"


def test_weights_are_those_that_can_be_fetched() -> None:
    """Each generator and teacher of files.csv belongs to one subject, on its data and at its kimg.

    Only alphas without a published checkpoint have no weights.
    """
    published = {name: about for name, about in OURS.items() if about.weights}
    files = {f.name: f for f in catalogue().values() if f.kind in ("generator", "teacher")}
    assert sorted(about.weights for about in published.values()) == sorted(files)
    without = {name for name in OURS if name not in published}
    alphas = ("-0.25", "0", "0.5", "0.75", "1.5")
    assert without == {f"cifar10-uncond-sid-alpha{alpha}" for alpha in alphas}
    for name, about in published.items():
        if name in DISTILLATIONS:
            columns = about.published
            said = f"{about.method} of {columns['dataset']} {columns['conditional']} at alpha "
            alpha = f"{float(columns.get('alpha', 1)):g}"
            assert files[about.weights].purpose == f"{said}{alpha} and {about.kimg:.0f} kimg"
            assert int(about.weights.removesuffix(".pkl").rpartition("-")[2]) == about.kimg


def test_each_number_is_of_the_method_and_setting_of_its_subject() -> None:
    results = load_published(ROOT / "baselines/published/results.csv")
    for claim in CLAIMS.claims.values():
        if claim.number is None or claim.subject not in OURS:
            continue
        row = results.loc[claim.number.rows[0]]
        assert row["metric"] == claim.protocol.number
        assert (row["method"], row["nfe"]) == (claim.about.method, str(claim.about.nfe))
        values = {results.loc[index, "value"] for index in claim.number.rows}
        assert values == {claim.number.text, *(q.split(" ")[0] for q in claim.number.quoted)}


def test_every_alpha_with_a_published_number_is_claimed() -> None:
    """Each FID, IS, precision and recall of the three methods on these data sets is cited."""
    results = load_published(ROOT / "baselines/published/results.csv")
    datasets = {about.published["dataset"] for about in OURS.values()}
    numbers = {claim.protocol.number for claim in CLAIMS.claims.values()}
    cited = {i for c in CLAIMS.claims.values() if c.number for i in c.number.rows}
    methods = results["method"].isin(["SiD", "SiDA", "SiD2A"])
    ours = results[methods & results["dataset"].isin(datasets) & results["metric"].isin(numbers)]
    assert set(ours.index) <= cited
    assert {"FID", "IS", "precision", "recall"} <= numbers


def test_conflicts_stay_visible() -> None:
    quoted = CLAIMS.claims["cifar10-uncond-sid-alpha1.2/fid"].number
    assert quoted
    assert any(text.startswith("1.98 ") for text in quoted.quoted)
    teacher = CLAIMS.claims["edm-cifar10-32x32-uncond-vp/fid"].number
    assert teacher
    assert {text.split(" ")[0] for text in teacher.quoted} == {"1.98", "2.01", "2.04", "2.05"}


def test_unverified_numbers_never_decide() -> None:
    assert [grade for grade, may_decide in GRADES.items() if not may_decide] == ["unverified"]
    unverified = [c for c in CLAIMS.claims.values() if c.evidence == "unverified"]
    assert {"IS", "precision", "recall"} <= {claim.protocol.number for claim in unverified}
    assert "cifar10-uncond-sid2a-alpha1.2/fid" in {claim.name for claim in unverified}


def test_rankings_follow_the_published_numbers() -> None:
    """What is claimed to be lower is lower in print, where both are printed."""

    def fid(subject: str) -> float | None:
        found = CLAIMS.claims.get(f"{subject}/fid")
        return found.number.value if found and found.number else None

    compared = 0
    for claim in CLAIMS.claims.values():
        if claim.kind != "ranking" or claim.subject not in DISTILLATIONS:
            continue
        recipe = DISTILLATIONS[claim.subject]
        mine = fid(claim.subject)
        other = fid(recipe.teacher if claim.against == "teacher" else claim.against)
        if mine is not None and other is not None:
            assert mine < claim.criterion.bound * other, claim.name
            compared += 1
    assert compared >= 25
    assert not any(name.startswith("imagenet64-sid-alpha1.2/surp") for name in CLAIMS.claims)


def test_no_base_is_idle_and_references_can_be_fetched() -> None:
    file = read_yaml(CLAIMS.path)
    entries = [entry for section in file.values() for entry in section.values()]
    named = [entry.get("base", []) for entry in entries]
    used = {base for bases in named for base in (bases if isinstance(bases, list) else [bases])}
    assert used == set(file["bases"])
    references = {c.protocol.reference for c in CLAIMS.claims.values() if c.subject in OURS}
    assert references - {""} <= set(catalogue())


def test_no_row_stands_twice() -> None:
    for name in ("results.csv", "checkpoints.csv", "files.csv"):
        rows = list(csv.reader((CLAIMS.path.parent / name).open(newline="")))
        assert len({tuple(row) for row in rows}) == len(rows)
        assert {len(row) for row in rows} == {len(rows[0])}
