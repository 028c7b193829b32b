"""Arrays in files, read and written row by row: what is not asked for takes no memory.

A memory map would do the same, but what it has touched counts as this process's memory.
"""

import math
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sid.data.images import OnDisk

BLOCK = 2**16  # Bytes that are read as one, where rows in any order are asked for.


class Rows(OnDisk):
    """An array [N, ...] in a file, indexed along its first axis as an array is.

    Args:
        path: the file.
        dtype: of the numbers, in the machine's byte order unless it says another.
        shape: of the whole array.
        offset: where its first byte is.
        writable: make the file, or open what is there, for `write`.

    Raises:
        OSError: the file cannot be opened, or made.
    """

    def __init__(
        self,
        path: Path,
        dtype: Any,
        shape: tuple[int, ...],
        offset: int = 0,
        *,
        writable: bool = False,
    ) -> None:
        self.dtype, self.shape, self._offset = np.dtype(dtype), shape, offset
        self._row = self.dtype.itemsize * math.prod(shape[1:])
        self._block = max(1, BLOCK // max(1, self._row))
        # The descriptor lives as long as this object, whatever becomes of the name.
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        self._file = open(os.open(path, flags, 0o666), "rb+" if writable else "rb", buffering=0)  # noqa: SIM115

    def write(self, start: int, rows: NDArray[Any]) -> None:
        """Put `rows` at `start` and after; parts may come in any order, from any process."""
        # A view of bytes, also of rows without columns: an extractor may have no logits.
        data = np.ascontiguousarray(rows, self.dtype).reshape(-1).view(np.uint8).data
        place = self._offset + start * self._row
        while data:
            written = os.pwrite(self._file.fileno(), data, place)
            data, place = data[written:], place + written

    def __getitem__(self, index: int | slice | NDArray[Any]) -> NDArray[Any]:
        """Rows by number, slice or array of numbers, [..., *row shape]."""
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step == 1:
                return self._read(start, max(stop - start, 0))
        wanted = np.arange(len(self))[index]
        numbers = wanted.reshape(-1)
        order = np.argsort(numbers, kind="stable")
        found = np.empty((len(numbers), *self.shape[1:]), self.dtype)
        # One read for those that lie near each other: a call takes longer than the bytes between.
        for near in np.split(order, np.flatnonzero(np.diff(numbers[order] // self._block)) + 1):
            if len(near):
                start, stop = int(numbers[near[0]]), int(numbers[near[-1]]) + 1
                found[near] = self._read(start, stop - start)[numbers[near] - start]
        return found.reshape(*wanted.shape, *self.shape[1:])

    def _read(self, start: int, count: int) -> NDArray[Any]:
        rows = np.empty((count, *self.shape[1:]), self.dtype)
        data = rows.reshape(-1).view(np.uint8).data
        place = self._offset + start * self._row
        while data:
            got = os.preadv(self._file.fileno(), [data], place)
            if not got:
                raise OSError(f"the file ends after {place - self._offset} of its bytes")
            data, place = data[got:], place + got
        return rows
