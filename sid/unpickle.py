"""Read pickles without running their code: only named constructors may be called."""

import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy._core.multiarray import _reconstruct

from sid.errors import UserError

NUMPY_ARRAYS: Mapping[tuple[str, str], Callable[..., Any]] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("_codecs", "encode"): lambda text, encoding: text.encode("latin1"),
}


def restricted_loads(
    data: bytes, allowed: Mapping[tuple[str, str], Callable[..., Any]], source: str
) -> Any:
    """The value of a pickle that calls nothing but `allowed`.

    Args:
        data: the pickle, of Python 2 (its strings are read as Latin-1) or 3.
        allowed: what may be called, by module and name.
        source: where it is from, for the error.

    Raises:
        UserError: it is damaged or calls something else.
    """

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            try:
                return allowed[module, name]
            except KeyError:
                raise UserError(f"{source}: calls {module}.{name}, which is refused") from None

    try:
        return Unpickler(io.BytesIO(data), encoding="latin1").load()
    except UserError:
        raise
    except Exception as error:  # A damaged pickle raises anything.
        raise UserError(f"{source}: damaged pickle ({error}); download it again") from error
