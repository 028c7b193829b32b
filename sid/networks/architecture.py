"""What builds a network, as data: the constructor arguments of the official `EDMPrecond`."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    NonNegativeFloat,
    PositiveFloat,
    ValidationError,
    model_validator,
)

from sid.config import first_problem
from sid.errors import UserError
from sid.networks.dhariwal_unet import DhariwalUNet
from sid.networks.precond import EDMPrecond
from sid.networks.song_unet import SongUNet
from sid.networks.unet import UNet
from sid.plugins import plugins

# The bounds are far beyond any network: a slip of the pen is to end in words, not in the memory.
Count = Annotated[int, Field(ge=1, le=2**14)]
Counts = Annotated[tuple[Count, ...], Field(min_length=1)]
Blocks = Annotated[int, Field(ge=1, le=2**8)]
LabelWidth = Annotated[int, Field(ge=0, le=2**20)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Probability = Annotated[float, Field(ge=0, le=1)]

PRECONDITIONING = {
    "model_type",
    "img_channels",
    "use_fp16",
    "sigma_min",
    "sigma_max",
    "sigma_data",
}


class Architecture(BaseModel):
    """A network's description, flat; kept in each weights file, so that it alone is enough.

    `Architecture(...)` and `Architecture.model_validate(...)` give the subclass that `model_type`
    names, SongUNet where it is not given; an argument of the other one is refused. Names and
    defaults are those of the official constructors, but for that one (theirs: DhariwalUNet).

    Attributes:
        model_type: which U-Net, ours or an entry point of the group `sid.networks`.
        img_resolution: height and width of the images.
        img_channels: colour channels.
        label_dim: number of classes, 0 without.
        use_fp16: whether the U-Net runs in half precision; on GPUs only, as officially.
        sigma_min, sigma_max: noise levels that the network is meant for; they bound nothing here.
        sigma_data: standard deviation of the data.
        augment_dim, channel_mult_emb, dropout, label_dropout: see the U-Nets.

    Raises:
        UserError: the values fit no network.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")
    raw: ClassVar[type[UNet]]

    model_type: str = "SongUNet"
    img_resolution: Count
    img_channels: Count
    label_dim: LabelWidth = 0
    use_fp16: bool = False
    sigma_min: NonNegativeFloat = 0.0
    sigma_max: PositiveFloat = float("inf")
    sigma_data: Annotated[Finite, Field(gt=0)] = 0.5
    augment_dim: LabelWidth = 0
    channel_mult_emb: Count = 4
    dropout: Probability = 0.1
    label_dropout: Probability = 0.0

    def __new__(cls, *_: Any, **values: Any) -> "Architecture":
        """An instance of the class that `model_type` names."""
        return super().__new__(kind(values) if cls is Architecture else cls)

    @model_validator(mode="wrap")
    @classmethod
    def _of_its_kind(
        cls, value: Any, handler: ModelWrapValidatorHandler["Architecture"]
    ) -> "Architecture":
        if not isinstance(value, Mapping):
            return handler(value)
        if cls is Architecture:
            return kind(value).model_validate(value)
        for key in value:
            elsewhere = any(key in other.model_fields for other in ARCHITECTURES)
            if key not in cls.model_fields and elsewhere:
                raise UserError(f"{key}: is not an argument of {cls.raw.__name__}")
        return handler(value)

    @model_validator(mode="after")
    def check(self) -> "Architecture":
        """Refuse what cannot be built; takes neither memory nor random numbers.

        Raises:
            UserError: sizes or widths that do not divide.
        """
        try:
            with torch.device("meta"):
                self.network()
        except ValueError as error:
            raise UserError(str(error)) from error
        return self

    def network(self) -> UNet:
        """The raw U-Net with fresh weights."""
        colours = {"in_channels": self.img_channels, "out_channels": self.img_channels}
        return self.raw(**colours, **self.model_dump(exclude=PRECONDITIONING))

    def build(self) -> EDMPrecond:
        """A denoiser with fresh weights."""
        return EDMPrecond(self)

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        return self.img_channels, self.img_resolution, self.img_resolution


class SongArchitecture(Architecture):
    """DDPM++ and NCSN++; further attributes as the arguments of `SongUNet`."""

    raw: ClassVar[type[UNet]] = SongUNet

    model_type: Literal["SongUNet"] = "SongUNet"
    model_channels: Count = 128
    channel_mult: Counts = (1, 2, 2, 2)
    num_blocks: Blocks = 4
    attn_resolutions: tuple[Count, ...] = (16,)
    embedding_type: Literal["positional", "fourier"] = "positional"
    channel_mult_noise: Count = 1
    encoder_type: Literal["standard", "skip", "residual"] = "standard"
    decoder_type: Literal["standard", "skip"] = "standard"
    resample_filter: tuple[Finite, ...] = (1, 1)


class DhariwalArchitecture(Architecture):
    """ADM; further attributes as the arguments of `DhariwalUNet`."""

    raw: ClassVar[type[UNet]] = DhariwalUNet

    model_type: Literal["DhariwalUNet"] = "DhariwalUNet"
    model_channels: Count = 192
    channel_mult: Counts = (1, 2, 3, 4)
    num_blocks: Blocks = 3
    attn_resolutions: tuple[Count, ...] = (32, 16, 8)


ARCHITECTURES: tuple[type[Architecture], ...] = (SongArchitecture, DhariwalArchitecture)


def kind(values: Mapping[str, Any]) -> type[Architecture]:
    """The class that `model_type` names, here or among the entry points of `sid.networks`.

    Raises:
        UserError: it names none, or what is no subclass of `Architecture`.
    """
    known = {each.raw.__name__: each for each in ARCHITECTURES}
    name = str(values.get("model_type", "SongUNet"))
    if name not in known:
        known |= plugins("sid.networks")
    if name not in known:
        raise UserError(f"model_type: {name} is unknown; known are {', '.join(known)}")
    if not (isinstance(known[name], type) and issubclass(known[name], Architecture)):
        raise UserError(f"entry point {name} of sid.networks: is no subclass of Architecture")
    return known[name]


def parse_architecture(values: Any, source: object) -> Architecture:
    """The architecture that `values`, as read from `source`, describe.

    Raises:
        UserError: naming the source and what is wrong.
    """
    if not isinstance(values, Mapping):
        raise UserError(f"{source}: the architecture has no keys and values")
    try:
        return kind(values).model_validate(values)
    except ValidationError as error:
        raise UserError(f"{source}: {first_problem(error, kind(values))}") from error
    except UserError as error:
        raise UserError(f"{source}: {error}") from error
