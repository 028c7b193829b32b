"""Configurations: what is shipped is sound, what is wrong is one line with the mend."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sid.config import lay_over, parse, read_layers, read_yaml
from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.experiment import (
    claims_of,
    claims_to_reach,
    configuration,
    load_experiment,
    load_plan,
    schema,
)
from sid.verdict.claim import load_claims

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def demo(**changes: Any) -> dict[str, Any]:
    return {**read_yaml(Path("config/demo.yaml")), **changes}


@pytest.mark.parametrize("path", sorted((ROOT / "config" / "budget").glob("*.yaml")), ids=str)
def test_shipped_budgets_fit(path: Path) -> None:
    plan = load_plan(lay_over(demo(), read_yaml(path)))
    assert plan.experiment.results == f"results/{path.stem}"
    assert plan.experiment.reports == f"reports/{path.stem}"


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_experiments_fit_and_do_not_share_folders(path: Path) -> None:
    experiment = load_plan(read_layers(path)).experiment
    if path.stem != "demo":
        assert experiment.results == f"results/{path.stem}"
        assert experiment.reports == f"reports/{path.stem}"


def test_published_jobs_ask_for_the_four_gpus_of_the_scripts() -> None:
    for name in ("ablation", "afhqv2-64", "cifar10", "cifar10-cond", "ffhq64", "imagenet64"):
        asked = load_experiment(name, Path("config")).experiment.cluster.distill
        assert (asked.nodes, asked.tasks, asked.gpus) == (1, 4, 4)


def test_experiments_are_found_by_name() -> None:
    """Also one that leaves keys to the demo."""
    plan = load_experiment("fashion-mnist", Path("config"))
    assert plan.experiment.data.name == "fashion-mnist-16"
    assert plan.experiment.seeds == demo()["seeds"]
    with pytest.raises(UserError, match="experiment=cifar: unknown; known are"):
        load_experiment("cifar", Path("config"))


def test_command_line_lies_over_files_and_files_over_the_experiment(tmp_path: Path) -> None:
    """Section by section, and with the bases of a file; the file's `base` is no setting."""
    (tmp_path / "low.yaml").write_text("evaluation: {n_curve: 1000, draws: 2}\n")
    (tmp_path / "mine.yaml").write_text("base: low.yaml\nevaluation: {draws: 4}\nseeds: [7]\n")
    given = {"experiment": "cifar10", "base": "low.yaml", "evaluation": {"draws": 5}}
    found = configuration(given, [tmp_path / "mine.yaml"], Path("config"))
    cifar10 = read_layers(Path("config/cifar10.yaml"))
    evaluation = {**cifar10["evaluation"], "n_curve": 1000, "draws": 5}
    assert found == {**cifar10, "evaluation": evaluation, "seeds": [7]}
    assert configuration({}, [], Path("config")) == demo()
    with pytest.raises(UserError, match="base: unknown key"):
        load_plan(configuration({"base": "low.yaml"}, [], Path("config")))


def test_a_small_try_lies_between_experiment_and_command_line() -> None:
    """In folders within those of the experiment, with the data set that is prepared for both."""
    given = {"experiment": "cifar10", "try": True, "seeds": [3], "results": "/work/mine"}
    found = load_plan(configuration(given, [], Path("config"))).experiment
    small = read_yaml(Path("config/budget/try.yaml"))
    assert (found.results, found.reports) == ("/work/mine/try", "reports/cifar10/try")
    assert found.data.folder == "/work/mine/data"
    assert found.seeds == [3]
    assert (found.budget, found.leg_kimg) == (small["budget"], small["leg_kimg"])
    assert found.evaluation.n_curve == small["evaluation"]["n_curve"]
    assert found.evaluation.extractor == "inception-2015"
    assert found.cluster.distill.gpus == 4
    fewer = configuration({**given, "evaluation": {"n_curve": 150}}, [], Path("config"))
    assert load_plan(fewer).experiment.evaluation.n_curve == 150


def test_without_a_try_nothing_is_changed() -> None:
    given = {"experiment": "cifar10", "try": False}
    assert configuration(given, [], Path("config")) == read_layers(Path("config/cifar10.yaml"))
    with pytest.raises(UserError, match="--config try=yes please: give true or false"):
        configuration({**given, "try": "yes please"}, [], Path("config"))


@pytest.mark.parametrize("name", ["cifar10", "cifar10-cond", "imagenet64", "ffhq64", "afhqv2-64"])
def test_a_small_try_has_legs_and_few_images(name: str) -> None:
    plan = load_plan(configuration({"experiment": name, "try": True}, [], Path("config")))
    legs = [len(each.leg_ends(plan.experiment.leg_kimg)) for each in plan.recipes.values()]
    assert max(legs) > 1
    assert max(each.times()[-1] for each in plan.recipes.values()) < 60_000


def test_demo_has_four_methods_and_a_control() -> None:
    plan = load_plan(demo())
    assert set(plan.recipes) == {"sid", "sida", "sid2a", "sid-continued", "distribution-matching"}
    assert plan.recipes["sid2a"].start == plan.recipes["sid-continued"].start == "sid"


def test_control_differs_from_sid2a_by_the_adversarial_loss_alone() -> None:
    plan = load_plan(demo())
    sid2a = plan.recipes["sid2a"].model_dump(exclude={"name", "method"})
    assert sid2a == plan.recipes["sid-continued"].model_dump(exclude={"name", "method"})
    warm_up = plan.recipes["sid2a"].method.generator_from_kimg
    assert plan.recipes["sid-continued"].method.generator_from_kimg == warm_up


def test_budget_scales_the_recipes() -> None:
    whole, part = load_plan(demo()), load_plan(demo(budget=0.5))
    assert part.recipes["sid"].kimg == whole.recipes["sid"].kimg / 2
    assert part.teacher.kimg == whole.teacher.kimg / 2


def test_claims_of_an_experiment_are_those_that_its_records_can_decide() -> None:
    claims = load_claims(Path("baselines/published"))
    found = claims_of(load_experiment("cifar10", Path("config")), claims)
    recipes = [f"cifar10-uncond-sid-alpha{alpha}" for alpha in ("1", "1.2")]
    recipes += ["cifar10-uncond-sida-alpha1"]
    recipes += [f"cifar10-uncond-sid2a-alpha{alpha}" for alpha in ("1", "1.2")]
    assert {f"{name}/retrained-fid" for name in recipes} <= set(found)
    stated = {
        "surpasses-teacher": (recipes[1], recipes[2], recipes[3]),
        "improves-on-start": recipes[3:],
        "faster-than-sid": recipes[2:3],
        "falls": recipes[1:2],
        "power-law": recipes[1:2],
        "below-alpha1": recipes[1:2],
    }
    assert set(found) == {f"{name}/retrained-fid" for name in recipes} | {
        f"{name}/{what}" for what, names in stated.items() for name in names
    }
    assert found == [name for name in claims.claims if name in found]


def test_claims_can_be_named() -> None:
    claims = load_claims(Path("baselines/published"))
    cifar10 = read_layers(Path("config/cifar10.yaml"))
    name = "cifar10-uncond-sid-alpha1"
    named = load_plan({**cifar10, "claims": [name, f"{name}/retrained-fid"]})
    assert claims_of(named, claims) == [
        *(f"{name}/fid", f"{name}/is", f"{name}/retrained-fid"),
    ]
    assert claims_of(load_plan({**cifar10, "claims": []}), claims) == []
    wrong = load_plan({**cifar10, "claims": [f"{name}/fidd"]})
    with pytest.raises(UserError, match=f"configuration: claims: {name}/fidd: no claim of .*mean"):
        claims_of(wrong, claims)


def test_a_claim_against_a_recipe_that_is_not_there_is_none_of_the_experiment() -> None:
    claims = load_claims(Path("baselines/published"))
    cifar10 = read_layers(Path("config/cifar10.yaml"))
    fewer = [path for path in cifar10["recipes"] if "sid-alpha1.2" not in path and "2a" not in path]
    found = claims_of(load_plan({**cifar10, "recipes": fewer}), claims)
    assert "cifar10-uncond-sida-alpha1/surpasses-teacher" in found
    assert "cifar10-uncond-sida-alpha1/faster-than-sid" not in found
    # Recipes of other data may have the same names as the digits'.
    assert claims_of(load_experiment("fashion-mnist", Path("config")), claims) == []


def test_a_run_can_end_at_its_claim_where_one_can_be_reached() -> None:
    asked = {"experiment": "cifar10"}
    claims, cifar10 = load_claims(), configuration(asked, [], Path("config"))
    assert claims_to_reach(load_plan(cifar10), claims) == {}
    plan = load_plan({**cifar10, "until": "reached"})
    assert claims_to_reach(plan, claims) == {name: f"{name}/retrained-fid" for name in plan.recipes}
    ours = {**cifar10["evaluation"], "curve": "ours"}
    for change, part in (
        ({"leg_kimg": None}, "set leg_kimg"),
        ({"evaluation": ours}, "evaluation: curve"),
        ({"claims": []}, "until: budget"),
    ):
        wrong = load_plan({**cifar10, "until": "reached", **change})
        with pytest.raises(UserError, match=f"until: reached.*{part}"):
            claims_to_reach(wrong, claims)


def test_schema_is_up_to_date() -> None:
    assert Path("workflow/schemas/experiment.schema.json").read_text() == schema()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"buget": 1}, "configuration: buget: unknown key; did you mean budget?"),
        ({"threads": {"teacher": 1, "distil": 1, "distill": 1}}, "did you mean distill?"),
        ({"budget": "much"}, "configuration: budget: input should be a valid number"),
        ({"budget": -1}, "configuration: budget: input should be greater than 0"),
        ({"seeds": []}, "configuration: seeds: "),
        ({"seeds": [1, 1]}, "configuration: seeds: the same seed twice"),
        ({"recipes": ["config/none.yaml"]}, "config/none.yaml: no such file"),
        ({"recipes": ["config/recipes/digits/sid2a.yaml"]}, "start: no recipe sid in the exp"),
        ({"recipes": ["config/recipes/digits/sid.yaml"] * 2}, "the name of another recipe too"),
        ({"data": {"name": "other", "make": "digits"}}, "data: is digits, not other"),
        ({"teacher_from": "import"}, "digits.yaml: weights: none to import; set teacher_from"),
        (
            {"cluster": {"distill": {"tasks": 4}}},
            "sid.yaml: 1 micro-batches cannot be dealt evenly to the 4 tasks of the configuration",
        ),
        ({"cluster": {"distill": {"gpus": 1, "nodes": 2}}}, "tasks must be a multiple of nodes"),
        ({"cluster": {"destill": {}}}, "cluster.destill: unknown key; did you mean distill?"),
        ({"teacher_from": "elsewhere"}, "teacher_from: input should be 'train' or 'import'"),
    ],
)
def test_mistakes_are_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_plan(demo(**changes))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("batchs", 1, "batchs: unknown key; did you mean batch?"),
        ("batch", "many", "batch: input should be a valid integer"),
        ("batch", 0, "batch: input should be greater than 0"),
        ("t_max", 1001, "t_max: input should be less than or equal to 1000"),
        ("method", "sid", "method: expected a section"),
        ("method", {"name": "sdi"}, "method.name: 'sdi' is unknown; known are"),
        ("method", {"name": "sid", "alhpa": 1}, "method: alhpa: unknown key; did you mean alpha?"),
        ("kimg", 40, "method.generator_from_kimg: 100 kimg is not below the budget, kimg 40"),
    ],
)
def test_recipe_mistakes(key: str, value: Any, message: str) -> None:
    content = read_yaml(Path("config/recipes/digits/sid.yaml"))
    content = {**content, "method": {"name": "sida"}, "kimg": 300, key: value}
    with pytest.raises(UserError) as caught:
        parse(content, Recipe, "sid.yaml")
    assert str(caught.value).startswith(f"sid.yaml: {message}")


def test_files_that_are_no_yaml(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("a: [1")
    with pytest.raises(UserError, match=r"bad\.yaml: not a YAML file") as caught:
        read_yaml(tmp_path / "bad.yaml")
    assert "\n" not in str(caught.value)
    (tmp_path / "list.yaml").write_text(yaml.safe_dump([1]))
    with pytest.raises(UserError, match="expected keys and values, found list"):
        read_layers(tmp_path / "list.yaml")
