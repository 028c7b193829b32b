"""Images in the forms that people have, and image files of kinds that Pillow does not write."""

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

COLOURS = {"grey": 0, "rgb": 2, "palette": 3, "grey alpha": 4, "rgb alpha": 6}


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """A file of Pillow's."""
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    """Of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(pixels: NDArray[Any], bits: int, colour: str, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of numbers [H, W] or [H, W, C] that lie in 0 .. 2^bits - 1, with further chunks."""
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1).astype(np.uint64)[:, :, None]
    shown = (rows >> np.arange(bits - 1, -1, -1, dtype=np.uint64) & np.uint64(1)).astype(np.uint8)
    packed = np.packbits(shown.reshape(height, -1), axis=1)
    head = struct.pack(">IIBBBBB", width, height, bits, COLOURS[colour], 0, 0, 0)
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in packed))
    parts = [(b"IHDR", head), *chunks, (b"IDAT", data), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def tiff(pixels: NDArray[Any], *, photometric: int, extra: int = 0, kind: int = 1) -> bytes:
    """A TIFF of numbers [H, W, C] as they are, little-endian.

    Args:
        pixels: of 8, 16 or 32 bits.
        photometric: 1 for grey, 2 for RGB.
        extra: channels of no meaning.
        kind: 1 unsigned, 2 signed, 3 fractions.
    """
    height, width, channels = pixels.shape
    data, bits = pixels.astype(pixels.dtype.newbyteorder("<")).tobytes(), pixels.itemsize * 8
    texts = {258: [bits] * channels, 339: [kind] * channels, 338: [0] * extra}
    plain = {256: width, 257: height, 259: 1, 262: photometric, 273: 8, 277: channels}
    plain |= {278: height, 279: len(data), 284: 1}
    tags = sorted(
        {**{k: [v] for k, v in plain.items()}, **{k: v for k, v in texts.items() if v}}.items()
    )
    place = 8 + len(data) + 2 + 12 * len(tags) + 4
    entries, more = b"", b""
    for tag, values in tags:
        short = tag not in (256, 257, 273, 278, 279)
        value = struct.pack(f"<{len(values)}{'H' if short else 'I'}", *values)
        if len(value) > 4:
            value, more, place = struct.pack("<I", place), more + value, place + len(value)
        entries += struct.pack("<HHI", tag, 3 if short else 4, len(values)) + value.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    return head + data + struct.pack("<H", len(tags)) + entries + bytes(4) + more


def patched(content: bytes, mark: bytes, distance: int, value: int) -> bytes:
    """The same file with one byte behind a mark changed."""
    place = content.index(mark) + len(mark) + distance
    return content[:place] + bytes([value]) + content[place + 1 :]


RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (5, 3, 6, 7), dtype=np.uint8)  # [N, C, H, W]
GREY = COLOUR[:, :1]


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(path)


def folder(path: Path, images: NDArray[np.uint8] = COLOUR) -> Path:
    for i, image in enumerate(images):
        write_png(path / f"{i}.png", image)
    return path


def npz(path: Path, images: NDArray[np.uint8], save: Callable[..., None] = np.savez) -> Path:
    with path.open("wb") as file:
        save(file, images.transpose(0, 2, 3, 1), np.array([{"never": "unpickled"}]))
    return path


def npy(path: Path, array: NDArray[np.generic]) -> Path:
    np.save(path, array)
    return path


PNG = encoded(Image.fromarray(COLOUR[0].transpose(1, 2, 0)), "png")
