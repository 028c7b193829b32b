"""Image files as arrays, and the one way in which EDM's tools and this suite read them."""

import os
from functools import cache
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

from sid.data.stored import FORMATS, UnfitError, check_depth, check_jpeg, hidden


class Picture(NamedTuple):
    """One image of a data set.

    Attributes:
        number: its place in the data set, which gives its name in the zip.
        pixels: uint8, [C, H, W].
        label: its class, or None.
    """

    number: int
    pixels: NDArray[np.uint8]
    label: int | None


@cache
def extensions() -> frozenset[str]:
    """Ends of the names of files in `FORMATS`, `.png` and so on, in lower case."""
    return frozenset(e for e, name in Image.registered_extensions().items() if name in FORMATS)


def is_image(name: str) -> bool:
    """Whether a file's name has such an end, in any case."""
    return os.path.splitext(name)[1].lower() in extensions()


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder above it, is one that systems hide: `.x`, `__MACOSX`."""
    parts = (part for part in name.split("/") if part not in (".", ".."))
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def opened(source: IO[bytes]) -> ImageFile:
    """An image file of 8 bits a channel of which only the first bytes have been looked at.

    Raises:
        UnfitError: it has another number of bits.
        ValueError: it is damaged there, or no image.
    """
    try:
        image = Image.open(source, formats=FORMATS)
        check_depth(image)
    except UnfitError:
        raise
    except UnidentifiedImageError as error:
        source.seek(0)
        check_jpeg(source.read())
        raise ValueError("no image") from error
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file leads them to.
        raise ValueError(f"{error}") from error
    return image


def loaded(image: ImageFile) -> ImageFile:
    """The first picture of an opened file, decoded, in the colour model that it is stored in.

    The numbers are those of the file: colour profile, gamma and EXIF orientation are not applied,
    as in EDM's tool.

    Raises:
        ValueError: it is damaged.
    """
    try:
        image.load()
    except Exception as error:
        raise ValueError(f"{error}") from error
    return image


def shape_of(image: ImageFile) -> tuple[int, int, int]:
    """(C, H, W) of an opened image that is grey or RGB and nothing else.

    Raises:
        UnfitError: it is of another mode, or holds more.
        ValueError: it is damaged.
    """
    mend = "convert the images with `sid data prepare folder`"
    if image.mode not in ("L", "RGB"):
        raise UnfitError(f"of mode {image.mode}, neither 8-bit grey nor 8-bit RGB; {mend}")
    if more := hidden(image):
        raise UnfitError(f"one that holds {more}; {mend}")
    return len(image.mode), image.height, image.width


def planes(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a decoded grey or RGB image, uint8 [C, H, W]."""
    pixels = np.asarray(image)
    return pixels[None] if image.mode == "L" else pixels.transpose(2, 0, 1)
