"""EDM's zip layout: `00000/img00000000.png` ... and `dataset.json` with the labels."""

import io
import json
import zipfile
from array import array
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sid.data.arrays import DAMAGED
from sid.data.encoded import EncodedImages
from sid.data.image_files import FORMATS, is_hidden, is_image
from sid.data.images import Images, ImageSet, Picture, parse_labels
from sid.errors import UserError
from sid.files import sha256, write_atomic

EPOCH = (1980, 1, 1, 0, 0, 0)  # The oldest date a zip can hold: the same images, the same bytes.
EAGER_BYTES = 2 * 2**30
STORED, DEFLATED = 0, -1  # PNG compression: none, as in EDM's zips; zlib's default.


class Written(NamedTuple):
    """What a zip holds: number, shape (C, H, W) and classes.

    `classes` is the highest and one, 0 without labels; `empty` of these have no image.
    """

    images: int
    shape: tuple[int, ...]
    classes: int
    empty: int = 0

    def __str__(self) -> str:
        shape = "x".join(map(str, self.shape))
        empty = f", {self.empty} of them without an image" if self.empty else ""
        return f"{self.images} images, {shape}, {self.classes or 'no'} classes{empty}"


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
    classes = max(labels, default=-1) + 1
    return Written(len(numbers), shapes.pop(), classes, classes - len(set(labels)))


def write_zip(path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> Written:
    """Write images [N, 1 or 3, H, W] and their classes [N], compressed (see `write_images`)."""
    classes = [None] * len(images) if labels is None else labels.tolist()
    pictures = map(Picture, range(len(images)), images, classes)
    return write_images(path, pictures, DEFLATED)


def read_zip(path: Path, eager_bytes: int = EAGER_BYTES, *, labelled: bool = True) -> ImageSet:
    """Read a data set in EDM's layout, the official tool's own zips included.

    Args:
        path: the zip.
        eager_bytes: up to this size, the decoded images are held in memory; beyond it they are
            decoded, and checked, when they are asked for.
        labelled: read the labels, where there are any.

    Raises:
        UserError: the file is missing, no zip or damaged, or holds two files of one name; an image
            is damaged or of another size; a label is missing or no class.
    """
    try:
        archive = zipfile.ZipFile(path)
        every = archive.namelist()
        known = None
        if labelled and "dataset.json" in every:
            known = parse_labels(archive.read("dataset.json"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; make it with `sid data`") from error
    except (*DAMAGED, RuntimeError, ValueError) as error:
        raise UserError(
            f"{path}: damaged data set ({error}); make it again with `sid data`"
        ) from error
    names = sorted(name for name in every if is_image(name) and not is_hidden(name))
    if not names:
        raise UserError(f"{path}: holds no images; {', '.join(FORMATS)} are read")
    twice = next((name for name, after in pairwise(names) if name == after), None)
    if twice:
        raise UserError(f"{path}: holds {twice} twice; make it again with `sid data`")
    labels = None
    if known is not None:
        missing = next((name for name in names if name not in known), None)
        if missing:
            raise UserError(f"{path}: dataset.json has no label for {missing}")
        labels = np.array([known[name] for name in names], dtype=np.int64)
    mend = "delete the zip and make it again"
    images: Images = EncodedImages(path, names, archive.read, mend)
    if np.prod(images.shape) <= eager_bytes:
        images = np.asarray(images)
        archive.close()
    return ImageSet(path.stem, images, labels, sha256(path))


def _name(number: int) -> str:
    return f"{number // 1000:05d}/img{number:08d}.png"


def _entry(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, EPOCH)
