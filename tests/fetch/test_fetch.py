"""Fetching into the cache, with a server on this machine."""

import csv
import fcntl
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sid.config import recipe_files
from sid.errors import UserError
from sid.fetch import catalogue, fetch, fetched, locate
from sid.fetch.command import needed
from sid.teacher.recipe import load_teacher
from tests.fetch.server import Web, serving
from tests.teacher.test_importing import GIVEN, network
from tests.test_cli import sid
from workflow.rehearsal.official_pickle import dumps, edm_extras, snapshot

ROOT = Path(__file__).resolve().parents[2]
CONTENT = bytes(range(256)) * 4000
RIGHT = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def web(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """A server and a table of two files on it; the checksum of one is known."""
    monkeypatch.setenv("SID_CACHE", str(tmp_path / "the cache"))
    with serving() as web:
        web.files = {"/known.pt": CONTENT, "/new.npz": b"first"}
        table = tmp_path / "files.csv"
        rows = [
            "name,kind,url,sha256,bytes,purpose,source",
            f"known.pt,detector,{web.url}/known.pt,{RIGHT},,a detector,",
            f"new.npz,reference,{web.url}/new.npz,,,statistics,",
        ]
        table.write_text("\n".join(rows) + "\n")
        monkeypatch.setenv("SID_PUBLISHED", str(tmp_path))
        yield web


def cached(tmp_path: Path, name: str) -> Path:
    return tmp_path / "the cache" / "files" / name


def test_fetched_once_and_located(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sid(monkeypatch, "fetch", "--all") == 0
    printed = capsys.readouterr()
    assert f"known.pt: {len(CONTENT)} bytes fetched; SHA-256 {RIGHT}, as it should" in printed.out
    assert "new.npz: 5 bytes fetched" in printed.out
    assert "nothing to compare it with" in printed.out
    assert locate("known.pt") == cached(tmp_path, "known.pt")
    assert locate("new.npz").read_bytes() == b"first"
    web.asked.clear()
    assert sid(monkeypatch, "fetch", "--all", "reference") == 0
    assert capsys.readouterr().out.count("was there") == 2
    assert web.asked == []


def test_missing_is_one_line_with_the_mend(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UserError, match=r"known.pt: not there; .* run `sid fetch known.pt`"):
        locate("known.pt")
    assert sid(monkeypatch, "fetch", "knwon.pt") == 2
    assert "knwon.pt: no known file; did you mean known.pt?" in capsys.readouterr().err
    del web.files["/known.pt"]
    assert sid(monkeypatch, "fetch", "known.pt", "--quiet") == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "the server answers 404" in error
    with pytest.raises(UserError):
        locate("known.pt")


def test_damage_is_found_and_mended(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    assert sid(monkeypatch, "fetch", "--all", "--quiet") == 0
    for name in ("known.pt", "new.npz"):
        locate(name).write_bytes(b"other")
        with pytest.raises(UserError, match=f"should be .*; run `sid fetch {name}`"):
            locate(name)
        assert sid(monkeypatch, "fetch", name, "--quiet") == 0
        locate(name)


def test_another_file_at_the_address_is_refused(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both where the table has the checksum and where the first fetch noted it."""
    assert sid(monkeypatch, "fetch", "new.npz", "--quiet") == 0
    web.files = {"/known.pt": b"swapped", "/new.npz": b"other"}
    assert sid(monkeypatch, "fetch", "known.pt", "--quiet") == 2
    assert f"should be {RIGHT}" in capsys.readouterr().err
    locate("new.npz").unlink()
    assert sid(monkeypatch, "fetch", "new.npz", "--quiet") == 2
    assert "delete" in capsys.readouterr().err
    for name in ("known.pt", "new.npz"):
        with pytest.raises(UserError, match="not there"):
            locate(name)


def test_a_broken_download_goes_on(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    web.cut = 300_000
    assert sid(monkeypatch, "fetch", "known.pt", "--quiet") == 2
    assert f"300000 of {len(CONTENT)} bytes arrived" in capsys.readouterr().err
    assert sid(monkeypatch, "fetch", "known.pt", "--quiet") == 0
    assert [given for _, given in web.asked] == [None, "bytes=300000-"]
    assert locate("known.pt").read_bytes() == CONTENT


def test_a_part_of_another_version_is_not_gone_on_with(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    web.cut = 2
    assert sid(monkeypatch, "fetch", "new.npz", "--quiet") == 2
    web.files["/new.npz"] = b"another version"
    assert sid(monkeypatch, "fetch", "new.npz", "--quiet") == 0
    assert locate("new.npz").read_bytes() == b"another version"


def test_a_whole_part_is_taken_anew(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the last byte and the rename: the server has nothing to send on."""
    part = cached(tmp_path, ".known.pt.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    part.with_name(".known.pt.part.etag").write_text(f'"{RIGHT}"')
    assert sid(monkeypatch, "fetch", "known.pt", "--quiet") == 0
    assert [given for _, given in web.asked] == [f"bytes={len(CONTENT)}-", None]
    assert locate("known.pt").read_bytes() == CONTENT


def test_two_do_not_fetch_the_same(web: Web, tmp_path: Path) -> None:
    lock = cached(tmp_path, ".known.pt.lock")
    lock.parent.mkdir(parents=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="another process is fetching it"):
            fetch(catalogue.find("known.pt"), quiet=True)


def test_import_of_an_address_takes_what_was_fetched(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also of a file that is in no table, as a recipe of the user's own may name it."""
    monkeypatch.chdir(tmp_path)
    official = dumps(snapshot(network(), GIVEN, **edm_extras()))
    web.files["/edm-mine.pkl"] = official
    url = f"{web.url}/edm-mine.pkl"
    assert fetched(url) is None
    assert sid(monkeypatch, "fetch", url, "--quiet") == 0
    kept = cached(tmp_path, "edm-mine.pkl")
    web.asked.clear()
    assert sid(monkeypatch, "teacher", "import", url, "--out", "out", "--quiet") == 0
    assert web.asked == []
    assert json.loads(Path("out/edm-mine.json").read_text())["source"] == url
    kept.write_bytes(official[:-9])
    assert sid(monkeypatch, "teacher", "import", url, "--out", "out", "--quiet") == 2
    assert f"run `sid fetch {url}`" in capsys.readouterr().err


def test_a_mirror_has_the_same_paths_and_must_have_the_same_bytes(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    table = (tmp_path / "files.csv").read_text()
    (tmp_path / "files.csv").unlink()
    (tmp_path / "far").mkdir()
    far = tmp_path / "far" / "files.csv"
    far.write_text(table.replace(web.url, "https://far.invalid/a"))
    monkeypatch.setenv("SID_PUBLISHED", str(far.parent))
    monkeypatch.setenv("SID_MIRROR", f"{web.url}/mirror/")
    web.files = {"/mirror/a/known.pt": CONTENT, "/mirror/a/new.npz": b"first"}
    assert sid(monkeypatch, "fetch", "--all", "--quiet") == 0
    assert locate("known.pt").read_bytes() == CONTENT
    record = json.loads(cached(tmp_path, "new.npz.json").read_text())
    assert record["url"] == "https://far.invalid/a/new.npz"  # Not the mirror's.
    cached(tmp_path, "known.pt").unlink()
    web.files["/mirror/a/known.pt"] = b"other"
    capsys.readouterr()
    assert sid(monkeypatch, "fetch", "known.pt", "--quiet") == 2
    assert f"should be {RIGHT}" in capsys.readouterr().err
    web.files["/alone.pt"] = b"alone"  # What is in no table comes from its own address.
    assert sid(monkeypatch, "fetch", f"{web.url}/alone.pt", "--quiet") == 0
    monkeypatch.setenv("SID_MIRROR", "mirror.example.org")
    assert sid(monkeypatch, "fetch", "known.pt", "--quiet") == 2
    assert "SID_MIRROR=mirror.example.org: no address such as" in capsys.readouterr().err


def test_an_import_takes_the_mirror(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "https://far.invalid/edm-far.pkl"
    with (tmp_path / "files.csv").open("a") as table:
        table.write(f"edm-far.pkl,teacher,{url},,,a teacher,\n")
    web.files["/edm-far.pkl"] = dumps(snapshot(network(), GIVEN, **edm_extras()))
    monkeypatch.setenv("SID_MIRROR", web.url)
    assert sid(monkeypatch, "teacher", "import", url, "--out", "out", "--quiet") == 0
    assert json.loads(Path("out/edm-far.json").read_text())["source"] == url


def test_listing(
    web: Web, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sid(monkeypatch, "fetch", "new.npz", "--quiet") == 0
    capsys.readouterr()
    assert sid(monkeypatch, "fetch") == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1][:3] == ["known.pt", "detector", "-"]
    assert lines[2][:3] == ["new.npz", "reference", "yes"]


def test_table_has_what_recipes_and_published_checkpoints_name() -> None:
    files = list(csv.DictReader((ROOT / "baselines/published/files.csv").open()))
    assert all(row["url"].rpartition("/")[2] == row["name"] for row in files)
    urls = {row["url"] for row in files}
    weights = {
        load_teacher(path).weights
        for name, paths in recipe_files().items()
        if name.startswith("edm-")
        for path in paths
    }
    assert len(weights) == 5
    assert weights <= urls
    published = csv.DictReader((ROOT / "baselines/published/checkpoints.csv").open())
    named = [row for row in published if "EDM2" not in row["method"]]
    names = {row["source_locator"].rpartition("/")[2].split()[-1] for row in named}
    # The README's link to another number of images contradicts the file listing.
    names.remove("afhq64-v2_sid2a_alpha1.2-175104.pkl")
    assert names == {row["name"] for row in files if row["kind"] == "generator"}


def test_what_experiments_need() -> None:
    names = [file.name for file in needed("imagenet64", ROOT / "config")]
    assert names == [
        "edm-imagenet-64x64-cond-adm.pkl",
        "inception-2015-12-05.pt",
        "weights-inception-2015-12-05-6726825d.pth",
        "imagenet-64x64.npz",
    ]
    assert needed("demo", ROOT / "config") == []
