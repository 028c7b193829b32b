"""What defines a teacher: its network, how it is trained, and where its official weights are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt

from sid.config import Batches, Name, parse, read_layers
from sid.errors import UserError
from sid.networks import Architecture, parse_architecture
from sid.teacher.augment import LABELS

# What the data says where a recipe's network does not.
FROM_DATA = ("img_resolution", "img_channels", "label_dim")


class TeacherRecipe(Batches):
    """EDM training (Karras et al. 2022, tables 1 and 7).

    Attributes:
        name: of the recipe.
        conditional: whether the network sees the class.
        network: arguments of the network (see `sid.networks.Architecture`); resolution, colours and
            classes are those of the data where they are not given.
        weights: address or path of official weights to import instead of training.
        sha256: of that file, None where it is not known.
        batch: images per step.
        micro_batch: images per forward pass, None for the whole batch.
        kimg: budget, thousands of images.
        lr: learning rate of Adam.
        lr_rampup_kimg: the rate rises over so many thousand images (EDM: 10,000).
        lr_decay: last share of the budget over which the rate falls to 0.
        ema_kimg: half-life of the average, thousands of images.
        ema_rampup: early on, half-life as a share of the images seen.
        p_mean, p_std: of ln(sigma) in training.
        augment: probability of each augmentation (see `sid.teacher.augment`), 0 for none.
        per_decade: snapshots per factor of ten in images.
        sources: where each value comes from, by key; says nothing about the run itself.
    """

    name: Name
    conditional: bool = False
    network: dict[str, Any]
    weights: str | None = None
    sha256: str | None = None
    kimg: PositiveFloat
    lr: PositiveFloat
    lr_rampup_kimg: float = Field(0.0, ge=0)
    lr_decay: float = Field(0.0, ge=0, le=1)
    ema_kimg: PositiveFloat
    ema_rampup: PositiveFloat = 0.05
    p_mean: float = -1.2
    p_std: PositiveFloat = 1.2
    augment: float = Field(0.0, ge=0, le=1)
    per_decade: PositiveInt = 2
    sources: dict[str, str] = Field({}, exclude=True)

    def architecture(self, image_shape: tuple[int, ...] = (), classes: int = 0) -> Architecture:
        """The network, for images of (C, H, W) and so many classes where those are given.

        Raises:
            UserError: it cannot be built, leaves its size to data that is not given, or is another
                than the data's.
        """
        given = dict(self.network)
        if image_shape:
            found = (image_shape[1], image_shape[0], classes if self.conditional else 0)
            for key, value in zip(FROM_DATA, found, strict=True):
                if given.setdefault(key, value) != value:
                    raise UserError(
                        f"recipe {self.name}: network.{key}: is {given[key]}, but the data has "
                        f"{value}"
                    )
        given.setdefault("augment_dim", LABELS if self.augment else 0)
        return parse_architecture(given, f"recipe {self.name}: network")

    def scaled(self, budget: float) -> "TeacherRecipe":
        """The same recipe with every duration times `budget`."""
        durations = ("kimg", "lr_rampup_kimg", "ema_kimg")
        return self.model_copy(update={key: getattr(self, key) * budget for key in durations})


def load_teacher(path: Path) -> TeacherRecipe:
    """A teacher's recipe, its network checked as far as it is given.

    Raises:
        UserError: the file is missing, or a key is unknown, missing or of a wrong type.
    """
    raw = read_layers(path)
    if "method" in raw and "network" not in raw:
        raise UserError(f"{path}: a distillation's recipe; give it to `sid distill`")
    recipe = parse(raw, TeacherRecipe, path)
    try:
        guess: Mapping[str, int] = {"img_resolution": 64, "img_channels": 3, "label_dim": 0}
        sized = {**guess, **recipe.network}
        recipe.model_copy(update={"network": sized}).architecture()
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    return recipe
