"""The workflow with official weights in place of a training."""

from pathlib import Path

import pytest
import yaml

from sid.files import read_json
from tests.conftest import tiny_recipe, tiny_teacher
from tests.teacher.test_importing import GIVEN, network
from tests.workflow.test_workflow import run
from workflow.rehearsal.official_pickle import dumps, edm_extras, snapshot

RUN = "results/distill/sid/seed0"


@pytest.mark.slow
def test_imported_teacher_is_distilled(checkout: Path) -> None:
    official = dumps(snapshot(network(), GIVEN, **edm_extras()))
    (checkout / "edm-digits.pkl").write_bytes(official)
    recipes = {"teacher": tiny_teacher(weights="edm-digits.pkl"), "sid": tiny_recipe(kimg=0.1)}
    for name, recipe in recipes.items():
        path = checkout / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    chosen = ["teacher=config/teacher.yaml", "teacher_from=import", 'recipes=["config/sid.yaml"]']
    words = ["snakemake", "--cores", "1", f"{RUN}/done.json", "--config", *chosen]
    done = run(*words, cwd=checkout)
    assert done.returncode == 0, done.stderr
    weights = checkout / "results/teacher/edm-digits.safetensors"
    assert weights.exists()
    assert not (checkout / "results/teacher/digits").exists()
    assert read_json(checkout / RUN / "done.json")["images"] > 0
