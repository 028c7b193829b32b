"""YAML files as typed models: unknown keys and wrong types end in one clear line."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sid.errors import UserError
from sid.shipped import CONFIG, located

# Messages of pydantic that name types of Python, in the terms of a YAML file.
PLAIN_MESSAGES = {
    "model_type": "expected a section of keys and values",
    "dict_type": "expected a section of keys and values",
    "tuple_type": "expected a list",
    "list_type": "expected a list",
}


class Strict(BaseModel):
    """A model that refuses keys it does not know and cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


# Images of one step; more than a million is a slip of the keyboard, and no memory holds it.
Batch = Annotated[int, Field(gt=0, le=2**20)]
Beta = Annotated[float, Field(ge=0, lt=1)]
Name = Annotated[str, Field(pattern=r"^[\w][\w.+-]*$")]  # It becomes part of paths.


class Batches(Strict):
    """How many images an update takes, and how they are cut.

    Attributes:
        batch: images per update.
        micro_batch: images per forward pass, None for the whole batch.
    """

    batch: Batch
    micro_batch: Batch | None = None

    @model_validator(mode="after")
    def _splits(self) -> Self:
        if self.batch % self.micro:
            raise ValueError(f"batch {self.batch} is no multiple of micro_batch {self.micro}")
        return self

    @property
    def micro(self) -> int:
        """Images per forward pass."""
        return self.micro_batch or self.batch


Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """Refuses a key that stands twice in a section, of which PyYAML would take the last."""

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """A section's keys and values."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        found: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in found:
                raise yaml.MarkedYAMLError(
                    problem=f"{key.value} stands twice; drop one", problem_mark=key.start_mark
                )
            found.add(str(key.value))
        return node


def read_yaml(path: Path) -> Any:
    """The value in a YAML file.

    Raises:
        UserError: the file is missing or is not YAML.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        where = " ".join(str(error).split())
        raise UserError(f"{path}: not a YAML file ({where})") from error


def read_layers(path: Path, above: tuple[Path, ...] = ()) -> dict[str, Any]:
    """The keys of a YAML file laid over those of the files that its `base` names.

    Recipes, teachers and experiments are read so.

    Args:
        path: the file; `base` is a path beside it, or a list of which the last lies on top.
        above: the files that lead to it.

    Raises:
        UserError: a file is missing or no YAML, has no keys, or bases go in a circle.
    """
    if path.resolve() in above:
        raise UserError(f"{path}: base: goes in a circle")
    found = read_yaml(path)
    if not isinstance(found, dict):
        raise UserError(f"{path}: expected keys and values, found {type(found).__name__}")
    bases = found.pop("base", [])
    values: dict[str, Any] = {}
    for base in bases if isinstance(bases, list) else [bases]:
        below = path.parent / str(base)
        if not below.is_file():
            raise UserError(f"{path}: base: {base} is no file beside it")
        values = lay_over(values, read_layers(below, (*above, path.resolve())))
    return lay_over(values, found)


def lay_over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`: sections key by key; any other value, a list too, as a whole."""
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            merged[key] = lay_over(below[key], above[key])
    return merged


def parse(value: Mapping[str, Any], model: type[Model], source: Path | str) -> Model:
    """Validate `value`, as read from `source`, against `model`.

    Raises:
        UserError: naming the source, the first bad key and what would be right.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise UserError(f"{source}: {first_problem(error, model)}") from error
    except UserError as error:  # Of a section with a model of its own, as a recipe's method.
        raise UserError(f"{source}: {error}") from error


def first_problem(error: ValidationError, model: type[BaseModel]) -> str:
    """The first problem of a validation in one line, with the nearest known key for a typo.

    An unknown key comes first: a missing key is mostly the same typo from the other side.
    """
    first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in first["loc"])
    where = f"{key}: " if key else ""
    if first["type"] == "missing":
        return f"{where}is missing"
    if first["type"] != "extra_forbidden":
        said = PLAIN_MESSAGES.get(first["type"], first["msg"].removeprefix("Value error, "))
        found = "" if isinstance(first["input"], dict) else f" (found {first['input']!r})"
        return f"{where}{said[0].lower()}{said[1:]}{found}"
    known = list(fields_at(model, first["loc"][:-1]))
    near = difflib.get_close_matches(str(first["loc"][-1]), known, n=1)
    mend = f"did you mean {near[0]}?" if near else f"known keys: {', '.join(known)}"
    return f"{key}: unknown key; {mend}"


def fields_at(model: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the model found by following `location` from `model`."""
    for part in location:
        field = model.model_fields.get(str(part))
        if field is None:
            continue
        inner = [field.annotation, *getattr(field.annotation, "__args__", ())]
        models = [t for t in inner if isinstance(t, type) and issubclass(t, BaseModel)]
        if models:
            model = models[0]
    return list(model.model_fields)


def recipe_files() -> dict[str, list[Path]]:
    """The recipes' files by name; those below the working directory go before the suite's own."""
    found: dict[str, list[Path]] = {}
    for folder in (Path("config"), CONFIG):
        here: dict[str, list[Path]] = {}
        for path in sorted((folder / "recipes").glob("*/*.yaml")):
            here.setdefault(path.stem, []).append(path)
        found = {**here, **found}
    return found


def recipe_path(name: str) -> Path:
    """The file of a recipe given by path or by the name of one of `config/recipes/`.

    Raises:
        UserError: there is none.
    """
    if name.endswith((".yaml", ".yml")):
        return located(Path(name))
    known = recipe_files()
    found = known.get(name, [])
    if "/" in name:  # folder/name, for a name that stands in several.
        every = [path for paths in known.values() for path in paths]
        found = [path for path in every if f"{path.parent.name}/{path.stem}" == name]
    if len(found) > 1:
        raise UserError(f"recipe {name}: is {' and '.join(map(str, found))}; say FOLDER/{name}")
    if not found:
        near = difflib.get_close_matches(name, known, n=1)
        mend = f"did you mean {near[0]}?" if near else "or give a .yaml file"
        raise UserError(f"recipe {name}: unknown; `sid recipes` lists them; {mend}")
    return found[0]
