"""Image files that are decoded when they are asked for."""

import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.ImageFile import ImageFile

from sid.data.image_files import UnfitError, checked_shape, decode, open_image, to_array
from sid.data.images import OnDisk
from sid.errors import UserError, reason


class EncodedImages(OnDisk):
    """Images in files of any format, indexed as an array uint8 [N, C, H, W] is.

    Args:
        source: the folder or zip that they are in, for errors.
        names: of the images, in their order; at least one.
        read: gives the bytes of one by its name.
        mend: what to do about a damaged one.

    Attributes:
        shape: (N, C, H, W); the first image gives C, H and W, the others are held to it when they
            are decoded.

    Raises:
        UserError: an image is damaged, neither 8-bit grey nor 8-bit RGB, holds more than that, or
            is of another shape than the first.
    """

    def __init__(
        self, source: Path, names: Sequence[str], read: Callable[[str], bytes], mend: str
    ) -> None:
        self._source, self._names, self._read, self._mend = source, names, read, mend
        self._index = np.arange(len(names))
        self.shape: tuple[int, ...] = (len(names),)  # The rest is known when the first is decoded.
        self.shape = (len(names), *self._decode(0).shape)

    def __getitem__(self, index: int | slice | NDArray[Any]) -> NDArray[np.uint8]:
        """Images by number, slice or array of numbers, uint8 [..., C, H, W]."""
        wanted = self._index[index]
        images = np.empty((wanted.size, *self.shape[1:]), np.uint8)
        for place, i in zip(images, wanted.flat, strict=True):
            place[:] = self._decode(int(i))
        return images.reshape(*wanted.shape, *self.shape[1:])

    def content(self, i: int) -> bytes:
        """The bytes of image i, whose head alone is read: it must be of the shape of the others."""
        content = self._content(i)
        self._opened(i, content)
        return content

    def _decode(self, i: int) -> NDArray[np.uint8]:
        image = self._opened(i, self._content(i))
        try:
            pixels = to_array(decode(image))
        except ValueError as error:
            raise self._damaged(i, error) from error
        if self.shape[1:] not in ((), pixels.shape):
            raise self._damaged(i, f"its head promises another shape than {pixels.shape}")
        return pixels

    def _content(self, i: int) -> bytes:
        try:
            content = self._read(self._names[i])
        except OSError as error:
            raise UserError(f"{self._at(i)} cannot be read ({reason(error)})") from error
        except RuntimeError as error:  # A password, or a packing that is not known here.
            raise UserError(f"{self._at(i)} cannot be read ({error}); pack it anew") from error
        except Exception as error:  # What zipfile raises depends on the byte that is damaged.
            raise self._damaged(i, error) from error
        if not content:
            raise self._damaged(i, "0 bytes")
        return content

    def _opened(self, i: int, content: bytes) -> ImageFile:
        """Image i, which is grey or RGB, and of the shape of the first."""
        try:
            image = open_image(io.BytesIO(content))
            shape = checked_shape(image)
        except UnfitError as error:
            raise UserError(f"{self._at(i)} is {error}") from error
        except ValueError as error:
            raise self._damaged(i, error) from error
        if self.shape[1:] not in ((), shape):
            raise UserError(
                f"{self._at(i)} is {shape}, but {self._names[0]} is {self.shape[1:]}; all images "
                "must be of one size, all grey or all RGB; convert the images with "
                "`sid data prepare folder`"
            )
        return image

    def _damaged(self, i: int, why: object) -> UserError:
        return UserError(f"{self._at(i)} is damaged ({why}); {self._mend}")

    def _at(self, i: int) -> str:
        return f"{self._source}: {self._names[i]}"
