"""Image files as arrays, and what a file stores that Pillow's mode does not tell.

Pillow opens 16-bit colour as 8-bit RGB, and an animation as its first picture, without a word.
"""

import os
from functools import cache
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.ImageFile import ImageFile

# Those that people keep samples in. Pillow knows more, among them HDF5, films and documents.
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "DIB", "TIFF", "PPM", "AVIF", "JPEG2000")
# Numbers from 0 to 1, or to 15, in files of 8 bits: no file says so, but the images are all dark.
DARK = 32
TOO_DARK = (
    f"no pixel looked at is above {DARK - 1} of 255; "
    "if the images are of fewer bits, or from 0 to 1, bring them to 0 .. 255"
)
DEPTH, SAMPLE_FORMAT, CHANNELS, ORIENTATION = 258, 339, 277, 274  # Tags of TIFF.


class UnfitError(ValueError):
    """A whole image of a kind that is not taken: what it is, and the mend."""


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


def open_image(source: IO[bytes]) -> ImageFile:
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
        check_jpeg_depth(source.read())
        raise ValueError("no image") from error
    except Exception as error:  # Pillow's plug-ins raise whatever a damaged file leads them to.
        raise ValueError(f"{error}") from error
    return image


def decode(image: ImageFile) -> ImageFile:
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


def checked_shape(image: ImageFile) -> tuple[int, int, int]:
    """(C, H, W) of an opened image that is grey or RGB and nothing else.

    Raises:
        UnfitError: it is of another mode, or holds more.
        ValueError: it is damaged.
    """
    mend = "convert the images with `sid data prepare folder`"
    if image.mode not in ("L", "RGB"):
        raise UnfitError(f"of mode {image.mode}, neither 8-bit grey nor 8-bit RGB; {mend}")
    if more := extra_content(image):
        raise UnfitError(f"one that holds {more}; {mend}")
    return len(image.mode), image.height, image.width


def to_array(image: Image.Image) -> NDArray[np.uint8]:
    """The pixels of a decoded grey or RGB image, uint8 [C, H, W]."""
    pixels = np.asarray(image)
    return pixels[None] if image.mode == "L" else pixels.transpose(2, 0, 1)


def check_depth(image: ImageFile) -> None:
    """See that an image stores 8 bits a channel, or fewer that its format scales to 0 .. 255.

    Raises:
        UnfitError: it stores more, or numbers that may be negative.
    """
    _check_bits(_bits(image), exactly=image.format == "JPEG2000")  # Pillow does not scale those.
    if image.format == "TIFF" and set(_tag(image, SAMPLE_FORMAT)) != {1}:
        raise UnfitError("of signed numbers or fractions; save 0 .. 255, or remove it")


def extra_content(image: ImageFile) -> str:
    """What a file holds beside one picture in the channels of its mode, empty if nothing.

    Raises:
        ValueError: it is damaged.
    """
    try:
        # The further pictures of an MPO are a camera's previews; the first is the photograph.
        if image.format != "MPO" and getattr(image, "is_animated", False):
            return "several pictures"
        if image.format == "PPM" and _follows(image).lstrip().startswith(b"P"):
            return "several pictures"
    except Exception as error:  # The second picture is looked for, and may be damaged.
        raise ValueError(f"{error}") from error
    if image.mode not in ("L", "RGB"):
        return ""
    if "transparency" in image.info:
        return "transparency"
    channels = _tag(image, CHANNELS)[0] if image.format == "TIFF" else len(image.mode)
    return "channels beside its colours" if channels != len(image.mode) else ""


def asks_to_be_turned(image: ImageFile) -> bool:
    """Whether its EXIF orientation asks viewers to turn the picture, which is not done here.

    Pillow itself turns those of TIFF.
    """
    try:
        return image.format != "TIFF" and image.getexif().get(ORIENTATION, 1) != 1
    except Exception:  # What is not understood turns nothing.
        return False


def check_jpeg_depth(content: bytes) -> None:
    """See whether what Pillow takes for no image is a JPEG of 12 bits, by its frame header.

    ITU T.81, B.2.2.

    Raises:
        UnfitError: it is.
    """
    place = 2
    while content.startswith(b"\xff\xd8") and content[place : place + 1] == b"\xff":
        head = content[place : place + 5].ljust(5, b"\x08")
        if 0xC0 <= head[1] <= 0xCF and head[1] not in (0xC4, 0xC8, 0xCC):
            _check_bits(head[4])
            break
        place += 2 + int.from_bytes(head[2:4])


def _check_bits(bits: int, *, exactly: bool = False) -> None:
    if bits > 8 or (exactly and bits < 8):
        raise UnfitError(
            f"of {bits} bits a channel, and 8 are read; bring its values to 0 .. 255, or remove it"
        )


def _bits(image: ImageFile) -> int:
    raw = image.tile[0].args if image.tile else ""
    match image.format:
        case "PNG" | "PPM" if isinstance(raw, str):
            return 16 if "16" in raw else 8
        case "PPM" if isinstance(raw, tuple) and image.mode != "F":  # Its maximum is behind it.
            return int(raw[1]).bit_length()
        case "TIFF":
            return max(_tag(image, DEPTH))
        case "AVIF":  # Two flags of its configuration box say 10 or 12.
            flags = _after(image, b"av1C", 2)
            return 12 if flags & 0x20 else 10 if flags & 0x40 else 8
        case "JPEG2000":  # The first channel's, in the size marker of the code stream.
            return (_after(image, b"\xff\x4f\xff\x51", 38) & 0x7F) + 1
    return {"1": 1, "I": 32, "F": 32}.get(image.mode, 16 if image.mode.startswith("I;16") else 8)


def _tag(image: ImageFile, number: int) -> tuple[int, ...]:
    found = image.tag_v2.get(number, 1)  # type: ignore[attr-defined]
    return found if isinstance(found, tuple) else (found,)


def _content(image: ImageFile) -> bytes:
    assert image.fp
    place = image.fp.tell()
    image.fp.seek(0)
    content = image.fp.read()
    image.fp.seek(place)
    return content


def _after(image: ImageFile, mark: bytes, distance: int) -> int:
    """The byte so far behind a mark in the file."""
    behind = _content(image).partition(mark)[2]
    return int.from_bytes(behind[distance : distance + 1])


def _follows(image: ImageFile) -> bytes:
    """What follows the pixels of a binary PPM or PGM."""
    decoder, _, offset, _ = image.tile[0]
    if decoder == "ppm_plain" or image.mode not in ("L", "RGB"):
        return b""
    return _content(image)[offset + image.width * image.height * len(image.mode) :]
