"""Crops and sizes of the public data sets, after EDM's and EDM2's `dataset_tool.py`."""

from enum import StrEnum

from PIL import Image

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


def transformed(
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
