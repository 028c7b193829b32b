"""What defines a distillation, as one row of the papers' tables."""

from collections.abc import Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import (
    Field,
    NonNegativeFloat,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from sid.config import Batches, Beta, Name, parse, read_layers
from sid.distill.gates import Gates
from sid.distill.method import Method, build_method
from sid.errors import UserError
from sid.runs.optimizer import Kind
from sid.runs.precision import Precision
from sid.runs.schedule import leg_ends, snapshot_times


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
        method: the method with its options; written as a section with its `name`.
        batch: images per update.
        micro_batch: images per forward pass, None for the whole batch; SiDA's discriminator loss is
            a mean over it.
        kimg: budget, thousands of images seen (`sid.distill.player` says what that counts).
        lr_generator, lr_fake: learning rates; the second is None for methods without a fake score,
            or for that of the generator.
        lr_warmup_kimg: over which the rates rise from 0, thousands of images.
        lr_decay: last share of the budget over which the rates fall to 0 (papers: none).
        optimizer: `adam`, `adamw` or `radam`.
        betas_generator, betas_fake: of its moments.
        eps: of it (papers: 1e-8 in float32, 1e-6 in fp16).
        weight_decay: of it.
        clip_norm: bound on the norm of each network's gradient, None for no bound.
        precision: `fp32` without TF32 or `fp16` as published; `tf32` and `bf16` are faster and on
            the user's own evidence.
        dropout: of the network that is being updated; the others are in evaluation mode.
        augment: probability of EDM's augmentations of what the fake score is shown.
        ema_kimg: half-life of the average, thousands of images; None for no average, and snapshots
            of the generator itself.
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
    method: Method
    kimg: PositiveFloat
    lr_generator: PositiveFloat
    lr_fake: PositiveFloat | None = None
    lr_warmup_kimg: NonNegativeFloat = 0.0
    lr_decay: float = Field(0.0, ge=0, le=1)
    optimizer: Kind = "adam"
    betas_generator: tuple[Beta, Beta] = (0.0, 0.999)
    betas_fake: tuple[Beta, Beta] = (0.0, 0.999)
    eps: PositiveFloat = 1e-8
    weight_decay: NonNegativeFloat = 0.0
    clip_norm: PositiveFloat | None = None
    precision: Precision = "fp32"
    dropout: float = Field(0.0, ge=0, lt=1)
    augment: float = Field(0.0, ge=0, le=1)
    ema_kimg: PositiveFloat | None
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

    @field_validator("method", mode="before")
    @classmethod
    def _built(cls, section: Any, info: ValidationInfo) -> Method:
        if not isinstance(section, dict) or not isinstance(section.get("name"), str):
            raise ValueError("expected a section with the name of the method and its options")
        return build_method(section, paper=info.data.get("reference") == "paper")

    @field_serializer("method")
    def _as_written(self, method: Method) -> dict[str, Any]:
        return method.section

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> Self:
        for key in self.method.durations:
            if getattr(self.method, key) >= self.kimg:
                raise ValueError(
                    f"method.{key}: {getattr(self.method, key):g} kimg is not below the budget, "
                    f"kimg {self.kimg:g}"
                )
        return self

    def times(self, changed: Sequence[Mapping[str, Any]] = ()) -> list[int]:
        """Images at which a run takes snapshots.

        Args:
            changed: earlier budgets of the run, as in its manifest: up to `images` it took the
                snapshots of `kimg`.
        """
        every = int(self.every_kimg * 1000) if self.every_kimg else None
        first = int(self.first_kimg * 1000)
        times, begun = [], -1
        for kimg, until in (*((one["kimg"], one["images"]) for one in changed), (self.kimg, inf)):
            planned = snapshot_times(int(kimg * 1000), self.batch, first, self.per_decade, every)
            times += [images for images in planned if begun < images <= until]
            begun = until
        return times

    def leg_ends(self, leg_kimg: float | None) -> list[int]:
        """Images at which the legs of a run end; without `leg_kimg` it is one leg."""
        return leg_ends(self.times(), None if leg_kimg is None else int(leg_kimg * 1000))

    @property
    def lr_of_fake(self) -> float:
        """The learning rate of the fake score."""
        return self.lr_generator if self.lr_fake is None else self.lr_fake

    def optimizer_options(self) -> dict[str, Any]:
        """What the optimisers of all networks share, as fields of `Optimizer`."""
        return {
            "eps": self.eps,
            "kind": self.optimizer,
            "weight_decay": self.weight_decay,
            "clip_norm": self.clip_norm,
            "warmup": self.lr_warmup_kimg * 1000,
        }

    def scaled(self, budget: float) -> Self:
        """The same recipe with every duration times `budget`, the method's warm-ups too."""
        keys = ("kimg", "ema_kimg", "lr_warmup_kimg")
        changed = {key: getattr(self, key) * budget for key in keys if getattr(self, key)}
        return self.model_copy(update={**changed, "method": self.method.scaled(budget)})


def load_recipe(path: Path, kimg: float | None = None) -> Recipe:
    """A recipe over its bases, with the options of its method.

    Args:
        path: of its file.
        kimg: budget in place of the recipe's, None for the recipe's.

    Raises:
        UserError: the file is missing, or a key is unknown, missing or of a wrong type.
    """
    raw = read_layers(path)
    if "network" in raw and "method" not in raw:
        raise UserError(f"{path}: a teacher's recipe; give it to `sid teacher train`")
    if kimg is not None:
        raw = {**raw, "kimg": kimg}
    return parse(raw, Recipe, path)
