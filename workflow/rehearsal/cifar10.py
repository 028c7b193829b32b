"""CIFAR-10's archive, with other images: patches of two photographs, in batches of Python 2."""

import gzip
import io
import struct
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_sample_images

BATCHES, CLASSES, SIDE = 5, 10, 32


def patches(n: int) -> NDArray[np.uint8]:
    """Evenly chosen, `n` patches of scikit-learn's photographs, uint8 [n, 3, 32, 32]."""

    def every() -> Iterator[NDArray[np.uint8]]:
        for picture in load_sample_images().images:
            for y in range(0, picture.shape[0] - SIDE + 1, SIDE):
                for x in range(0, picture.shape[1] - SIDE + 1, SIDE):
                    yield picture[y : y + SIDE, x : x + SIDE].transpose(2, 0, 1)

    found: NDArray[np.uint8] = np.stack(list(every()))
    if n > len(found):
        raise ValueError(f"the photographs have {len(found)} patches, not {n}")
    chosen: NDArray[np.uint8] = found[np.linspace(0, len(found) - 1, n).astype(int)]
    return chosen


def write_cifar10(path: Path, n: int) -> NDArray[np.uint8]:
    """An archive of `n` patches, dealt to five batches and ten classes; the images."""
    images = patches(n)
    batches = np.array_split(np.arange(n), BATCHES)
    write_archive(
        path,
        {
            f"data_batch_{number}": python2_pickle(images[part], [int(k) % CLASSES for k in part])
            for number, part in enumerate(batches, start=1)
        },
    )
    return images


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
    """A gzipped tar with these files in the folder of CIFAR-10's, the same bytes at any time."""
    with gzip.GzipFile(path, "wb", mtime=0) as plain, tarfile.open(fileobj=plain, mode="w") as tar:
        for name, content in batches.items():
            info = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path
