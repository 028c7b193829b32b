"""Official EDM, SiD and SiDA network pickles: from the file's tree to arguments and weights.

Their training loops write `{"ema": network, ...}` with plain `pickle.dump`. Each module is a call
of `torch_utils.persistence._reconstruct_persistent_obj` with a dictionary of `type`, `version`,
`module_src`, `class_name` and `state`. `state` holds the constructor's arguments and the tensors,
which is all that is taken. `module_src`, Python source, is dropped unread.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sid.errors import UserError
from sid.networks import Architecture, parse_architecture
from sid.unpickle import NUMPY_ARRAYS, TORCH_TENSORS, Record, restricted_loads
from sid.unpickle.machine import DAMAGE
from sid.unpickle.tree import printable

# The class of the network, and the model_type that its constructor takes by default.
CLASSES = {"EDMPrecond": "DhariwalUNet", "EDMPrecond_EncoderDecoder": "SongUNet_EncoderDecoder"}
GENERATOR_CLASS = "EDMPrecond_EncoderDecoder"  # SiDA's; its networks differ in no weight.

# Constructor arguments in their official order, and what the official code takes when they are
# not given. None: must be given.
PRECOND: Mapping[str, Any] = {
    "img_resolution": None,
    "img_channels": None,
    "label_dim": 0,
    "use_fp16": False,
    "sigma_min": 0,
    "sigma_max": float("inf"),
    "sigma_data": 0.5,
    "model_type": None,
}
# A network larger than these is not built, not even without its weights.
LARGEST: Mapping[str, int] = {"img_resolution": 4096, "num_blocks": 64}
LARGEST_NUMBER, LONGEST_LIST = 100_000, 16


@dataclass(frozen=True)
class Official:
    """A network read from an official pickle.

    Attributes:
        class_name: as in the file.
        arguments: of its constructor, as the file has them.
        architecture: that they describe.
        tensors: parameters and buffers by their official names.
        others: what the file holds besides the network, by key.
    """

    class_name: str
    arguments: dict[str, Any]
    architecture: Architecture
    tensors: dict[str, Tensor]
    others: tuple[str, ...]


def _persistent(meta: Any) -> Record:
    """What `torch_utils.persistence._reconstruct_persistent_obj` is called for."""
    if type(meta) is not dict or meta.get("type") != "class":
        raise ValueError("describes no object of a class")
    name, state = meta.get("class_name"), meta.get("state")
    if type(name) is not str or type(state) is not dict:
        raise ValueError("an object without a class name or a state")
    return Record(name, state)


def _empty() -> dict[str, Any]:
    """An OrderedDict; pickle fills it item by item, so that it takes no arguments."""
    return {}


OFFICIAL: Mapping[tuple[str, str], Callable[..., Any]] = {
    **TORCH_TENSORS,
    **NUMPY_ARRAYS,
    ("collections", "OrderedDict"): _empty,
    ("torch.nn.modules.container", "ModuleDict"): lambda: Record("ModuleDict", {}),
    ("torch_utils.persistence", "_reconstruct_persistent_obj"): _persistent,
}


def read_official(data: bytes, source: str) -> Official:
    """The network under `ema`.

    Raises:
        UserError: it is no such pickle, names a global that no such pickle names, or holds a
            network that cannot be built here or does not fit its own arguments.
    """
    tree = restricted_loads(data, OFFICIAL, source)
    if not isinstance(tree, dict) or not isinstance(tree.get("ema"), Record):
        raise UserError(
            f"{source}: holds no network under the key `ema`; is it a network snapshot?"
        )
    network = tree["ema"]
    if network.class_name not in CLASSES:
        raise UserError(
            f"{source}: a network of class {printable(network.class_name)}; "
            f"supported are {' and '.join(CLASSES)}"
        )
    try:
        arguments = _arguments(network)
        tensors = dict(_tensors(network.state, ""))
    except ValueError as error:
        raise UserError(f"{source}: {error}") from error
    architecture = _architecture(arguments, network.class_name, source)
    _check(tensors, architecture, len(data), source)
    others = tuple(printable(str(key)) for key in tree if key != "ema")
    return Official(network.class_name, arguments, architecture, tensors, others)


def _arguments(network: Record) -> dict[str, Any]:
    positional, named = (network.state.get(k) for k in ("_init_args", "_init_kwargs"))
    if not isinstance(positional, tuple | list) or not isinstance(named, dict):
        raise ValueError("does not say what its network was constructed with")
    if len(positional) > len(PRECOND) or not all(isinstance(key, str) for key in named):
        raise ValueError("has constructor arguments that are none")
    found = dict(zip(PRECOND, positional, strict=False))
    if twice := found.keys() & named.keys():
        raise ValueError(f"constructor argument `{min(twice)}` is given twice")
    return {key: _plain(key, value) for key, value in (found | named).items()}


def _plain(key: str, value: Any) -> Any:
    items = value if isinstance(value, list | tuple) else [value]
    if len(items) > LONGEST_LIST or not all(type(x) in (bool, int, float, str) for x in items):
        raise ValueError(
            f"constructor argument `{printable(key)}` is no number, word or short list"
        )
    largest = LARGEST.get(key, LARGEST_NUMBER)
    numbers = [x for x in items if not isinstance(x, str)]
    if not all(0 <= x <= largest or (x == math.inf and key == "sigma_max") for x in numbers):
        raise ValueError(f"constructor argument `{printable(key)}` is not in 0 .. {largest}")
    return list(items) if isinstance(value, list | tuple) else value


def _tensors(state: Any, prefix: str) -> Iterator[tuple[str, Tensor]]:
    """Parameters and buffers of a module and, by recursion, of the modules in it."""
    parts = [state.get(k, {}) for k in ("_parameters", "_buffers", "_modules")]
    if not all(isinstance(part, dict) for part in parts):
        raise ValueError(f"module `{printable(prefix)}` is damaged")
    parameters, buffers, modules = parts
    for name, tensor in [*parameters.items(), *buffers.items()]:
        if isinstance(tensor, Tensor):
            yield f"{prefix}{name}", tensor
        elif tensor is not None:
            raise ValueError(f"`{printable(f'{prefix}{name}')}` is not a tensor")
    for name, module in modules.items():
        if isinstance(module, Record):
            yield from _tensors(module.state, f"{prefix}{name}.")
        elif module is not None:
            raise ValueError(f"`{printable(f'{prefix}{name}')}` is not a module")


def _architecture(arguments: Mapping[str, Any], class_name: str, source: str) -> Architecture:
    model = str(arguments.get("model_type", CLASSES[class_name])).removesuffix("_EncoderDecoder")
    values = {printable(key): value for key, value in arguments.items()}
    return parse_architecture({**values, "model_type": printable(model)}, source)


def _check(
    tensors: Mapping[str, Tensor], architecture: Architecture, size: int, source: str
) -> None:
    """Compare names and shapes with those of the network, which is built without its weights."""
    try:
        with torch.device("meta"):
            wanted = architecture.build().state_dict()
    except (*DAMAGE, AssertionError) as error:
        reason = printable(str(error))
        raise UserError(
            f"{source}: its constructor arguments build no network ({reason})"
        ) from error
    missing, unexpected = wanted.keys() - tensors.keys(), tensors.keys() - wanted.keys()
    for names, word in ((missing, "lacks"), (unexpected, "has besides")):
        if names:
            raise UserError(
                f"{source}: {word} {len(names)} of the {len(wanted)} tensors of the network that "
                f"its arguments describe, first {printable(min(names))}"
            )
    for name, tensor in tensors.items():
        if tensor.shape != wanted[name].shape or not tensor.is_floating_point():
            raise UserError(
                f"{source}: {name} is {tensor.dtype} {tuple(tensor.shape)} and should be floating "
                f"point {tuple(wanted[name].shape)}"
            )
    if sum(tensor.nbytes for tensor in tensors.values()) > size:
        raise UserError(f"{source}: describes more weights than it holds")
