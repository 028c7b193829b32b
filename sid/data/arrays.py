"""Images in NumPy's `.npy` and `.npz`, read from the file when they are asked for."""

import lzma
import math
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from sid.data.images import OnDisk
from sid.data.rows import Rows
from sid.errors import UserError, reason

STEP = 2**20  # Bytes, or numbers, that are held at a time.
CHANNELS = (1, 3)
# What a damaged zip raises depends on where it is damaged.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError)
HEADERS = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}


class Header(NamedTuple):
    """What the head of a `.npy` tells, and how long it is."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    length: int


class ArrayImages(OnDisk):
    """Rows of a file as images uint8 [N, C, H, W], indexed as an array is.

    Args:
        rows: uint8, [N, H, W], [N, H, W, C] or [N, C, H, W].
        layout: which of the three, `NHW`, `NHWC` or `NCHW`.

    Attributes:
        shape: (N, C, H, W).
    """

    def __init__(self, rows: Rows, layout: str) -> None:
        self._rows, self._layout = rows, layout
        n, *rest = rows.shape
        if layout == "NHWC":
            rest = [rest[2], rest[0], rest[1]]
        self.shape: tuple[int, ...] = (n, *([1, *rest] if layout == "NHW" else rest))

    def __getitem__(self, index: int | slice | NDArray[Any]) -> NDArray[np.uint8]:
        """Images by number, slice or array of numbers, uint8 [..., C, H, W]."""
        found = self._rows[index]
        if self._layout == "NHW":
            return found[..., None, :, :]
        if self._layout == "NCHW":
            return found
        # Networks round otherwise where the strides are others: one order for all sources.
        return np.ascontiguousarray(np.moveaxis(found, -1, -3))


def read_npy(path: Path) -> ArrayImages:
    """The images of a `.npy`.

    Raises:
        UserError: it is damaged, or not uint8 in one of the layouts of `ArrayImages`.
    """
    with path.open("rb") as file:
        header = _header(file, f"{path}")
        layout = _layout(header, file, f"{path}")
    return _images(path, header, layout, 0, path.stat().st_size, f"{path}")


def read_npz(path: Path, key: str = "arr_0") -> ArrayImages:
    """The images of a `.npz`, as OpenAI's samples and references hold them.

    An uncompressed array is read where it lies, a compressed one is unpacked to a temporary file.

    Raises:
        UserError: it is damaged, has no such key, or holds other than images under it.
    """
    where, found = f"{path}: {key}", npz_keys(path)
    if key not in found:
        raise UserError(f"{path}: holds {listed(found)}; wanted {key}, uint8 [N, H, W, C]")
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(found[key])
            with archive.open(info) as member:
                header = _header(member, where)
                layout = _layout(header, member, where)
            if info.compress_type == zipfile.ZIP_STORED:
                with archive.open(info) as member:  # Its checksum is compared at the end.
                    size = sum(map(len, _chunks(member)))
                start = _start(path, info)
                return _images(path, header, layout, start, size, where)
            with archive.open(info) as member:
                return _unpacked(member, header, layout, where)
    except DAMAGED as error:
        raise UserError(f"{where} is damaged ({error}); make the file again") from error
    except RuntimeError as error:  # A password, or a packing that is not known here.
        raise UserError(f"{where} cannot be read ({error}); save the file anew") from error


def _unpacked(member: IO[bytes], header: Header, layout: str, where: str) -> ArrayImages:
    """Images of a compressed member, in a file without a name that goes with its last user."""
    try:
        with tempfile.NamedTemporaryFile(prefix="sid-", buffering=0) as copy:
            size = sum(map(copy.write, _chunks(member)))
            return _images(Path(copy.name), header, layout, 0, size, where)
    except OSError as error:
        mend = f"set TMPDIR to a folder with room for {math.prod(header.shape) / 2**30:.1f} GiB"
        raise UserError(f"{where}: cannot be unpacked ({reason(error)}); {mend}") from error


def npz_keys(path: Path) -> dict[str, str]:
    """The arrays in a `.npz` by name, and the file in it that each is.

    NumPy's own end in `.npy`; as NumPy does, others are taken by their whole names.

    Raises:
        UserError: it is no such file, or has two arrays of one name.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except DAMAGED as error:
        raise UserError(f"{path}: not an npz file ({error}); make it again") from error
    found: dict[str, str] = {}
    for name in names:
        key = name.removesuffix(".npy")
        if key in found:
            raise UserError(f"{path}: holds {key} twice; make the file again")
        found[key] = name
    return found


def listed(keys: Iterable[str]) -> str:
    """The first of them in one line, for errors."""
    first, rest = [*keys][:8], [*keys][8:]
    more = f" and {len(rest)} more" if rest else ""
    return (", ".join(first) or "nothing") + more


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(STEP):
        yield chunk


def _start(path: Path, info: zipfile.ZipInfo) -> int:
    """Where the bytes of an uncompressed member begin: after a header of two variable fields."""
    with path.open("rb") as file:
        file.seek(info.header_offset + 26)
        lengths = file.read(4)
    name, extra = (int.from_bytes(lengths[i : i + 2], "little") for i in (0, 2))
    return info.header_offset + 30 + name + extra


def _header(file: IO[bytes], where: str) -> Header:
    try:
        shape, fortran, dtype = HEADERS[npy.read_magic(file)](file)
    except (*DAMAGED, RuntimeError):
        raise
    except Exception as error:  # What NumPy raises depends on the byte that is damaged.
        why = " ".join(str(error).split())
        raise UserError(f"{where}: not NumPy's format, or damaged ({why})") from error
    return Header(shape, fortran, dtype, file.tell())


def _layout(header: Header, numbers: IO[bytes], where: str) -> str:
    """Which layout an array of images has.

    Args:
        header: of the array.
        numbers: the file, at the first number; read for the reason why floats are refused.
        where: file and key, for errors.
    """
    shape, kind = header.shape, header.dtype
    if kind.hasobject:
        raise UserError(f"{where}: holds Python objects, which could run code; save it as uint8")
    if np.issubdtype(kind, np.floating):
        bad = _first_nan(header, numbers)
        found = f"holds NaN, the first in image {bad}" if bad is not None else f"holds {kind}"
        raise UserError(
            f"{where}: {found}; what range floats have is not told: save 0 to 255 as uint8"
        )
    if kind != np.uint8:
        raise UserError(f"{where}: holds {kind}; save 0 to 255 as uint8")
    if header.fortran:
        raise UserError(f"{where}: is in Fortran order; save np.ascontiguousarray of it")
    if min(shape, default=1) < 1:
        raise UserError(f"{where}: holds no images, its shape is {shape}")
    last, first = shape[-1:], shape[1:2]
    if len(shape) == 3 and last[0] not in (*CHANNELS, 4):
        return "NHW"
    layouts = [
        layout
        for layout, channels in (("NHWC", last), ("NCHW", first))
        if len(shape) == 4 and channels[0] in CHANNELS
    ]
    if len(layouts) == 1:
        return layouts[0]
    problem = "could be [N, H, W, C] or [N, C, H, W]" if layouts else "is not that of images"
    raise UserError(
        f"{where}: its shape {shape} {problem}; save [N, H, W, C] with C = 1 or 3, or [N, H, W]"
    )


def _first_nan(header: Header, numbers: IO[bytes]) -> int | None:
    done, image = 0, max(math.prod(header.shape[1:]), 1)
    while data := numbers.read(STEP * header.dtype.itemsize):
        whole = len(data) // header.dtype.itemsize
        found = np.flatnonzero(np.isnan(np.frombuffer(data, header.dtype, whole)))
        if len(found):
            return (done + int(found[0])) // image
        done += whole
    return None


def _images(
    path: Path, header: Header, layout: str, start: int, size: int, where: str
) -> ArrayImages:
    """Images in a file, where `size` bytes from `start` are the header and the numbers."""
    wanted = header.length + math.prod(header.shape)
    if size < wanted:
        raise UserError(f"{where}: ends after {size} of {wanted} bytes; make the file again")
    return ArrayImages(Rows(path, np.uint8, header.shape, start + header.length), layout)
