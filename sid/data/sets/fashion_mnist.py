"""Fashion-MNIST (Xiao et al. 2017, arXiv 1708.07747) from its four IDX files."""

import gzip
import hashlib
import struct
import urllib.error
import urllib.request
import zlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from sid.data.zips import write_zip
from sid.errors import UserError
from sid.options import Out

URL = "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"

# SHA-256 of the unpacked files: packages of the data set compress them anew.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}


def command(
    out: Out = Path("results/data/fashion-mnist.zip"),
    source: Annotated[str, typer.Option(help="Folder of the IDX files, or a URL.")] = URL,
    split: Annotated[
        Literal["train", "test"], typer.Option(help="60,000 or 10,000 images.")
    ] = "train",
    size: Annotated[int, typer.Option(help="Height and width.", min=8, max=28)] = 28,
) -> None:
    """Fashion-MNIST, 28x28 or smaller.

    Example: sid data fashion-mnist --size 16 --out results/data/fashion-mnist-16.zip
    """
    print(f"{out}: {write_zip(out, *fashion_mnist(source, split, size))}")


def fashion_mnist(
    source: str, split: str, size: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [N, 1, size, size] uint8 and labels [N] of one split.

    Args:
        source: a folder with the IDX files, gzipped or not, or a URL to fetch them from.
        split: `train` (60,000) or `test` (10,000).
        size: 28, or a smaller size, resampled with Pillow's Lanczos filter.

    Raises:
        UserError: a file is missing, cannot be fetched, or is not the published one.
    """
    prefix = {"train": "train", "test": "t10k"}[split]
    images = _idx(_fetch(source, f"{prefix}-images-idx3-ubyte"))
    labels = _idx(_fetch(source, f"{prefix}-labels-idx1-ubyte")).astype(np.int64)
    if size != images.shape[1]:
        lanczos = Image.Resampling.LANCZOS
        small = [Image.fromarray(image).resize((size, size), lanczos) for image in images]
        images = np.stack([np.asarray(image) for image in small])
    return images[:, None], labels


def _fetch(source: str, name: str) -> bytes:
    if source.startswith(("http://", "https://")):
        place = f"{source.rstrip('/')}/{name}.gz"
        try:
            with urllib.request.urlopen(place, timeout=60) as response:
                raw = response.read()
        except (urllib.error.URLError, TimeoutError) as error:
            raise UserError(
                f"{place}: cannot be fetched ({error}); download the four files elsewhere and "
                "give their folder with --source"
            ) from error
    else:
        folder = Path(source)
        found = [p for p in (folder / f"{name}.gz", folder / name) if p.exists()]
        if not found:
            raise UserError(f"{folder / name}.gz: no such file; --source needs the four IDX files")
        place, raw = str(found[0]), found[0].read_bytes()
    try:
        content = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(f"{place}: damaged ({error}); download it again") from error
    if hashlib.sha256(content).hexdigest() != SHA256[name]:
        raise UserError(f"{place}: not the published {name} (SHA-256 differs); download it again")
    return content


def _idx(content: bytes) -> NDArray[np.uint8]:
    # IDX: two zero bytes, type 8 (unsigned byte), number of dimensions, big-endian sizes, data.
    n_dimensions = content[3]
    shape = struct.unpack(f">{n_dimensions}I", content[4 : 4 + 4 * n_dimensions])
    return np.frombuffer(content, np.uint8, offset=4 + 4 * n_dimensions).reshape(shape)
