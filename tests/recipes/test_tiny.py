"""Every published recipe runs, with every switch as it is, on a small random network."""

from pathlib import Path

import pytest
import torch

from sid.distill.recipe import Recipe
from sid.distill.tiny import BATCH, UPDATES, Inputs, tiny_inputs, tiny_recipe
from sid.distill.train import distill
from sid.networks import load_network
from sid.runs.folder import RunFolder
from tests.conftest import CPU
from tests.recipes.published import DISTILLATIONS, RIVALS

# DMD2 with its discriminator stands for that without one.
RECIPES = [*DISTILLATIONS.values(), *(each for each in RIVALS.values() if "-no-" not in each.name)]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], Inputs]:
    """Data, teacher and start by the teacher's name, made once for all recipes of a data set."""
    made = {}
    for recipe in RECIPES:
        key = recipe.teacher, bool(recipe.start)
        if key not in made:
            made[key] = tiny_inputs(tiny_recipe(recipe), 0, tmp_path_factory.mktemp("tiny"))
    return made


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_tiny_run(recipe: Recipe, inputs: dict[tuple[str, bool], Inputs], tmp_path: Path) -> None:
    given = inputs[recipe.teacher, bool(recipe.start)]
    slowest = max(player.every for player in recipe.method.players(recipe))
    updates = max(UPDATES // 4, slowest)
    short = tiny_recipe(recipe).scaled(updates / UPDATES)
    paths, out = (given.data, given.teacher, given.start), tmp_path / "run"
    distill(short, *paths, out, seed=0, device=CPU, restart=False, quiet=True)
    assert RunFolder(out).done.exists()
    first, _ = load_network(out / "snapshots" / f"{0:012d}.safetensors", CPU)
    last, about = load_network(RunFolder(out).last_snapshot(), CPU)
    assert about["images"] == updates * BATCH
    pairs = list(zip(first.parameters(), last.parameters(), strict=True))
    assert all(torch.isfinite(after).all() for _, after in pairs)
    assert any(not torch.equal(before, after) for before, after in pairs)
