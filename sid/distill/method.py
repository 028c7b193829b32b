"""What differs between SiD, SiDA, Diff-Instruct ...: two losses and when the generator trains."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple, Self

import torch
from pydantic import PositiveFloat, PrivateAttr
from torch import Tensor

from sid.config import Strict, parse
from sid.errors import UserError
from sid.networks import EDMPrecond
from sid.plugins import plugins
from sid.runs.update import Loss

__all__ = ["Draw", "Loss", "Method", "build_method", "drop_nonfinite", "method_class"]


class Draw(NamedTuple):
    """The randomness of one micro-batch.

    Attributes:
        sigma: noise levels, [B].
        noise: standard normal, [B, C, H, W].
        labels: one-hot classes, [B, K], or None.
        augment: augmentation labels of the generated images, [B, 9], or None.
        real_augment: those of the real images.
    """

    sigma: Tensor
    noise: Tensor
    labels: Tensor | None
    augment: Tensor | None = None
    real_augment: Tensor | None = None

    def diffuse(self, images: Tensor) -> Tensor:
        """x_t = x + sigma n, [B, C, H, W]."""
        return images + self.sigma[:, None, None, None] * self.noise


def drop_nonfinite(*tensors: Tensor) -> tuple[Tensor, ...]:
    """The images, the first dimension of all tensors, of which every entry is finite."""
    keep = torch.stack(
        [torch.isfinite(t.detach()).reshape(len(t), -1).all(1) for t in tensors]
    ).all(0)
    return tensors if bool(keep.all()) else tuple(tensor[keep] for tensor in tensors)


class Method(Strict, ABC):
    """A way to distil; its fields are the options of a recipe's `method` section.

    A method is found by its name among the entry points of the group `sid.methods`, so that a
    package can bring its own.

    Attributes:
        needs_data: whether updates of the fake score see real images.
        durations: fields that are durations, in thousands of images.
        paper: options where the paper says other than the authors' code, as the paper says.
        fake_grad_clip: bound on each entry of the fake score's gradient, None for no bound.
    """

    needs_data: ClassVar[bool] = False
    durations: ClassVar[tuple[str, ...]] = ()
    paper: ClassVar[Mapping[str, Any]] = {}

    fake_grad_clip: PositiveFloat | None = None

    _section: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def section(self) -> dict[str, Any]:
        """The recipe's `method` section as written; manifests hold it, with 1 where it says 1."""
        return self._section

    @property
    def name(self) -> str:
        """The method's name in the recipe."""
        return str(self._section["name"])

    def scaled(self, budget: float) -> Self:
        """The same method with every duration times `budget`, in its section too."""
        durations = {key: getattr(self, key) * budget for key in self.durations}
        scaled = self.model_copy(update=durations)
        scaled._section = {**self._section, **durations}
        return scaled

    @abstractmethod
    def fake_loss(
        self, fake: EDMPrecond, generated: Tensor, real: Tensor | None, draw: Draw
    ) -> Loss:
        """Loss of the fake score f_psi on generated images [B, C, H, W] without their gradient."""

    @abstractmethod
    def generator_loss(
        self, teacher: EDMPrecond, fake: EDMPrecond, generated: Tensor, draw: Draw, images: int
    ) -> Loss:
        """Loss of the generator, whose gradient flows through `generated`, [B, C, H, W].

        Args:
            teacher: f_phi, without parameter gradients.
            fake: f_psi, without parameter gradients.
            generated: G(z).
            draw: randomness of this micro-batch.
            images: images seen before this update.
        """

    def trains_generator(self, images: int) -> bool:
        """Whether the generator moves after `images` images; always, unless a warm-up says no."""
        return True


def build_method(section: Mapping[str, Any], *, paper: bool) -> Method:
    """The method of a recipe's `method` section.

    Args:
        section: its name and options.
        paper: whether options that are not given follow the paper where it differs from the code.

    Raises:
        UserError: the method is unknown, or an option is unknown or of a wrong type.
    """
    chosen = method_class(section["name"])
    given = {key: value for key, value in section.items() if key != "name"}
    method = parse({**(chosen.paper if paper else {}), **given}, chosen, "method")
    method._section = dict(section)
    return method


def method_class(name: str) -> type[Method]:
    """The class registered as `name`.

    Raises:
        UserError: no installed package brings such a method.
    """
    known = plugins("sid.methods")
    if name not in known:
        raise UserError(f"method.name: {name!r} is unknown; known are {', '.join(sorted(known))}")
    loaded = known[name]
    if not (isinstance(loaded, type) and issubclass(loaded, Method)):
        raise UserError(f"method.name: {name!r} names {loaded!r}, which is no sid.distill.Method")
    return loaded
