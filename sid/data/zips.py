"""EDM's zip layout: `00000/img00000000.png` ... and `dataset.json` with the labels."""

import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from sid.errors import UserError
from sid.files import sha256, write_atomic

EPOCH = (1980, 1, 1, 0, 0, 0)  # The oldest date a zip can hold: the same images, the same bytes.


@dataclass(frozen=True)
class ImageSet:
    """Images in memory, with what identifies them.

    Attributes:
        name: of the data set, `digits` for `digits.zip`.
        images: uint8, [N, C, H, W].
        labels: class of each image, int64 [N], or None.
        sha256: of the file that they came from.
    """

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.int64] | None
    sha256: str

    @property
    def n_classes(self) -> int:
        """Number of classes, 0 without labels."""
        return 0 if self.labels is None else int(self.labels.max()) + 1


def write_zip(path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64] | None) -> None:
    """Write images as PNGs in EDM's layout, atomically and with the same bytes each time.

    Args:
        path: the zip.
        images: uint8, [N, C, H, W] with C 1 or 3.
        labels: class of each image, [N], or None.
    """

    def entry(name: str) -> zipfile.ZipInfo:
        return zipfile.ZipInfo(name, EPOCH)

    def write(temporary: Path) -> None:
        names = [f"{i // 1000:05d}/img{i:08d}.png" for i in range(len(images))]
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for name, image in zip(names, images, strict=True):
                buffer = io.BytesIO()
                pixels = image[0] if len(image) == 1 else image.transpose(1, 2, 0)
                Image.fromarray(pixels).save(buffer, "png", optimize=False)
                archive.writestr(entry(name), buffer.getvalue())
            pairs = None
            if labels is not None:
                pairs = [[n, int(k)] for n, k in zip(names, labels, strict=True)]
            archive.writestr(entry("dataset.json"), json.dumps({"labels": pairs}))

    write_atomic(path, write)


def read_zip(path: Path) -> ImageSet:
    """Read a data set in EDM's layout.

    Raises:
        UserError: the file is missing, no zip or damaged; an image is damaged or of another size;
            a label is missing.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = sorted(n for n in archive.namelist() if n.lower().endswith(".png"))
            images = [_decode(archive, name, path) for name in names]
            pairs = None
            if "dataset.json" in archive.namelist():
                pairs = json.loads(archive.read("dataset.json"))["labels"]
            known = dict(pairs or [])
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; make it with `sid data`") from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: damaged data set ({error}); delete it and run again") from error
    if not images:
        raise UserError(f"{path}: holds no PNG images")
    for name, image in zip(names, images, strict=True):
        if image.shape != images[0].shape:
            raise UserError(
                f"{path}: {name} is {image.shape}, but {names[0]} is {images[0].shape}; "
                "all images must be of one size"
            )
    labels = None
    if pairs is not None:
        missing = [name for name in names if name not in known]
        if missing:
            raise UserError(f"{path}: dataset.json has no label for {missing[0]}")
        labels = np.array([known[name] for name in names], dtype=np.int64)
    return ImageSet(path.stem, np.stack(images), labels, sha256(path))


def _decode(archive: zipfile.ZipFile, name: str, path: Path) -> NDArray[np.uint8]:
    try:
        pixels = np.asarray(Image.open(io.BytesIO(archive.read(name))))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        raise UserError(f"{path}: {name} is damaged ({error}); delete it and run again") from error
    pixels = pixels[:, :, None] if pixels.ndim == 2 else pixels
    if pixels.dtype != np.uint8 or pixels.shape[2] not in (1, 3):
        raise UserError(f"{path}: {name} is neither an 8-bit grey nor an 8-bit RGB image")
    return pixels.transpose(2, 0, 1)
