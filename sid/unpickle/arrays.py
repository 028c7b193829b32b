"""Stand-ins for what NumPy arrays and scalars reduce to, and the one meaning of BUILD."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sid.unpickle.tree import Global, Record

# Booleans, integers, floats and complex numbers: no objects, no text, no records.
CODE = re.compile(r"b1|[iu][1248]|f[248]|c(8|16)")
DIMENSIONS = 8


class DType:
    """A plain NumPy type in the making.

    Args:
        code: kind and bytes, as `f4`.
        align: ignored.
        copy: ignored.
    """

    def __init__(self, code: Any, align: Any = False, copy: Any = True) -> None:
        text = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(text, str) or not CODE.fullmatch(text):
            raise ValueError("a type of elements other than plain numbers")
        self.dtype = np.dtype(text)

    def build(self, state: Any) -> None:
        """Take the byte order; the rest must say that the type is a plain one."""
        order: Any = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        plain = (None, None, None, -1, -1, 0)
        if state[0] != 3 or order not in ("<", ">", "|", "=") or tuple(state[2:8]) != plain:
            raise ValueError("a type of elements other than plain numbers")
        self.dtype = self.dtype.newbyteorder(order)


def _bytes(raw: Any) -> bytes:
    if isinstance(raw, str):
        return raw.encode("latin1")
    if not isinstance(raw, bytes | bytearray):
        raise TypeError("elements that are not bytes")
    return bytes(raw)


def _check(shape: Any, dtype: Any, raw: bytes) -> np.dtype[Any]:
    if type(shape) is not tuple or len(shape) > DIMENSIONS:
        raise ValueError("a shape that is no short tuple")
    if not isinstance(dtype, DType) or not all(type(n) is int and n >= 0 for n in shape):
        raise ValueError("a shape or a type that is none")
    if math.prod(shape) * dtype.dtype.itemsize != len(raw):
        raise ValueError("another number of elements than its shape says")
    return dtype.dtype


def _reconstruct(kind: Any, shape: Any, code: Any) -> NDArray[Any]:
    if kind != Global("numpy", "ndarray") or shape != (0,) or code not in (b"b", "b"):
        raise ValueError("an array other than numpy.ndarray")
    return np.ndarray((0,), np.int8)


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any) -> NDArray[Any]:
    content = _bytes(raw)
    plain = _check(shape, dtype, content)
    if order not in ("C", "F"):
        raise ValueError("an order of elements other than C and F")
    return np.frombuffer(content, plain).reshape(shape, order=order)


def _scalar(dtype: Any, raw: Any) -> Any:
    content = _bytes(raw)
    return np.frombuffer(content, _check((), dtype, content))[0].item()


def _encode(text: Any, encoding: Any = "latin1") -> bytes:
    """How protocol 2 writes the bytes of Python 3."""
    if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
        raise ValueError("an encoding other than latin1")
    return text.encode("latin1")


def _no_bytes() -> bytes:
    """How protocol 2 writes empty bytes."""
    return b""


def only_named(*_: Any) -> None:
    """What stands in for a class that a file may name but not call."""
    raise ValueError("may be named, not called")


_CORE: dict[str, Callable[..., Any]] = {"_reconstruct": _reconstruct, "scalar": _scalar}

NUMPY_ARRAYS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): only_named,
    ("numpy", "dtype"): DType,
    ("_codecs", "encode"): _encode,
    ("__builtin__", "bytes"): _no_bytes,
    **{(f"numpy.{core}.multiarray", k): v for core in ("core", "_core") for k, v in _CORE.items()},
    **{(f"numpy.{core}.numeric", "_frombuffer"): _from_buffer for core in ("core", "_core")},
}
"""Arrays and scalars of plain numbers, as NumPy 1 and 2 pickle them in protocols 0 to 5."""


def build(target: Any, state: Any) -> None:
    """Carry out BUILD: the state is checked and never set as attributes.

    Raises:
        TypeError: nothing may be built on this target.
    """
    if isinstance(target, Record | DType):
        target.build(state)
        return
    if not isinstance(target, np.ndarray):
        raise TypeError("BUILD on what takes no state")
    version, shape, dtype, fortran, raw = state
    content = _bytes(raw)
    plain = _check(shape, dtype, content)
    if version != 1 or type(fortran) not in (bool, int) or target.size:
        raise ValueError("a state that is not of an array")
    target.__setstate__((1, shape, plain, bool(fortran), content))  # type: ignore[arg-type]
