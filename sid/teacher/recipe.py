"""What defines the training of a teacher."""

from pydantic import Field, PositiveFloat, PositiveInt

from sid.config import Batch, Strict


class NetworkRecipe(Strict):
    """The shape of the U-Net; resolution, colours and classes come from the data."""

    model_channels: PositiveInt
    channel_mult: tuple[PositiveInt, ...] = Field(min_length=1)
    num_blocks: PositiveInt
    attn_resolutions: tuple[PositiveInt, ...] = ()
    dropout: float = Field(0.0, ge=0, lt=1)
    sigma_data: PositiveFloat = 0.5


class TeacherRecipe(Strict):
    """EDM training (Karras et al. 2022, tables 1 and 7).

    Attributes:
        name: of the recipe.
        conditional: whether the network sees the class.
        network: its shape.
        batch: images per step.
        kimg: budget, thousands of images.
        lr: learning rate of Adam.
        lr_rampup_kimg: the rate rises over so many thousand images.
        lr_decay: last share of the budget over which the rate falls to 0.
        ema_kimg: half-life of the average, thousands of images.
        ema_rampup: early on, half-life as a share of the images seen.
        p_mean, p_std: of ln(sigma) in training.
        augment: probability of each augmentation (see `sid.teacher.augment`), 0 for none.
        per_decade: snapshots per factor of ten in images.
    """

    name: str
    conditional: bool = False
    network: NetworkRecipe
    batch: Batch
    kimg: PositiveFloat
    lr: PositiveFloat
    lr_rampup_kimg: float = Field(0.0, ge=0)
    lr_decay: float = Field(0.0, ge=0, le=1)
    ema_kimg: PositiveFloat
    ema_rampup: PositiveFloat = 0.05
    p_mean: float = -1.2
    p_std: PositiveFloat = 1.2
    # Not written when 0, so that runs without it stay the runs that they were.
    augment: float = Field(0.0, ge=0, le=1, exclude_if=lambda p: p == 0)
    per_decade: PositiveInt = 2

    def scaled(self, budget: float) -> "TeacherRecipe":
        """The same recipe with every duration times `budget`."""
        durations = ("kimg", "lr_rampup_kimg", "ema_kimg")
        return self.model_copy(update={key: getattr(self, key) * budget for key in durations})
