"""A web of stand-ins, which the mirror leads to."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.fetch.server import Web, serving
from tests.verify.standins import HOST, write_files, write_tables


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stand-ins, in a folder with a space in its name."""
    folder = tmp_path_factory.mktemp("the files")
    write_files(folder)
    return folder


@pytest.fixture
def web(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A mirror that has them, tables that name them, an empty cache, and a folder to work in."""
    tables, here = tmp_path / "tables", tmp_path / "a place"
    tables.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    write_tables(files, tables)
    monkeypatch.setenv("SID_PUBLISHED", str(tables))
    monkeypatch.setenv("SID_CACHE", str(tmp_path / "cache"))
    with serving() as web:
        root = urlsplit(HOST).path
        web.files = {f"{root}/{path.name}": path.read_bytes() for path in files.iterdir()}
        monkeypatch.setenv("SID_MIRROR", web.url)
        yield web
