"""Images in a folder and below it: their order and their classes, as EDM's tool takes them."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sid.data.labels import parse_labels
from sid.data.pictures import extensions
from sid.errors import UserError


class Folder:
    """The images below a folder, sorted by path, the same on every file system.

    Labels come from its `dataset.json` if there is one, else from the names of its folders in
    sorted order. One folder, or none, gives no labels. Memory: that of one folder's names.

    Args:
        path: the folder.

    Raises:
        UserError: it is missing, holds no images, or leaves an image without a label.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_dir():
            raise UserError(f"{path}: no such folder")
        self._endings = extensions()
        # Of each folder at the top, "" for the images beside them.
        counts = Counter(_top(name) for name in self._names())
        self._n = counts.total()
        if not self._n:
            raise UserError(f"{path}: holds no images")
        self._known = self._given()
        self._classes = {}
        if self._known is None and (len(counts) > 1 or "" not in counts):
            self._classes = self._folders(counts)

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[tuple[str, int | None]]:
        """Name of each image, below the folder and with `/`, and its class or None."""
        for name in self._names():
            if self._known is None:
                yield name, self._classes.get(_top(name))
                continue
            if name not in self._known:
                raise UserError(f"{self.path / 'dataset.json'}: has no label for {name}")
            yield name, self._known[name]

    def _names(self, below: str = "") -> Iterator[str]:
        # Folder by folder in sorted order: that of pathlib's paths, which EDM's tool sorts.
        with os.scandir(self.path / below) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if entry.is_dir():
                yield from self._names(f"{below}{entry.name}/")
            elif entry.is_file() and os.path.splitext(entry.name)[1].lower() in self._endings:
                yield below + entry.name

    def _given(self) -> dict[str, int] | None:
        path = self.path / "dataset.json"
        try:
            return parse_labels(path.read_bytes()) or None
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise UserError(f"{path.parent}: {error}") from error

    def _folders(self, counts: Counter[str]) -> dict[str, int]:
        """Classes of the folders at the top; an empty one would shift those after it."""
        with os.scandir(self.path) as found:
            empty = sorted(e.name for e in found if e.is_dir() and not counts[e.name])
        if empty:
            raise UserError(f"{self.path / empty[0]}: holds no images; fill it or remove it")
        if "" in counts:
            stray = next(name for name in self._names() if not _top(name))
            raise UserError(
                f"{self.path / stray}: lies beside the class folders; move it into its class"
            )
        return {name: i for i, name in enumerate(sorted(counts))} if len(counts) > 1 else {}


def _top(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""
