"""Training in legs by the workflow: what is there is not made again, and what is missing is."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sid.distill.recipe import Recipe
from sid.files import read_json
from tests.commands import snakemake
from tests.conftest import distilled, tiny_recipe, tiny_teacher
from tests.workflow.conftest import copy_checkout
from tests.workflow.test_workflow import run

RUN = "results/distill/sid/seed0"
LEG_KIMG = 0.3
SHORT, LONG = tiny_recipe(kimg=0.6), tiny_recipe(kimg=1.4)
SIDA = {"name": "sida", "generator_from_kimg": 0.1, "adversarial_from_kimg": 0.2}
CHOSEN = ["teacher=config/teacher.yaml", "keep=curve"]
RECIPES = 'recipes=["config/sid.yaml", "config/sid2a.yaml"]'


def with_recipes(top: Path) -> Path:
    """A checkout with a recipe, one that goes on from it, and one of another alpha."""
    copy_checkout(top)
    recipes = {
        "teacher": tiny_teacher(kimg=0.1),
        "sid": SHORT,
        "sid2a": tiny_recipe(name="sid2a", start="sid", method=SIDA, kimg=0.6),
        "alpha1": tiny_recipe(name="alpha1", method={"name": "sid", "alpha": 1.0}, kimg=0.6),
    }
    for name, recipe in recipes.items():
        path = top / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    return top


def options(*words: str) -> list[str]:
    """What Snakemake is given: options, and settings over those of all these tests."""
    config = ["--config", *CHOSEN, *(word for word in words if "=" in word)]
    return ["--cores", "1", *(word for word in words if "=" not in word), *config, "--"]


def asked(top: Path, *words: str) -> str:
    """What Snakemake prints where it starts no job."""
    done = snakemake(*options(f"leg_kimg={LEG_KIMG}", *words), cwd=top)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which every file of the workflow is there, as far as Snakemake looks."""
    top = with_recipes(tmp_path_factory.mktemp("workflow") / "finished")
    for line in asked(top, "--summary", RECIPES).splitlines():
        name = line.split("\t")[0]
        if name.startswith(("results/", "reports/")):
            (top / name).parent.mkdir(parents=True, exist_ok=True)
            (top / name).touch()
    asked(top, "--touch", "--forceall", "--quiet", "all", RECIPES)
    return top


def planned(top: Path, *words: str) -> set[str]:
    """What a dry run would make of runs, by file, and else by rule."""
    said = asked(top, "-n", *words)
    jobs = re.findall(
        r"^(?:local)?rule (\w+):.*?^    output: (\S+)", said, re.DOTALL | re.MULTILINE
    )
    return {file.removeprefix("results/") if "/seed" in file else rule for rule, file in jobs} - {
        "records",
        "verdict",
        "report",
    }  # Made again whatever is new.


def line(name: str, recipe: Recipe) -> set[str]:
    """What is made of a run: its legs, groups of snapshots, its evaluation."""
    *ends, _ = recipe.leg_ends(LEG_KIMG)
    begun = [0, *(end + 1 for end in ends[:-1])]
    groups = [f"{first:012d}-{last:012d}" for first, last in zip(begun, ends, strict=True)]
    return (
        {f"distill/{name}/legs/{end:012d}.json" for end in ends}
        | {f"evaluate/{name}/{group}.json" for group in groups}
        | {f"distill/{name}/done.json", f"evaluate/{name}.json"}
    )


def test_nothing_is_made_again(finished: Path) -> None:
    assert "Nothing to be done" in asked(finished, "-n", RECIPES)


def test_more_images_need_the_legs_after_the_last_alone(finished: Path) -> None:
    only = 'recipes=["config/sid.yaml"]'
    ends = {"evaluate/sid/seed0.json", "distill/sid/seed0/done.json"}
    new = line("sid/seed0", LONG) - line("sid/seed0", SHORT)
    assert len(new) >= 2
    assert planned(finished, only, f"kimg={LONG.kimg}") == new | ends


def test_another_seed_needs_its_own_runs_alone(finished: Path) -> None:
    new = line("sid/seed1", SHORT) | line("sid2a/seed1", SHORT)
    assert planned(finished, RECIPES, "seeds=[0,1]") == new


def test_another_alpha_needs_its_own_run_alone(finished: Path) -> None:
    more = RECIPES.replace("]", ', "config/alpha1.yaml"]')
    assert planned(finished, more) == line("alpha1/seed0", SHORT)


def test_a_changed_value_needs_every_leg_and_what_starts_from_it(finished: Path) -> None:
    path = finished / "config/sid.yaml"
    before = path.read_text()
    path.write_text(before.replace("alpha: 1.2", "alpha: 1.1"))
    try:
        found = planned(finished, RECIPES)
    finally:
        path.write_text(before)
    assert found == line("sid/seed0", SHORT) | line("sid2a/seed0", SHORT)


def test_another_size_of_evaluation_is_measured_anew(finished: Path) -> None:
    found = planned(finished, RECIPES, "evaluation={n_curve: 500, n_final: 600, draws: 2}")
    # Touching leaves no record of the parameters of some jobs: not every group is asked for here.
    assert found >= {"evaluate_teacher", "evaluate_real", "evaluate/sid/seed0.json"}
    assert found & {name for name in line("sid/seed0", SHORT) if "/seed0/0" in name}
    assert not any(name.startswith("distill/") for name in found)


def test_a_leg_waits_for_what_was_measured_two_legs_before(finished: Path) -> None:
    said = asked(finished, "-n", "--forceall", 'recipes=["config/sid.yaml"]', f"kimg={LONG.kimg}")
    inputs = dict(re.findall(r"^    input: (.*)\n    output: (\S+)", said, re.MULTILINE))
    needs = {output: files for files, output in inputs.items()}
    *ends, _ = LONG.leg_ends(LEG_KIMG)
    assert len(ends) >= 4
    for before, end in zip(ends, ends[2:], strict=False):
        assert f"-{before:012d}.json" in needs[f"{RUN}/legs/{end:012d}.json"]
        assert f"-{ends[ends.index(end) - 1]:012d}.json" not in needs[f"{RUN}/legs/{end:012d}.json"]


@pytest.mark.slow
def test_a_run_is_extended(tmp_path: Path, tree: Callable[[Path], dict[str, bytes]]) -> None:
    top = with_recipes(tmp_path / "extended")
    words = ('recipes=["config/sid.yaml"]', "--quiet", "all", "keep=all", "leg_kimg=2")

    def train(*more: str) -> None:
        done = run("snakemake", *options(*words, *more), f"{RUN}/done.json", cwd=top)
        assert done.returncode == 0, done.stderr

    train()
    made = {path: path.stat().st_mtime_ns for path in (top / RUN / "legs").iterdir()}
    train(f"kimg={LONG.kimg}")
    assert {path: path.stat().st_mtime_ns for path in made} == made
    done = read_json(top / RUN / "done.json")
    assert done["images"] == LONG.times()[-1]
    at_once = distilled(
        LONG, top / "results/data/digits.zip", top / "results/teacher/digits", tmp_path / "at once"
    )
    ours, theirs = tree(top / RUN), tree(at_once)
    assert ours.keys() - theirs.keys() == {f"{SHORT.times()[-1]:012d}.safetensors"}
    assert {name: ours[name] for name in theirs} == theirs
