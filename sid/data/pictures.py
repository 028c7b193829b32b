"""Image files as arrays, and the one way in which EDM's tools and this suite read them."""

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


def extensions() -> frozenset[str]:
    """Ends of the file names that Pillow can open, `.png` and so on, in lower case."""
    return frozenset(e for e, name in Image.registered_extensions().items() if name in Image.OPEN)


def decode(source: IO[bytes]) -> Image.Image:
    """The first frame of an image file, decoded, in the colour model that it is stored in.

    Its EXIF orientation is not applied, as in EDM's tool.

    Raises:
        ValueError: it is damaged or no image.
    """
    try:
        image = Image.open(source)
        image.load()
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file leads them to.
        reason = "no image" if isinstance(error, UnidentifiedImageError) else error
        raise ValueError(f"{reason}") from error
    return image


def planes(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a grey or RGB image, uint8 [C, H, W].

    Raises:
        ValueError: it is of another mode.
    """
    if image.mode not in ("L", "RGB"):
        raise ValueError(f"of mode {image.mode}, neither 8-bit grey nor 8-bit RGB")
    pixels = np.asarray(image)
    return pixels[None] if image.mode == "L" else pixels.transpose(2, 0, 1)
