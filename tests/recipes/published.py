"""The published recipes, read from the checkout."""

from pathlib import Path

from sid.distill.recipe import Recipe
from sid.recipes.listing import load
from sid.teacher.recipe import TeacherRecipe

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDERS = ("cifar10-uncond", "cifar10-cond", "imagenet64", "ffhq64", "afhqv2-64")
FILES = sorted(path for name in FOLDERS for path in (ROOT / "config/recipes" / name).glob("*.yaml"))
LOADED = {path.stem: load(path) for path in FILES}
DISTILLATIONS = {name: each for name, each in LOADED.items() if isinstance(each, Recipe)}
RIVALS = {
    path.stem: recipe
    for path in sorted((ROOT / "config/recipes/rivals").glob("*.yaml"))
    if isinstance(recipe := load(path), Recipe)
}
TEACHERS = {name: each for name, each in LOADED.items() if isinstance(each, TeacherRecipe)}
