"""Files that are whole or absent, and places that are no files."""

import os
from pathlib import Path

import pytest

from sid.errors import UserError
from sid.files import cache_folder, write_text


def test_only_files_are_replaced(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    for text in ("one", "two"):
        write_text(place, text)
        assert place.read_text() == text
    os.mkfifo(tmp_path / "pipe")
    for name, why in {"pipe": "pipe: is a device or a pipe", ".": "is a folder"}.items():
        with pytest.raises(UserError, match=why):
            write_text(tmp_path / name, "three")
    assert (tmp_path / "pipe").is_fifo()
    assert {path.name for path in tmp_path.iterdir()} == {"a.txt", "pipe"}


def test_a_user_without_a_home_has_no_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SID_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)  # As for a number that has no entry.
    assert cache_folder() == Path(os.devnull)
