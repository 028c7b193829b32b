"""Images in whatever form people have them: a folder, a zip, `.npz` or `.npy`."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

from sid.data.arrays import read_npy, read_npz
from sid.data.encoded import EncodedImages
from sid.data.folders import image_names
from sid.data.image_files import DARK, FORMATS, TOO_DARK
from sid.data.images import Images, ImageSet
from sid.data.zips import read_zip
from sid.errors import UserError, printable, reason, warn
from sid.files import sha256

EAGER_BYTES = 8 * 2**20  # Sets up to this size are decoded at once and kept in memory.
SOME = 64  # Images that are looked at for their range.


def read_images(path: Path) -> ImageSet:
    """The images of a folder, a zip, `.npz` (`arr_0`) or `.npy`, without labels.

    More than 8 MB of pixels stay on the disk and are decoded when they are asked for. Of a folder
    every file is read once for its hash; mixed sizes and modes are found then. Damage within a file
    is found when its image is decoded, there as in a large zip. If images taken at even distances
    are all dark, a warning says so.

    A folder's order is that of `image_names`. Its `sha256` is that of 64 bytes an image, the sha256
    of its name and of its file, in order of the names' bytes: other files and the folder's own name
    are not in it. A zip's or an array's is that of the file.

    Raises:
        UserError: there is nothing to read, fewer than 2 images, images of several shapes, or what
            is found is not 8-bit grey or RGB.
    """
    readers: dict[str, Callable[[Path], ImageSet]] = {
        ".zip": lambda path: read_zip(path, EAGER_BYTES, labelled=False),
        ".npz": lambda path: _array(path, read_npz(path)),
        ".npy": lambda path: _array(path, read_npy(path)),
    }
    try:
        path.stat()
        reader = _folder if path.is_dir() else readers.get(path.suffix.lower())
        if reader is None or not (path.is_dir() or path.is_file()):
            raise UserError(f"{path}: neither a folder of images nor a .zip, .npz or .npy")
        images = reader(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file or folder") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason(error)})") from error
    if len(images) < 2:
        raise UserError(f"{path}: holds one image; 2 are the least that can be compared")
    some = range(0, len(images), -(-len(images) // SOME))
    if all(images.images[i].max() < DARK for i in some):  # Often the first is bright enough.
        warn(f"{path}: {TOO_DARK}")
    return images


def _folder(path: Path) -> ImageSet:
    names = list(image_names(path))
    if not names:
        raise UserError(f"{path}: holds no images; {', '.join(FORMATS)} are read")
    images = EncodedImages(
        path, names, lambda name: (path / name).read_bytes(), "replace or remove it"
    )
    digest = hashlib.sha256()
    for i in sorted(range(len(names)), key=lambda i: os.fsencode(names[i])):
        for part in (os.fsencode(names[i]), images.content(i)):
            digest.update(hashlib.sha256(part).digest())
    name = path.resolve().name
    return ImageSet(printable(name), _settled(images), None, digest.hexdigest())


def _array(path: Path, images: Images) -> ImageSet:
    return ImageSet(printable(path.stem), _settled(images), None, sha256(path))


def _settled(images: Images) -> Images:
    """Small sets in memory, once decoded."""
    return np.asarray(images) if np.prod(images.shape) <= EAGER_BYTES else images
