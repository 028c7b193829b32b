"""Recipes as text: a row each, or one with every value and where it comes from."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sid.config import read_layers, recipe_files
from sid.distill.recipe import Recipe, load_recipe
from sid.teacher.recipe import TeacherRecipe, load_teacher

COLUMNS = (
    *("recipe", "method", "alpha", "batch", "micro", "lr", "precision", "dropout", "augment"),
    *("ema kimg", "kimg", "start"),
)
UNSOURCED = "-"


def load(path: Path) -> Recipe | TeacherRecipe:
    """The recipe in a file: of a teacher where it has a network, else of a distillation.

    Raises:
        UserError: the file is missing, or a key is unknown, missing or of a wrong type.
    """
    is_teacher = "network" in read_layers(path)
    return load_teacher(path) if is_teacher else load_recipe(path)


def values(recipe: Recipe | TeacherRecipe) -> dict[str, Any]:
    """Every value of a recipe, defaults too, by key; `method.alpha` is one inside a section."""
    found = recipe.model_dump(mode="json", exclude={"name"})
    if isinstance(recipe, Recipe):
        found["method"] = {"name": recipe.method.name, **recipe.method.model_dump(mode="json")}
    return dict(_flat(found))


def source(recipe: Recipe | TeacherRecipe, key: str) -> str:
    """Where the value of a key comes from; what is said of a section holds for all in it."""
    while key not in recipe.sources and "." in key:
        key = key.rpartition(".")[0]
    return recipe.sources.get(key, UNSOURCED)


def _flat(found: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def table() -> str:
    """All recipes, one a row, under a heading for each folder of recipes and its teacher."""
    folders: dict[str, list[Recipe | TeacherRecipe]] = {}
    for path in sorted(path for paths in recipe_files().values() for path in paths):
        folders.setdefault(path.parent.name, []).append(load(path))
    rows: list[list[str]] = [list(COLUMNS)]
    headings: dict[int, list[str]] = {}
    for folder, recipes in folders.items():
        found = [recipe for recipe in recipes if isinstance(recipe, Recipe)]
        headings[len(rows)] = ["", f"{folder}: data {', '.join(sorted({r.data for r in found}))}"]
        headings[len(rows)] += [_teacher(r) for r in recipes if isinstance(r, TeacherRecipe)]
        found.sort(key=lambda r: (bool(r.start), _alpha(r) is None, r.method.name, _alpha(r)))
        rows += [_row(recipe) for recipe in found]
    lines = aligned(rows)
    shown = [line for i, text in enumerate(lines) for line in [*headings.get(i, []), text]]
    return "\n".join(shown)


def _method(recipe: Recipe) -> str:
    name = recipe.method.name
    return "sid2a" if name == "sida" and recipe.start else name


def _alpha(recipe: Recipe) -> float | None:
    """That of the method: not every method has one."""
    alpha: float | None = getattr(recipe.method, "alpha", None)
    return alpha


def _row(recipe: Recipe) -> list[str]:
    alpha = _alpha(recipe)
    rates = dict.fromkeys(f"{rate:g}" for rate in (recipe.lr_generator, recipe.lr_of_fake))
    return [
        recipe.name,
        _method(recipe),
        UNSOURCED if alpha is None else f"{alpha:g}",
        *map(str, (recipe.batch, recipe.micro)),
        ", ".join(rates),
        recipe.precision,
        *(f"{value:g}" for value in (recipe.dropout, recipe.augment)),
        UNSOURCED if recipe.ema_kimg is None else f"{recipe.ema_kimg:.12g}",
        f"{recipe.kimg:.12g}",
        recipe.start or UNSOURCED,
    ]


def _teacher(recipe: TeacherRecipe) -> str:
    told = {
        "batch": recipe.batch,
        "lr": f"{recipe.lr:g}",
        "dropout": recipe.network.get("dropout", UNSOURCED),
        "augment": f"{recipe.augment:g}",
        "ema kimg": f"{recipe.ema_kimg:.12g}",
        "kimg": f"{recipe.kimg:.12g}",
        "weights": recipe.weights or "none, to be trained",
    }
    return f"teacher {recipe.name}: " + ", ".join(f"{key} {value}" for key, value in told.items())


def shown(recipe: Recipe | TeacherRecipe) -> str:
    """One recipe: key, value and source of each value, and what an image seen is."""
    found = values(recipe)
    rows = [[key, _text(value), source(recipe, key)] for key, value in found.items()]
    lines = [f"recipe {recipe.name}", *aligned(rows)]
    return "\n".join([*lines, _turns(recipe)] if isinstance(recipe, Recipe) else lines)


def _turns(recipe: Recipe) -> str:
    """What the images seen count (`sid.distill.player`)."""
    moves = [
        f"{player.name} in {'every step' if player.every == 1 else f'one step of {player.every}'}"
        for player in recipe.method.players(recipe)
    ]
    return f"images seen: {recipe.batch} a step; of them learn {', '.join(moves)}"


def _text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_text, value))}]"
    return f"{value:.12g}" if isinstance(value, float) else "none" if value is None else str(value)


def aligned(rows: list[list[str]]) -> list[str]:
    """Lines with the columns below one another."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)) for row in rows)
    return [line.rstrip() for line in lines]
