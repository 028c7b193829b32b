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
from tests.commands import accepted, refused, sid
from tests.fetch.server import Web, serving
from tests.teacher.test_importing import GIVEN, network
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


def test_fetched_once_and_located(web: Web, tmp_path: Path) -> None:
    printed = accepted(sid("fetch", "--all"))
    assert f"known.pt: {len(CONTENT)} bytes fetched; SHA-256 {RIGHT}, as it should" in printed
    assert "new.npz: 5 bytes fetched" in printed
    assert "nothing to compare it with" in printed
    assert locate("known.pt") == cached(tmp_path, "known.pt")
    assert locate("new.npz").read_bytes() == b"first"
    web.asked.clear()
    assert accepted(sid("fetch", "--all", "reference")).count("was there") == 2
    assert web.asked == []


def test_missing_is_one_line_with_the_mend(web: Web, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"known.pt: not there; .* run `sid fetch known.pt`"):
        locate("known.pt")
    refused(sid("fetch", "knwon.pt"), "knwon.pt: no known file; did you mean known.pt?")
    del web.files["/known.pt"]
    refused(sid("fetch", "known.pt", "--quiet"), "the server answers 404")
    with pytest.raises(UserError):
        locate("known.pt")


def test_damage_is_found_and_mended(web: Web) -> None:
    accepted(sid("fetch", "--all", "--quiet"))
    for name in ("known.pt", "new.npz"):
        locate(name).write_bytes(b"other")
        with pytest.raises(UserError, match=f"should be .*; run `sid fetch {name}`"):
            locate(name)
        accepted(sid("fetch", name, "--quiet"))
        locate(name)


def test_another_file_at_the_address_is_refused(web: Web) -> None:
    """Both where the table has the checksum and where the first fetch noted it."""
    accepted(sid("fetch", "new.npz", "--quiet"))
    web.files = {"/known.pt": b"swapped", "/new.npz": b"other"}
    refused(sid("fetch", "known.pt", "--quiet"), f"should be {RIGHT}")
    locate("new.npz").unlink()
    refused(sid("fetch", "new.npz", "--quiet"), "delete")
    for name in ("known.pt", "new.npz"):
        with pytest.raises(UserError, match="not there"):
            locate(name)


def test_a_broken_download_goes_on(web: Web) -> None:
    web.cut = 300_000
    refused(sid("fetch", "known.pt", "--quiet"), f"300000 of {len(CONTENT)} bytes arrived")
    accepted(sid("fetch", "known.pt", "--quiet"))
    assert [given for _, given in web.asked] == [None, "bytes=300000-"]
    assert locate("known.pt").read_bytes() == CONTENT


def test_a_part_of_another_version_is_not_gone_on_with(web: Web) -> None:
    web.cut = 2
    refused(sid("fetch", "new.npz", "--quiet"))
    web.files["/new.npz"] = b"another version"
    accepted(sid("fetch", "new.npz", "--quiet"))
    assert locate("new.npz").read_bytes() == b"another version"


def test_a_whole_part_is_taken_anew(web: Web, tmp_path: Path) -> None:
    """Killed between the last byte and the rename: the server has nothing to send on."""
    part = cached(tmp_path, ".known.pt.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    part.with_name(".known.pt.part.etag").write_text(f'"{RIGHT}"')
    accepted(sid("fetch", "known.pt", "--quiet"))
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
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a file that is in no table, as a recipe of the user's own may name it."""
    monkeypatch.chdir(tmp_path)
    official = dumps(snapshot(network(), GIVEN, **edm_extras()))
    web.files["/edm-mine.pkl"] = official
    url = f"{web.url}/edm-mine.pkl"
    assert fetched(url) is None
    accepted(sid("fetch", url, "--quiet"))
    kept = cached(tmp_path, "edm-mine.pkl")
    web.asked.clear()
    accepted(sid("teacher", "import", url, "--out", "out", "--quiet"))
    assert web.asked == []
    assert json.loads(Path("out/edm-mine.json").read_text())["source"] == url
    kept.write_bytes(official[:-9])
    refused(sid("teacher", "import", url, "--out", "out", "--quiet"), f"run `sid fetch {url}`")


def test_a_mirror_has_the_same_paths_and_must_have_the_same_bytes(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = (tmp_path / "files.csv").read_text()
    (tmp_path / "files.csv").unlink()
    (tmp_path / "far").mkdir()
    far = tmp_path / "far" / "files.csv"
    far.write_text(table.replace(web.url, "https://far.invalid/a"))
    monkeypatch.setenv("SID_PUBLISHED", str(far.parent))
    monkeypatch.setenv("SID_MIRROR", f"{web.url}/mirror/")
    web.files = {"/mirror/a/known.pt": CONTENT, "/mirror/a/new.npz": b"first"}
    accepted(sid("fetch", "--all", "--quiet"))
    assert locate("known.pt").read_bytes() == CONTENT
    record = json.loads(cached(tmp_path, "new.npz.json").read_text())
    assert record["url"] == "https://far.invalid/a/new.npz"  # Not the mirror's.
    cached(tmp_path, "known.pt").unlink()
    web.files["/mirror/a/known.pt"] = b"other"
    refused(sid("fetch", "known.pt", "--quiet"), f"should be {RIGHT}")
    web.files["/alone.pt"] = b"alone"  # What is in no table comes from its own address.
    accepted(sid("fetch", f"{web.url}/alone.pt", "--quiet"))
    monkeypatch.setenv("SID_MIRROR", "mirror.example.org")
    refused(
        sid("fetch", "known.pt", "--quiet"), "SID_MIRROR=mirror.example.org: no address such as"
    )


def test_an_import_takes_the_mirror(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    url = "https://far.invalid/edm-far.pkl"
    with (tmp_path / "files.csv").open("a") as table:
        table.write(f"edm-far.pkl,teacher,{url},,,a teacher,\n")
    web.files["/edm-far.pkl"] = dumps(snapshot(network(), GIVEN, **edm_extras()))
    monkeypatch.setenv("SID_MIRROR", web.url)
    accepted(sid("teacher", "import", url, "--out", "out", "--quiet"))
    assert json.loads(Path("out/edm-far.json").read_text())["source"] == url


def test_listing(web: Web) -> None:
    accepted(sid("fetch", "new.npz", "--quiet"))
    lines = [line.split() for line in accepted(sid("fetch")).splitlines()]
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
