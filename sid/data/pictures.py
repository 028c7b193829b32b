"""Image files as arrays, and the one way in which EDM's tools and this suite read them."""

import os
from functools import cache
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError


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
    """Ends of the file names that Pillow can open, `.png` and so on, in lower case."""
    return frozenset(e for e, name in Image.registered_extensions().items() if name in Image.OPEN)


def is_image(name: str) -> bool:
    """Whether a file's name has such an end, in any case."""
    return os.path.splitext(name)[1].lower() in extensions()


def is_hidden(name: str) -> bool:
    """Whether a file, or a folder above it, is one that systems hide: `.x`, `__MACOSX`."""
    parts = (part for part in name.split("/") if part not in (".", ".."))
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def opened(source: IO[bytes]) -> Image.Image:
    """An image file of which only the first bytes have been looked at: mode and size.

    Raises:
        ValueError: it is damaged there, or no image.
    """
    try:
        return Image.open(source)
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file leads them to.
        reason = "no image" if isinstance(error, UnidentifiedImageError) else error
        raise ValueError(f"{reason}") from error


def decode(source: IO[bytes]) -> Image.Image:
    """The first frame of an image file, decoded, in the colour model that it is stored in.

    Its EXIF orientation is not applied, as in EDM's tool.

    Raises:
        ValueError: it is damaged or no image.
    """
    image = opened(source)
    try:
        image.load()
    except Exception as error:
        raise ValueError(f"{error}") from error
    return image


def shape_of(image: Image.Image) -> tuple[int, int, int]:
    """(C, H, W) of a grey or RGB image.

    Raises:
        ValueError: it is of another mode.
    """
    if image.mode not in ("L", "RGB"):
        raise ValueError(f"of mode {image.mode}, neither 8-bit grey nor 8-bit RGB")
    return len(image.mode), image.height, image.width


def planes(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a grey or RGB image, uint8 [C, H, W].

    Raises:
        ValueError: it is of another mode.
    """
    shape = shape_of(image)
    pixels = np.asarray(image)
    return pixels[None] if shape[0] == 1 else pixels.transpose(2, 0, 1)
