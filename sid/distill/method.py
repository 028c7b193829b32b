"""What differs between SiD, SiDA, Diff-Instruct ...: what is trained, on which loss and when."""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import torch
from pydantic import PrivateAttr
from torch import Tensor, nn

from sid.config import Strict, parse
from sid.distill.player import Batch, Player
from sid.errors import UserError
from sid.networks import EDMPrecond
from sid.plugins import plugins
from sid.runs.update import Loss

if TYPE_CHECKING:
    from sid.distill.recipe import Recipe

__all__ = [
    "Batch",
    "Draw",
    "Loss",
    "Method",
    "Player",
    "build_method",
    "drop_nonfinite",
    "method_class",
    "methods",
]

RIVALS = "baselines.methods"


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

    A rival's is the one class of a file in `baselines/methods/`, whose name the file gives:
    `diff_instruct.py` is `diff-instruct`. Other packages bring theirs as entry points of the group
    `sid.methods`.

    Attributes:
        needs_data: whether updates see real images.
        durations: fields that are durations, in thousands of images.
        paper: options where the paper says other than the authors' code, as the paper says.
    """

    needs_data: ClassVar[bool] = False
    durations: ClassVar[tuple[str, ...]] = ()
    paper: ClassVar[Mapping[str, Any]] = {}

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

    def networks(self, copied: Callable[[], EDMPrecond]) -> dict[str, nn.Module]:
        """What it trains beside the generator, by name, in its initial state.

        Random weights may be drawn from torch's generator, which is seeded.

        Args:
            copied: gives a copy of the teacher with the recipe's dropout and precision.
        """
        return {}

    @abstractmethod
    def players(self, recipe: "Recipe") -> Sequence[Player]:
        """Who moves, in the order of a step; the generator is the network `generator`."""


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
    known = methods()
    if name not in known:
        raise UserError(f"method.name: {name!r} is unknown; known are {', '.join(sorted(known))}")
    loaded = known[name]
    if not (isinstance(loaded, type) and issubclass(loaded, Method)):
        raise UserError(f"method.name: {name!r} names {loaded!r}, which is no sid.distill.Method")
    return loaded


def methods() -> dict[str, Any]:
    """All methods by name: the rivals' files, and what packages register."""
    found: dict[str, Any] = {}
    for file in pkgutil.iter_modules(importlib.import_module(RIVALS).__path__, f"{RIVALS}."):
        module = importlib.import_module(file.name)
        (found[file.name.rpartition(".")[2].replace("_", "-")],) = (
            kind
            for kind in vars(module).values()
            if isinstance(kind, type)
            and issubclass(kind, Method)
            and kind.__module__ == module.__name__
        )
    return {**found, **plugins("sid.methods")}
