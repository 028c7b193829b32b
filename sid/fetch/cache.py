"""The cache folder: what was fetched, and what it must be."""

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sid.errors import UserError
from sid.fetch.catalogue import File, catalogue, file_at, find, mirrored
from sid.fetch.download import download, without_secrets
from sid.files import cache_folder, read_json, sha256, write_json

LARGEST = 8 << 30  # Bytes of a file; the largest official network has 6 GB.


@dataclass(frozen=True)
class Fetched:
    """A file that is there and right.

    Attributes:
        path: in the cache.
        sha256: found and, from now on, demanded.
        known: whether the table or an earlier fetch named this checksum.
        moved: bytes that came over the net, 0 where it was there.
    """

    path: Path
    sha256: str
    known: bool
    moved: int


def cache_path(name: str) -> Path:
    """Where a file of that name is kept."""
    return cache_folder() / "files" / name


def record_path(path: Path) -> Path:
    """Where its address and the checksum of its first fetch are kept."""
    return path.with_name(f"{path.name}.json")


def locate(name: str) -> Path:
    """The fetched file of that name, checked; never touches the net.

    Args:
        name: as `sid fetch` lists it.

    Raises:
        UserError: it is not fetched, or damaged; the mend is `sid fetch NAME`.
    """
    return _checked(find(name), name)


def fetched(url: str) -> Path | None:
    """The file at an address, if it was fetched; never touches the net.

    Raises:
        UserError: it is there and damaged.
    """
    file = file_at(url)
    record = _record(file)
    if not cache_path(file.name).exists() or record.get("url") != without_secrets(url):
        return None
    return _checked(file, file.name if file.name in catalogue() else without_secrets(url))


def _record(file: File) -> dict[str, Any]:
    path = record_path(cache_path(file.name))
    found = read_json(path) if path.exists() else {}
    return found if isinstance(found, dict) else {}


def _expected(file: File) -> str | None:
    return file.sha256 or _record(file).get("sha256")


def _checked(file: File, word: str) -> Path:
    path, expected = cache_path(file.name), _expected(file)
    if not path.exists() or expected is None:
        raise UserError(
            f"{path}: not there; where there is internet, run `sid fetch {word}` with the same "
            "SID_CACHE"
        )
    if (found := sha256(path)) != expected:
        raise UserError(
            f"{path}: its SHA-256 is {found} and should be {expected}; run `sid fetch {word}`"
        )
    return path


def fetch(file: File, *, quiet: bool) -> Fetched:
    """Get a file unless it is there and right; a download that broke off goes on.

    Args:
        file: what to get.
        quiet: no progress.

    Raises:
        UserError: it cannot be fetched, or is not what it should be. The file that was there, if
            any, is as it was.
    """
    path, expected = cache_path(file.name), _expected(file)
    if path.exists() and expected == sha256(path):
        return Fetched(path, expected, known=True, moved=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{file.name}.part")
    with path.with_name(f".{file.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError(f"{path}: another process is fetching it; wait for it") from error
        download(mirrored(file.url), part, largest=LARGEST, quiet=quiet, resume=True)
        found = sha256(part)
        if expected not in (None, found):
            part.unlink()
            raise UserError(
                f"{without_secrets(file.url)}: its SHA-256 is {found} and should be {expected}; "
                f"if the file was changed on purpose, delete {record_path(path)} or say so in "
                "files.csv"
            )
        with part.open("rb+") as handle:
            os.fsync(handle.fileno())
        size = part.stat().st_size
        # First what it must be: a file without a record counts as not fetched.
        about = {"url": without_secrets(file.url), "sha256": found, "bytes": size}
        write_json(record_path(path), about)
        part.replace(path)
    return Fetched(path, found, known=expected is not None, moved=size)
