"""What defines a distillation, as one row of the papers' tables."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from sid.config import Batches, Beta, Name, parse, read_yaml
from sid.distill.gates import Gates
from sid.distill.method import Method, method_class
from sid.errors import UserError
from sid.runs.precision import Precision


class Recipe(Batches):
    """A distillation (SiD, appendix; SiDA, table 6).

    Attributes:
        name: of the recipe.
        data: name of the data set.
        teacher: name of the teacher's recipe.
        start: recipe whose last snapshot the generator starts from, None for the teacher (SiD2A:
            a SiD recipe). The fake score always starts from the teacher.
        reference: where the paper and the authors' code disagree, which to follow; what differs is
            `Method.paper` (docs/deviations.md).
        method: name and options of the method.
        batch: images per update.
        micro_batch: images per forward pass, None for the whole batch; SiDA's discriminator loss is
            a mean over it.
        kimg: budget, thousands of images.
        lr_generator, lr_fake: learning rates of Adam.
        lr_decay: last share of the budget over which the rates fall to 0 (papers: none).
        betas_generator, betas_fake: of Adam.
        eps: of Adam (papers: 1e-8 in float32, 1e-6 in fp16).
        precision: `fp32` without TF32 or `fp16` as published; `tf32` and `bf16` are faster and on
            the user's own evidence.
        dropout: of the network that is being updated; the others are in evaluation mode.
        augment: probability of EDM's augmentations of what the fake score is shown.
        ema_kimg: half-life of the average, thousands of images.
        ema_rampup: early on, half-life as a share of the images seen.
        sigma_init: noise level that the generator is given.
        t_max: upper end of t in the generator's loss, in thousandths.
        p_mean, p_std: of ln(sigma) for the fake score.
        first_kimg: the first snapshot after image 0, thousands of images.
        per_decade: snapshots per factor of ten in images.
        every_kimg: snapshots are no farther apart than this, None for no bound.
        gates: what stops a run that goes wrong.
        sources: where each value comes from, by key; says nothing about the run itself.
    """

    name: Name
    data: str
    teacher: str
    start: str | None = None
    reference: Literal["code", "paper"] = "code"
    method: Any
    kimg: PositiveFloat
    lr_generator: PositiveFloat
    lr_fake: PositiveFloat
    lr_decay: float = Field(0.0, ge=0, le=1)
    betas_generator: tuple[Beta, Beta] = (0.0, 0.999)
    betas_fake: tuple[Beta, Beta] = (0.0, 0.999)
    eps: PositiveFloat = 1e-8
    precision: Precision = "fp32"
    dropout: float = Field(0.0, ge=0, lt=1)
    augment: float = Field(0.0, ge=0, le=1)
    ema_kimg: PositiveFloat
    ema_rampup: PositiveFloat = 0.05
    sigma_init: PositiveFloat = 2.5
    t_max: int = Field(800, gt=0, le=1000)
    p_mean: float = -1.2
    p_std: PositiveFloat = 1.2
    first_kimg: float = Field(0.5, ge=0.001)
    per_decade: PositiveInt = 5
    every_kimg: PositiveFloat | None = None
    gates: Gates = Gates()
    sources: dict[str, str] = Field({}, exclude=True)

    @field_validator("method")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise ValueError("expected a section with the name of the method and its options")
        return value

    def build_method(self) -> Method:
        """The method with its options.

        Raises:
            UserError: the method is unknown, an option is unknown or of a wrong type, or a warm-up
                takes the whole budget.
        """
        chosen = method_class(self.method["name"])
        given = {key: value for key, value in self.method.items() if key != "name"}
        paper = chosen.paper if self.reference == "paper" else {}
        method = parse({**paper, **given}, chosen, f"recipe {self.name}: method")
        for key in method.durations:
            if getattr(method, key) >= self.kimg:
                raise UserError(
                    f"recipe {self.name}: method.{key}: {getattr(method, key):g} kimg is not "
                    f"below the budget, kimg {self.kimg:g}"
                )
        return method

    def scaled(self, budget: float) -> "Recipe":
        """The same recipe with every duration times `budget`, the method's warm-ups too."""
        method = self.build_method()
        durations = {key: getattr(method, key) * budget for key in method.durations}
        changed = {key: getattr(self, key) * budget for key in ("kimg", "ema_kimg")}
        return self.model_copy(update={**changed, "method": {**self.method, **durations}})


def load_recipe(path: Path) -> Recipe:
    """A recipe with its method's options checked.

    Raises:
        UserError: the file is missing, or a key is unknown, missing or of a wrong type.
    """
    raw = read_raw(path)
    if isinstance(raw, dict) and "network" in raw and "method" not in raw:
        raise UserError(f"{path}: a teacher's recipe; give it to `sid teacher train`")
    recipe = parse(raw, Recipe, path)
    try:
        recipe.build_method()
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return recipe


def read_raw(path: Path, above: tuple[Path, ...] = ()) -> Any:
    """The keys of a recipe's file laid over those of the files that its `base` names.

    Args:
        path: the file; `base` is a path beside it, or a list of which the last lies on top.
        above: the files that lead to it.

    Raises:
        UserError: a file is missing or no YAML, or bases go in a circle.
    """
    if path.resolve() in above:
        raise UserError(f"{path}: base: goes in a circle")
    found = read_yaml(path)
    if not isinstance(found, dict):
        return found
    bases = found.pop("base", [])
    values: dict[str, Any] = {}
    for base in bases if isinstance(bases, list) else [bases]:
        if not (path.parent / str(base)).is_file():
            raise UserError(f"{path}: base: {base} is no file beside it")
        below = read_raw(path.parent / str(base), (*above, path.resolve()))
        if not isinstance(below, dict):
            raise UserError(f"{path.parent / str(base)}: expected keys and values")
        values = _over(values, below)
    return _over(values, found)


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], dict) and isinstance(above[key], dict):
            merged[key] = _over(below[key], above[key])
    return merged
