"""Importing from an address, with a server on this machine."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from sid.errors import UserError
from sid.fetch.download import download, without_secrets
from tests.commands import accepted, refused, sid
from tests.teacher.test_importing import GIVEN, network
from workflow.rehearsal.official_pickle import dumps, snapshot


class Handler(BaseHTTPRequestHandler):
    """Serves `content`; the path chooses what goes wrong."""

    content: ClassVar[bytes] = b""

    def do_GET(self) -> None:
        if "/moved/" in self.path:
            self.send_response(302)
            self.send_header("Location", "/edm-moved.pkl")
            self.end_headers()
            return
        self.send_response(404 if "/none/" in self.path else 200)
        size = len(self.content)
        announced = {"/cut/": size + 9, "/large/": 10**15}
        for part, length in announced.items():
            size = length if part in self.path else size
        if "/endless/" not in self.path:
            self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    Handler.content = dumps(snapshot(network(), GIVEN))
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))


def test_what_is_served_is_imported(address: str) -> None:
    url = f"{address}/a%20b/edm-x%2B.pkl?token=secret"
    right = hashlib.sha256(Handler.content).hexdigest()
    words = ("teacher", "import", url, "--out", "out", "--sha256", right.upper())
    done = sid(*words)
    assert f"out/edm-x+.safetensors: denoiser, 48161 weights; SHA-256 {right}" in accepted(done)
    assert "kB" in done.stderr
    about = json.loads(Path("out/edm-x+.json").read_text())
    assert about["source"] == f"{address}/a%20b/edm-x%2B.pkl"
    assert about["source_sha256"] == right
    assert list(Path("temporary").iterdir()) == []


def test_redirections_are_followed(address: str) -> None:
    words = ("teacher", "import", f"{address}/moved/edm-y.pkl", "--out", "out", "--quiet")
    accepted(sid(*words))
    assert Path("out/edm-y.safetensors").exists()


@pytest.mark.parametrize(
    ("path", "options", "part"),
    [
        ("/edm-x.pkl", ("--sha256", "0" * 64), "its SHA-256 is"),
        ("/none/edm-x.pkl", (), "the server answers 404"),
        ("/cut/edm-x.pkl", (), "bytes arrived; run the same command again"),
        ("/large/edm-x.pkl", (), "1000000000000000 bytes is more than the 8589934592 allowed"),
        (":1/edm-x.pkl", (), "cannot be fetched"),
        ("/e d\nm.pkl", (), "cannot be fetched"),
    ],
)
def test_what_goes_wrong_is_one_line(
    address: str, path: str, options: tuple[str, ...], part: str
) -> None:
    words = ("teacher", "import", f"{address}{path}", "--out", "out", "--quiet", *options)
    assert refused(sid(*words), part).startswith("error: http://127.0.0.1:")
    assert not Path("out").exists()
    assert list(Path("temporary").iterdir()) == []


def test_no_server() -> None:
    words = ("teacher", "import", "http://127.0.0.1:1/edm-x.pkl", "--out", "out")
    refused(sid(*words), "cannot be fetched")


def test_more_than_allowed_without_an_announcement(address: str) -> None:
    with pytest.raises(UserError, match="sends more than the 1000 bytes allowed"):
        download(f"{address}/endless/x", Path("x"), largest=1000, quiet=True)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data://x"])
def test_other_schemes_are_not_fetched(url: str) -> None:
    with pytest.raises(UserError, match="only http:// and https:// are fetched"):
        download(url, Path("x"), largest=1000, quiet=True)
    assert not Path("x").exists()


def test_secrets_are_not_repeated() -> None:
    url = "https://user:secret@host.example:8443/a/b.pkl?token=secret#secret"
    assert without_secrets(url) == "https://host.example:8443/a/b.pkl"
