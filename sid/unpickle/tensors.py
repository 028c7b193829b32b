"""Stand-ins for what PyTorch tensors reduce to under plain `pickle`.

A storage is `torch.storage._load_from_bytes(b)` where `b` is itself a file of the legacy
`torch.save`: five pickles (magic number, protocol, system, the storage's persistent id, the list of
keys), then the number of elements, 8 bytes, and the elements. It is read here, not by `torch.load`.
"""

import io
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sid.unpickle.arrays import only_named
from sid.unpickle.machine import Machine, RefusedError
from sid.unpickle.tree import Global

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001
OPCODES = 100  # Of each of the five pickles; they have 3 to 30.
DIMENSIONS = 8

DTYPES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


_STORAGES = {("torch", name): only_named for name in DTYPES}


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """The elements of one storage, [n], and the bytes that described it."""

    elements: Tensor
    nbytes: int


def _load_from_bytes(content: Any) -> Storage:
    if type(content) is not bytes:
        raise TypeError("a storage that is not bytes")
    stream = io.BytesIO(content)

    def read(persistent: Callable[[Any], Any] | None = None) -> Any:
        return Machine(_STORAGES, 0, opcodes=OPCODES, persistent=persistent).run(stream)

    try:
        magic, protocol, system = read(), read(), read()
        if (magic, protocol) != (MAGIC, PROTOCOL) or system.get("little_endian") is not True:
            raise ValueError("not a little-endian legacy torch.save")
        word, kind, key, _, n, view = read(lambda persistent_id: persistent_id)
        keys = read()
    except RefusedError as error:
        raise ValueError(str(error)) from error
    if word != "storage" or type(kind) is not Global or keys != [key] or view is not None:
        raise ValueError("not one whole storage")
    dtype = DTYPES[kind.name]
    start = stream.tell() + 8
    (written,) = struct.unpack_from("<q", content, start - 8)
    if type(n) is not int or n != written or n * dtype.itemsize != len(content) - start:
        raise ValueError(f"{len(content) - start} bytes of elements are not what it says it has")
    # A copy, since the elements lie at any address in the file.
    raw = torch.from_numpy(np.frombuffer(content, np.uint8, offset=start).copy())
    return Storage(raw.view(dtype), len(content))


def _rebuild_tensor(
    storage: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any, *_: Any
) -> Tensor:
    if not isinstance(storage, Storage) or type(size) is not tuple or type(stride) is not tuple:
        raise TypeError("not a tensor of a storage")
    if len(size) != len(stride) or len(size) > DIMENSIONS or hooks:
        raise ValueError("strides that do not fit the sizes, or hooks")
    if not all(type(n) is int and 0 <= n < 1 << 60 for n in (offset, *size, *stride)):
        raise ValueError("a size, stride or offset that is no small number")
    count, held = math.prod(size), len(storage.elements)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True))
    if count > held or offset > held or (count and last >= held):
        raise ValueError(f"{count} elements from {offset} in a storage of {held}")
    return storage.elements.as_strided(size, stride, offset)


def _rebuild_parameter(data: Any, requires_grad: Any, hooks: Any) -> Tensor:
    if not isinstance(data, Tensor) or hooks:
        raise TypeError("a parameter that is no tensor, or hooks")
    return data


TORCH_TENSORS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("torch.storage", "_load_from_bytes"): _load_from_bytes,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
}
"""Dense tensors and parameters; parameters become plain tensors."""
