"""A folder's images, all brought to one size and to grey or RGB."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sid.data.folders import Folder
from sid.data.pictures import Picture, loaded, opened, planes
from sid.data.stored import DARK, TOO_DARK, UnfitError, hidden, turned
from sid.data.transforms import Transform, transformed
from sid.errors import UserError


@dataclass
class Few:
    """Images that something happened to: how many, and the first."""

    n: int = 0
    first: str = ""

    def add(self, name: str) -> None:
        """One more."""
        self.n, self.first = self.n + 1, self.first or name


class Conversion:
    """The images of a folder, decoded, cropped and resized one by one.

    Grey and RGB are taken as they are. Other 8-bit images (CMYK, palette, with alpha) become RGB,
    as in EDM2's tool; EDM's stops at them, and takes a palette's numbers for grey levels. Of a file
    with several pictures the first is taken, as in both.

    Args:
        folder: the images.
        transform: their crop.
        size: width and height, or None (see `transformed`).

    Raises:
        UserError: while iterating; an image is damaged, has more than 8 bits a channel, is of
            another shape than the first, or no square with a power of two as side.
    """

    def __init__(self, folder: Folder, transform: Transform, size: tuple[int, int] | None) -> None:
        self.folder, self.transform, self.size = folder, transform, size
        self.converted, self.reduced, self.small, self.turned = Few(), Few(), Few(), Few()
        self.brightest = 0

    def __iter__(self) -> Iterator[Picture]:
        first = ""
        shape: tuple[int, ...] = ()
        for number, (name, label) in enumerate(self.folder):
            path = self.folder.path / name
            pixels = self._pixels(path)
            if pixels is None:  # A gap in the numbers, as in EDM's zips.
                self.small.add(name)
                continue
            if not first:
                first, shape = name, pixels.shape
                _check_side(shape[2], shape[1], f"{path}")
            if pixels.shape != shape:
                raise UserError(
                    f"{path}: is {pixels.shape}, but {first} is {shape}; all images must be of one "
                    "size, all grey or all RGB; `folder` with --transform center-crop makes them so"
                )
            self.brightest = max(self.brightest, int(pixels.max()))
            yield Picture(number, pixels, label)
        if not first:
            raise UserError(f"{self.folder.path}: every image is smaller than --resolution")

    def _pixels(self, path: Path) -> NDArray[np.uint8] | None:
        try:
            with path.open("rb") as file:
                image = self._picture(file, path)
        except UnfitError as error:
            raise UserError(f"{path}: is {error}") from error
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: cannot be read ({error}); replace it or remove it") from error
        made = transformed(image, self.transform, self.size)
        return None if made is None else planes(made)

    def _picture(self, file: IO[bytes], path: Path) -> Image.Image:
        """The first picture of a file, grey or RGB; what it loses by that is counted."""
        image = opened(file)
        if more := hidden(image):
            self.reduced.add(f"{path} ({more})")
        if turned(image):
            self.turned.add(f"{path}")
        loaded(image)
        if image.mode in ("L", "RGB"):
            return image
        self.converted.add(f"{path} ({image.mode})")
        return image.convert("RGB")

    def warnings(self) -> list[str]:
        """What the user should know, after the last image."""
        told = []
        if self.brightest < DARK:
            told.append(f"{self.folder.path}: {TOO_DARK}")
        if self.converted.n:
            told.append(
                f"{self.converted.n} images were neither grey nor RGB and became RGB, the first "
                f"{self.converted.first}"
            )
        if self.reduced.n:
            told.append(
                f"{self.reduced.n} files hold more than one grey or RGB picture, and that was left "
                f"out, the first {self.reduced.first}"
            )
        if self.turned.n:
            told.append(
                f"{self.turned.n} images ask to be turned by their EXIF orientation, and are not, "
                f"as by EDM's tool, the first {self.turned.first}"
            )
        if self.small.n:
            told.append(
                f"{self.small.n} images were too small and left out, the first {self.small.first}"
            )
        return told


def parse_size(text: str | None, transform: Transform) -> tuple[int, int] | None:
    """Width and height from `WxH`, or None.

    Raises:
        UserError: `transform` cannot make this size.
    """
    if text is None:
        if transform is not Transform.NONE:
            raise UserError(f"--transform {transform}: needs a size; give --resolution, say 64x64")
        return None
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not match:
        raise UserError(f"--resolution {text}: not WxH in pixels, such as 64x64")
    width, height = int(match[1]), int(match[2])
    wide = transform is Transform.CENTER_CROP_WIDE and 0 < height <= width
    _check_side(width, width if wide else height, f"--resolution {text}")
    return width, height


def _check_side(width: int, height: int, source: str) -> None:
    # As EDM's tool and networks ask: every level of a network halves the side.
    if width != height or width.bit_count() != 1:
        raise UserError(
            f"{source}: makes images of {width}x{height}, and they must be squares with a power of "
            "two as side; give --resolution, say 64x64, and --transform center-crop"
        )
