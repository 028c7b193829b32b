"""The same few images in any form, for the tests of what reads them."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RNG = np.random.default_rng(0)
COLOUR = RNG.integers(0, 256, (5, 3, 6, 7), dtype=np.uint8)  # [N, C, H, W]
GREY = COLOUR[:, :1]


def write_png(path: Path, pixels: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[0] if len(pixels) == 1 else pixels.transpose(1, 2, 0)).save(path)


def folder(path: Path, images: NDArray[np.uint8] = COLOUR) -> Path:
    for i, image in enumerate(images):
        write_png(path / f"{i}.png", image)
    return path


def npz(path: Path, images: NDArray[np.uint8], save: Callable[..., None] = np.savez) -> Path:
    with path.open("wb") as file:
        save(file, images.transpose(0, 2, 3, 1), np.array([{"never": "unpickled"}]))
    return path


def npy(path: Path, array: NDArray[np.generic]) -> Path:
    np.save(path, array)
    return path
