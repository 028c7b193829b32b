"""Files that are whole or absent: temporary name, flush, rename; and their checksums."""

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
from platformdirs import user_cache_path

from sid.errors import UserError


def check_target(path: Path) -> None:
    """See that a file can take this place, before hours go into what it is to hold.

    Raises:
        UserError: a folder is there, or a device or a pipe, which a rename would replace.
    """
    if path.is_dir():
        raise UserError(f"{path}: is a folder where a file was expected")
    if path.exists() and not path.is_file():
        raise UserError(f"{path}: is a device or a pipe, which is never replaced; name a file")


def write_atomic(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a temporary file beside `path`, flush it to disk and rename it to `path`.

    Args:
        path: the final name; its folder is made when missing.
        write: called with the temporary name. When it raises, nothing is left behind.

    Raises:
        OSError: the disk is full, read-only or forbidden; `path` is as it was before.
        UserError: see `check_target`.
    """
    check_target(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process id keeps two writers of one name apart; the last rename wins, whole.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write(temporary)
        with temporary.open("rb+") as handle:
            os.fsync(handle.fileno())
        temporary.replace(path)
    except OSError as error:
        # A library may raise without a file name; the user wants the final one, not ours.
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        with contextlib.suppress(OSError):  # It must not hide what went wrong before.
            temporary.unlink(missing_ok=True)


def sync_folder(path: Path) -> None:
    """Flush the names of a folder's files to disk: a rename of `write_atomic` alone may be lost."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, atomically."""

    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_atomic(path, write)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON to `path`, atomically."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True) + "\n")


def read_json(path: Path) -> Any:
    """The JSON value in `path`.

    Raises:
        UserError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"{path}: not a JSON file ({error}); delete it and run again") from error


def read_table(path: Path, mend: str, **options: Any) -> pd.DataFrame:
    """A CSV table.

    Args:
        path: the file.
        mend: what makes it, for the error.
        **options: of `pandas.read_csv`.

    Raises:
        UserError: the file is missing or is no CSV.
    """
    try:
        table: pd.DataFrame = pd.read_csv(path, keep_default_na=False, **options)
        return table
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; {mend}") from error
    except (ValueError, OverflowError) as error:  # Of the parser, of the encoding, of a number.
        why = " ".join(str(error).split())
        raise UserError(f"{path}: not a whole CSV table ({why}); {mend}") from error


def cache_folder() -> Path:
    """Where any run may keep files: `$SID_CACHE`, or `sid-bench` where the system keeps caches."""
    if given := os.environ.get("SID_CACHE"):
        return Path(given)
    try:
        return user_cache_path("sid-bench")
    except RuntimeError:  # A user without a home: a folder that cannot be written.
        return Path(os.devnull)


def sha256(path: Path) -> str:
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
