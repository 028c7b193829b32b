"""EDM's zip layout: `00000/img00000000.png` ... and `dataset.json` with the labels."""

import hashlib
import io
import json
import os
import zipfile
import zlib
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sid.data.labels import parse_labels
from sid.data.pictures import Picture, decode, extensions, planes
from sid.errors import UserError
from sid.files import sha256, write_atomic

EPOCH = (1980, 1, 1, 0, 0, 0)  # The oldest date a zip can hold: the same images, the same bytes.
EAGER_BYTES = 2 * 2**30
STORED, DEFLATED = 0, -1  # PNG compression: none, as in EDM's zips; zlib's default.


class ZipImages:
    """The images of a zip, decoded when they are asked for: indexed as an array is.

    Args:
        path: the zip.
        archive: the zip, open; it stays so.
        names: its images, in their order.

    Attributes:
        shape: (N, C, H, W); the first image gives C, H and W, the others are held to it when they
            are decoded.

    Raises:
        UserError: an image is damaged, neither grey nor RGB, or of another size.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile, names: list[str]) -> None:
        self._path, self._archive, self._names = path, archive, names
        self._index = np.arange(len(names))
        self.shape: tuple[int, ...] = (len(names), *self._decode(0).shape)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, index: int | slice | NDArray[Any]) -> NDArray[np.uint8]:
        """Images by number, slice or array of numbers, uint8 [..., C, H, W]."""
        wanted = self._index[index]
        images = np.empty((wanted.size, *self.shape[1:]), np.uint8)
        for place, i in zip(images, wanted.flat, strict=True):
            image = self._decode(int(i))
            if image.shape != self.shape[1:]:
                raise UserError(
                    f"{self._path}: {self._names[i]} is {image.shape}, but {self._names[0]} is "
                    f"{self.shape[1:]}; all images must be of one size"
                )
            place[:] = image
        return images.reshape(*wanted.shape, *self.shape[1:])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All images, in memory."""
        return self[:] if dtype is None else self[:].astype(dtype)

    def _decode(self, i: int) -> NDArray[np.uint8]:
        name = self._names[i]
        try:
            image = decode(io.BytesIO(self._archive.read(name)))
        except Exception as error:  # What zipfile raises depends on the byte that is damaged.
            mend = "delete the zip and make it again"
            raise UserError(f"{self._path}: {name} is damaged ({error}); {mend}") from error
        try:
            return planes(image)
        except ValueError as error:
            mend = "convert the images with `sid data prepare folder`"
            raise UserError(f"{self._path}: {name} is {error}; {mend}") from error


class Images(Protocol):
    """Images [N, C, H, W], uint8, indexed as an array is; they need not be in memory."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: Any, /) -> NDArray[np.uint8]: ...


@dataclass(frozen=True)
class ImageSet:
    """Images, with what identifies them.

    Attributes:
        name: of the data set, `digits` for `digits.zip`.
        images: uint8, [N, C, H, W], an array, or `ZipImages` where they would fill the memory.
        labels: class of each image, int64 [N], or None.
        sha256: of the file that they came from.
    """

    name: str
    images: Images
    labels: NDArray[np.int64] | None
    sha256: str

    def __len__(self) -> int:
        return len(self.images)

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, C, H, W)."""
        return self.images.shape

    @property
    def n_classes(self) -> int:
        """Number of classes, 0 without labels."""
        return 0 if self.labels is None else int(self.labels.max()) + 1

    def batch(self, index: NDArray[np.int64]) -> NDArray[np.uint8]:
        """The images with these numbers, uint8 [len(index), C, H, W].

        Raises:
            UserError: one of them is damaged or of another size.
        """
        return self.images[index]


class Picked:
    """Some of the images of a set, in a given order, indexed as an array is.

    Args:
        images: of the whole set.
        index: which, int64 [n].
    """

    def __init__(self, images: Any, index: NDArray[np.int64]) -> None:
        self._images, self._index = images, index
        self.shape: tuple[int, ...] = (len(index), *images.shape[1:])

    def __len__(self) -> int:
        return len(self._index)

    def __getitem__(self, index: int | slice | NDArray[Any]) -> NDArray[np.uint8]:
        """Images by their place among the chosen, uint8 [..., C, H, W]."""
        chosen: NDArray[np.uint8] = self._images[self._index[index]]
        return chosen


def picked(images: ImageSet, index: NDArray[np.int64], what: str) -> ImageSet:
    """Some images of a set; `what` says which, and goes into their checksum."""
    labels = None if images.labels is None else images.labels[index]
    digest = hashlib.sha256(f"{images.sha256} {what}".encode()).hexdigest()
    return ImageSet(images.name, Picked(images.images, index), labels, digest)


def first(images: ImageSet, n: int) -> ImageSet:
    """The first `n` images of a set."""
    return images if n == len(images) else picked(images, np.arange(n), f"first {n}")


class Written(NamedTuple):
    """What a zip holds: number, shape (C, H, W) and number of classes (0: no labels)."""

    images: int
    shape: tuple[int, ...]
    classes: int

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape))
        return f"{self.images} images, {shape}, {self.classes or 'no'} classes"


def write_images(path: Path, pictures: Iterable[Picture], compression: int = STORED) -> Written:
    """Write images as PNGs in EDM's layout, atomically, the same images to the same bytes.

    Each is written as it comes. What grows with their number is the zip's index, 0.4 kB an image.

    Args:
        path: the zip.
        pictures: at least one; of one shape; all with labels, or none.
        compression: of the PNGs, 0 to 9.

    Raises:
        ValueError: the pictures are not so.
    """
    numbers, labels, shapes = array("q"), array("q"), set()

    def write(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for picture in pictures:
                png, pixels = io.BytesIO(), picture.pixels
                image = Image.fromarray(
                    pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)
                )
                image.save(png, "png", compress_level=compression)
                archive.writestr(_entry(_name(picture.number)), png.getvalue())
                shapes.add(pixels.shape)
                numbers.append(picture.number)
                if picture.label is not None:
                    labels.append(picture.label)
            if len(shapes) != 1 or len(labels) not in (0, len(numbers)):
                raise ValueError("pictures of several shapes, or some without labels")
            with archive.open(_entry("dataset.json"), "w") as file:
                file.write(b'{"labels": ')
                for i, (number, label) in enumerate(zip(numbers, labels, strict=False)):
                    pair = json.dumps([_name(number), label])
                    file.write(f"{', ' if i else '['}{pair}".encode())
                file.write(b"]}" if labels else b"null}")

    write_atomic(path, write)
    return Written(len(numbers), shapes.pop(), max(labels, default=-1) + 1)


def write_zip(path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> Written:
    """Write an array of images in EDM's layout (see `write_images`), compressed.

    Args:
        path: the zip.
        images: uint8, [N, C, H, W] with C 1 or 3.
        labels: class of each image, [N], or None.
    """
    classes = [None] * len(images) if labels is None else labels.tolist()
    pictures = map(Picture, range(len(images)), images, classes)
    return write_images(path, pictures, DEFLATED)


def read_zip(path: Path, eager_bytes: int = EAGER_BYTES) -> ImageSet:
    """Read a data set in EDM's layout, the official tool's own zips included.

    Args:
        path: the zip.
        eager_bytes: up to this size, the decoded images are held in memory; beyond it they are
            decoded, and checked, when they are asked for.

    Raises:
        UserError: the file is missing, no zip or damaged; an image is damaged or of another size;
            a label is missing or no class.
    """
    endings = extensions()
    try:
        archive = zipfile.ZipFile(path)
        every = archive.namelist()
        known = parse_labels(archive.read("dataset.json")) if "dataset.json" in every else None
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; make it with `sid data`") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise UserError(
            f"{path}: damaged data set ({error}); make it again with `sid data`"
        ) from error
    names = sorted(name for name in every if os.path.splitext(name)[1].lower() in endings)
    if not names:
        raise UserError(f"{path}: holds no images")
    labels = None
    if known is not None:
        missing = next((name for name in names if name not in known), None)
        if missing:
            raise UserError(f"{path}: dataset.json has no label for {missing}")
        labels = np.array([known[name] for name in names], dtype=np.int64)
    images: Images = ZipImages(path, archive, names)
    if np.prod(images.shape) <= eager_bytes:
        images = np.asarray(images)
        archive.close()
    return ImageSet(path.stem, images, labels, sha256(path))


def _name(number: int) -> str:
    return f"{number // 1000:05d}/img{number:08d}.png"


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, EPOCH)
