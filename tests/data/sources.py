"""Made-up sources: images that are the same everywhere, and a CIFAR-10 archive of Python 2."""

import io
import struct
import tarfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Name, mode, width, height: odd and even, wide and tall, larger and smaller than what is made.
PICTURES = [
    ("b/x.png", "RGB", 64, 64),
    ("b/y.png", "RGB", 101, 67),
    ("a/z.png", "RGB", 33, 90),
    ("a/deep/z.png", "RGB", 40, 31),
    ("a/w.png", "RGB", 130, 131),
    ("a-b/v.PNG", "RGB", 257, 120),
    ("a/grey.png", "L", 90, 71),
]


def picture(mode: str, width: int, height: int) -> Image.Image:
    """A grey or RGB image given by a formula, with edges and slopes."""
    y, x = np.mgrid[:height, :width]
    levels = [(3 * x + 7 * y + 80 * c + (x * y) // 8) % 256 for c in range(3)]
    pixels = np.stack(levels, axis=2).astype(np.uint8)
    return Image.fromarray(pixels if mode == "RGB" else pixels[:, :, 0])


def write_pictures(folder: Path, pictures: Sequence[tuple[str, str, int, int]]) -> Path:
    """The pictures as files below a folder."""
    for name, *rest in pictures:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(*rest).save(path)
    return folder


def python2_pickle(images: NDArray[np.uint8], labels: Sequence[int]) -> bytes:
    """A batch as CIFAR-10's files hold it: protocol 2, byte strings, numpy of Python 2."""

    def text(value: bytes) -> bytes:
        return b"U" + bytes([len(value)]) + value

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"
        + (number(0) + b"\x85" + text(b"b") + b"\x87R")
        + (b"(" + number(1) + number(len(images)) + number(images[0].size) + b"\x86")
        + (b"cnumpy\ndtype\n" + text(b"u1") + number(0) + number(1) + b"\x87R")
        + (b"(" + number(3) + text(b"|") + b"NNN" + number(-1) + number(-1) + number(0) + b"tb")
        + (b"\x89T" + struct.pack("<i", images.size) + images.tobytes() + b"tb")
    )
    listed = b"](" + b"".join(map(number, labels)) + b"e"
    return b"\x80\x02}(" + text(b"data") + array + text(b"labels") + listed + b"u."


def write_archive(path: Path, batches: dict[str, bytes]) -> Path:
    """A gzipped tar with these files in the folder of CIFAR-10's."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in batches.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path
