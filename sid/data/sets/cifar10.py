"""CIFAR-10 (Krizhevsky 2009) from `cifar-10-python.tar.gz`, without running its pickles' code."""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sid.data.images import Picture
from sid.errors import UserError
from sid.unpickle import NUMPY_ARRAYS, restricted_loads

URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
SHA256 = "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
BATCHES = [f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)]  # EDM leaves the test out.
ROW = (3 * 32 * 32,)


def cifar10(archive: Path) -> Iterator[Picture]:
    """The training images [3, 32, 32] with labels 0 .. 9, in the order of the five batches.

    Raises:
        UserError: the archive or a batch is missing, damaged or something else.
    """
    number = 0
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for name in BATCHES:
                images, labels = _batch(tar, name, f"{archive}: {name}")
                for image, label in zip(images, labels, strict=True):
                    yield Picture(number, image, label)
                    number += 1
    except FileNotFoundError as error:
        raise UserError(f"{archive}: no such file; download {URL}") from error
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise UserError(f"{archive}: cannot be read ({reason}); download {URL} again") from error


def _batch(tar: tarfile.TarFile, name: str, source: str) -> tuple[NDArray[np.uint8], list[int]]:
    try:
        file = tar.extractfile(name)
    except KeyError as error:
        raise UserError(f"{source}: not in the archive; download {URL} again") from error
    if file is None:
        raise UserError(f"{source}: not a file; download {URL} again")
    batch = restricted_loads(file.read(), NUMPY_ARRAYS, source)
    if not isinstance(batch, dict) or not {"data", "labels"} <= batch.keys():
        raise UserError(f"{source}: holds no `data` and `labels`; download {URL} again")
    images, labels = batch["data"], batch["labels"]
    if not isinstance(images, np.ndarray) or images.dtype != np.uint8 or images.shape[1:] != ROW:
        raise UserError(f"{source}: `data` is not uint8 [N, 3072]; download {URL} again")
    known = isinstance(labels, list) and all(type(k) is int and 0 <= k <= 9 for k in labels)
    if not known or len(labels) != len(images):
        raise UserError(
            f"{source}: `labels` are not {len(images)} numbers 0 to 9; download {URL} again"
        )
    return images.reshape(-1, 3, 32, 32), labels
