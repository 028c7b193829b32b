"""Made-up sources: images that are the same everywhere."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

# Name, mode, width, height: odd and even, wide and tall, larger and smaller than what is made.
PICTURES = [
    ("b/x.png", "RGB", 64, 64),
    ("b/y.png", "RGB", 101, 67),
    ("a/z.png", "RGB", 33, 90),
    ("a/deep/z.png", "RGB", 40, 31),
    ("a/w.png", "RGB", 130, 131),
    ("a-b/v.PNG", "RGB", 257, 120),
    ("a/grey.png", "L", 90, 71),
]


def picture(mode: str, width: int, height: int) -> Image.Image:
    """A grey or RGB image given by a formula, with edges and slopes."""
    y, x = np.mgrid[:height, :width]
    levels = [(3 * x + 7 * y + 80 * c + (x * y) // 8) % 256 for c in range(3)]
    pixels = np.stack(levels, axis=2).astype(np.uint8)
    return Image.fromarray(pixels if mode == "RGB" else pixels[:, :, 0])


def write_pictures(folder: Path, pictures: Sequence[tuple[str, str, int, int]]) -> Path:
    """The pictures as files below a folder."""
    for name, *rest in pictures:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        picture(*rest).save(path)
    return folder
