"""Pickles with the structure of the official ones, written without any official code.

Modules reduce as the official `persistent_class` makes them: a call with `module_src`, which would
leave a file behind if anything ran it. Tensors and `ModuleDict` reduce as PyTorch makes them.
"""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import nn

CANARY = "canary"
CODE = f"open({CANARY!r}, 'w').close()"


@dataclass(frozen=True)
class Named:
    """A global that need not exist here."""

    module: str
    name: str

    def __call__(self) -> None:
        """Nothing: the pickler only takes for a function what can be called."""
        raise AssertionError


class Call:
    """An object that reduces to a call of such a global."""

    def __init__(self, module: str, name: str, *arguments: Any, state: Any = None) -> None:
        self.reduced = (Named(module, name), arguments, state)


RECONSTRUCT = ("torch_utils.persistence", "_reconstruct_persistent_obj")


def persistent(class_name: str, state: Mapping[str, Any]) -> Call:
    """An instance of a class that the official code pickles with its source."""
    meta = {"type": "class", "version": 6, "module_src": CODE, "class_name": class_name}
    return Call(*RECONSTRUCT, {**meta, "state": dict(state)})


def _save_named(pickler: Any, named: Named) -> None:
    if pickler.proto < 4:
        pickler.write(b"c" + f"{named.module}\n{named.name}\n".encode())
    else:
        pickler.save(named.module)
        pickler.save(named.name)
        pickler.write(b"\x93")
    pickler.memoize(named)


class Pickler(pickle._Pickler):
    """Python's own, which knows the two classes above and the official form of a module."""

    dispatch: ClassVar[Any] = {**pickle._Pickler.dispatch, Named: _save_named}

    def reducer_override(self, obj: Any) -> Any:
        """How an object is pickled, where that is not as usual."""
        if isinstance(obj, Call):
            return obj.reduced
        if isinstance(obj, nn.Module) and not isinstance(obj, nn.ModuleDict):
            state = {k: v for k, v in vars(obj).items() if k == "training" or k[0] == "_"}
            return persistent(type(obj).__name__, state).reduced
        return NotImplemented


def dumps(value: Any, protocol: int = 4) -> bytes:
    """As `pickle.dumps`, with the classes above."""
    file = io.BytesIO()
    Pickler(file, protocol).dump(value)
    return file.getvalue()


def snapshot(network: nn.Module, arguments: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """What the official loops pickle: the network under `ema`, for EDM also its loss and data."""
    network.__dict__.update(_init_args=(), _init_kwargs=dict(arguments))
    return {"ema": network, **others}


def edm_extras() -> dict[str, Any]:
    """What EDM's loop adds."""
    return {
        "loss_fn": persistent("EDMLoss", {"P_mean": -1.2, "P_std": 1.2, "sigma_data": 0.5}),
        "augment_pipe": persistent("AugmentPipe", {"p": 0.12, "xflip": 1e8}),
        "dataset_kwargs": {"class_name": "training.dataset.ImageFolderDataset", "xflip": False},
    }
