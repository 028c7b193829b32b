"""The files that come from the web: name, address, checksum and what they are for."""

import difflib
import os
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit

from sid.errors import UserError
from sid.files import read_table
from sid.shipped import TABLES, tables

TABLE = "files.csv"


class FileKind(StrEnum):
    """What a file is."""

    teacher = "teacher"
    detector = "detector"
    reference = "reference"
    generator = "generator"


# What the experiments need; the published generators are for comparison.
NEEDED = (FileKind.teacher, FileKind.detector, FileKind.reference)


@dataclass(frozen=True)
class File:
    """One file.

    Attributes:
        name: of the file in the cache, the last part of the address.
        kind: what it is.
        url: its address.
        sha256: that it must have, None where none is known.
        purpose: what it is for, in words.
    """

    name: str
    kind: FileKind
    url: str
    sha256: str | None
    purpose: str


def catalogue() -> dict[str, File]:
    """The files of `files.csv` in `sid.shipped.tables`, by name; as shipped where that has none.

    Raises:
        UserError: the table is missing or damaged.
    """
    own = tables() / TABLE
    return _read(own if own.exists() else TABLES / TABLE)


@cache
def _read(path: Path) -> dict[str, File]:
    table = read_table(path, "it comes with the repository", dtype=str)
    return {
        row["name"]: File(
            row["name"], FileKind(row["kind"]), row["url"], row["sha256"] or None, row["purpose"]
        )
        for row in table.to_dict("records")
    }


def find(name: str) -> File:
    """The file of that name.

    Raises:
        UserError: there is none.
    """
    known = catalogue()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        mend = f"did you mean {near[0]}?" if near else "`sid fetch` lists them"
        raise UserError(f"{name}: no known file; {mend}")
    return known[name]


def file_at(url: str, sha256: str | None = None) -> File:
    """The file at an address, in the table or not.

    Args:
        url: http or https; a query is no part of the name.
        sha256: that it must have, None for that of the table, if any.
    """
    listed = next((file for file in catalogue().values() if file.url == url), None)
    if listed and (sha256 is None or sha256 == listed.sha256):
        return listed
    name = PurePosixPath(unquote(urlsplit(url).path)).name.lstrip(".") or "file"
    purpose = listed.purpose if listed else "of a recipe"
    return File(name, FileKind.teacher, url, sha256, purpose)


def mirrored(url: str) -> str:
    """Where a file is really fetched from: `$SID_MIRROR` in place of scheme and host, if it is set.

    Only files of the table are mirrored. What comes from a mirror must have the same checksum.

    Args:
        url: the published address.

    Raises:
        UserError: `$SID_MIRROR` is no web address.
    """
    mirror = os.environ.get("SID_MIRROR")
    if not mirror or all(file.url != url for file in catalogue().values()):
        return url
    host = urlsplit(mirror)
    if host.scheme not in ("http", "https") or not host.netloc:
        raise UserError(f"SID_MIRROR={mirror}: no address such as https://mirror.example.org")
    asked = urlsplit(url)
    path = host.path.rstrip("/") + asked.path
    return urlunsplit((host.scheme, host.netloc, path, asked.query, ""))
