"""Images in a folder and below it: their order and their classes, as EDM's tool takes them."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sid.data.image_files import FORMATS, is_hidden, is_image
from sid.data.images import parse_labels
from sid.errors import UserError, reason


def image_names(folder: Path) -> Iterator[str]:
    """Images in a folder and below it, as names below it with `/`, hidden ones left out.

    Folder by folder in sorted order: that of pathlib's paths, which EDM's tool sorts.

    Raises:
        UserError: a folder cannot be read, a link leads back to a folder around it, or what has the
            name of an image is no file.
    """
    pending = [""]
    try:
        while pending:
            name = pending.pop()
            if name and not name.endswith("/"):
                yield name
                continue
            with os.scandir(folder / name) as found:
                entries = sorted(found, key=lambda entry: entry.name, reverse=True)
            for entry in entries:
                inside = name + entry.name
                if is_hidden(entry.name):
                    continue
                if entry.is_dir():
                    if entry.is_symlink() and _leads_back(folder, inside):
                        raise UserError(f"{entry.path}: a link to a folder around it; remove it")
                    pending.append(f"{inside}/")
                elif is_image(entry.name):
                    if not entry.is_file():
                        raise UserError(f"{entry.path}: no file, or a broken link; remove it")
                    pending.append(inside)
    except OSError as error:
        where = error.filename or folder
        raise UserError(f"{os.fspath(where)}: cannot be read ({reason(error)})") from error


def _leads_back(folder: Path, link: str) -> bool:
    depth = len(folder.parts)
    above = [path for path in (folder / link).parents if len(path.parts) >= depth]
    return os.path.realpath(folder / link) in map(os.path.realpath, above)


class Folder:
    """The images below a folder, sorted by path, the same on every file system.

    Labels come from its `dataset.json` if there is one, else from the names of its folders in
    sorted order. One folder, or none, gives no labels. Memory: that of one folder's names.

    Raises:
        UserError: it is missing, holds no images, or leaves an image without a label.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_dir():
            raise UserError(f"{path}: no such folder")
        # Of each folder at the top, "" for the images beside them.
        counts = Counter(_top(name) for name in image_names(self.path))
        self._n = counts.total()
        if not self._n:
            raise UserError(f"{path}: holds no images; {', '.join(FORMATS)} are read")
        self._known = self._given()
        self._classes = {}
        if self._known is None and (len(counts) > 1 or "" not in counts):
            self._classes = self._folders(counts)

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[tuple[str, int | None]]:
        """Name of each image, below the folder and with `/`, and its class or None."""
        for name in image_names(self.path):
            if self._known is None:
                yield name, self._classes.get(_top(name))
                continue
            if name not in self._known:
                raise UserError(f"{self.path / 'dataset.json'}: has no label for {name}")
            yield name, self._known[name]

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
            shown = [entry.name for entry in found if entry.is_dir() and not is_hidden(entry.name)]
        empty = sorted(name for name in shown if not counts[name])
        if empty:
            raise UserError(f"{self.path / empty[0]}: holds no images; fill it or remove it")
        if "" in counts:
            stray = next(name for name in image_names(self.path) if not _top(name))
            raise UserError(
                f"{self.path / stray}: lies beside the class folders; move it into its class"
            )
        return {name: i for i, name in enumerate(sorted(counts))} if len(counts) > 1 else {}


def _top(name: str) -> str:
    return name.partition("/")[0] if "/" in name else ""
