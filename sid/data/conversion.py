"""A folder's images, all brought to one size and to grey or RGB.

Crops and sizes are those of the public data sets, after EDM's and EDM2's `dataset_tool.py`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sid.data.folders import Folder
from sid.data.image_files import (
    DARK,
    TOO_DARK,
    UnfitError,
    asks_to_be_turned,
    decode,
    extra_content,
    open_image,
    to_array,
)
from sid.data.images import Picture
from sid.errors import UserError

LANCZOS, BOX, BICUBIC = (
    Image.Resampling.LANCZOS,
    Image.Resampling.BOX,
    Image.Resampling.BICUBIC,
)


class Transform(StrEnum):
    """How an image becomes one of the size wanted."""

    NONE = "none"
    CENTER_CROP = "center-crop"
    CENTER_CROP_WIDE = "center-crop-wide"
    CENTER_CROP_DHARIWAL = "center-crop-dhariwal"


@dataclass
class Count:
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

    Raises:
        UserError: while iterating; an image is damaged, has more than 8 bits a channel, is of
            another shape than the first, or no square with a power of two as side.
    """

    def __init__(self, folder: Folder, transform: Transform, size: tuple[int, int] | None) -> None:
        self.folder, self.transform, self.size = folder, transform, size
        self.converted, self.reduced, self.small, self.turned = (Count() for _ in range(4))
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
        made = crop_and_resize(image, self.transform, self.size)
        return None if made is None else to_array(made)

    def _picture(self, file: IO[bytes], path: Path) -> Image.Image:
        """The first picture of a file, grey or RGB; what it loses by that is counted."""
        image = open_image(file)
        if more := extra_content(image):
            self.reduced.add(f"{path} ({more})")
        if asks_to_be_turned(image):
            self.turned.add(f"{path}")
        decode(image)
        if image.mode in ("L", "RGB"):
            return image
        self.converted.add(f"{path} ({image.mode})")
        return image.convert("RGB")

    def warnings(self) -> list[str]:
        """What the user should know, after the last image."""
        told = [f"{self.folder.path}: {TOO_DARK}"] if self.brightest < DARK else []
        for counted, what in (
            (self.converted, "images were neither grey nor RGB and became RGB"),
            (self.reduced, "files hold more than one grey or RGB picture, and that was left out"),
            (
                self.turned,
                "images ask to be turned by their EXIF orientation, and are not, as by EDM's tool",
            ),
            (self.small, "images were too small and left out"),
        ):
            if counted.n:
                told.append(f"{counted.n} {what}, the first {counted.first}")
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


def crop_and_resize(
    image: Image.Image, transform: Transform, size: tuple[int, int] | None
) -> Image.Image | None:
    """One image, cropped and resized.

    Args:
        image: 8-bit grey or RGB.
        transform: `none` stretches to `size` and keeps grey images grey; the others make them RGB.
            `center-crop` takes the central square. `center-crop-wide` takes the central band of the
            size's proportions and makes it square with black bands. `center-crop-dhariwal` is
            ADM's (Dhariwal & Nichol 2021): halved by averages while twice too large, then bicubic,
            then cropped.
        size: width and height; None keeps those of the image, with `none` only.

    Returns:
        The image; None where `center-crop-wide` finds it too small and leaves it out.
    """
    if transform is Transform.NONE:
        return image if size in (None, image.size) else image.resize(_given(size), LANCZOS)
    width, height = _given(size)
    image = image.convert("RGB")
    if transform is Transform.CENTER_CROP:
        side = min(image.size)
        return _central(image, side, side).resize((width, height), LANCZOS)
    if transform is Transform.CENTER_CROP_DHARIWAL:
        return _dhariwal(image, width)
    band = round(width * image.height / image.width)
    if image.width < width or band < height:
        return None
    picture = _central(image, image.width, band).resize((width, height), LANCZOS)
    square = Image.new("RGB", (width, width))
    square.paste(picture, (0, (width - height) // 2))
    return square


def _dhariwal(image: Image.Image, side: int) -> Image.Image:
    while min(image.size) >= 2 * side:
        image = image.resize((image.width // 2, image.height // 2), BOX)
    scale = side / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), BICUBIC)
    return _central(image, side, side)


def _central(image: Image.Image, width: int, height: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _given(size: tuple[int, int] | None) -> tuple[int, int]:
    if size is None:
        raise ValueError("a crop needs a size")
    return size
