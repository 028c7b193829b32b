"""The cache: a hit is what was computed, bit for bit; what is damaged or forbidden does no harm."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sid.evaluate.features.moments import gaussian_of
from sid.evaluate.features.statistics import Statistics
from sid.evaluate.features.statistics_cache import Key, cached, key_of

KEY = Key("cd" * 32, "1x8x8", "none", "digits-cnn", "ab" * 32, "N-1")
GAUSSIAN = gaussian_of(np.random.default_rng(0).normal(size=(50, 6)))


class Maker:
    """Makes statistics under a key, and counts how often."""

    def __init__(self, key: Key = KEY) -> None:
        self.key, self.calls = key, 0

    def __call__(self) -> Statistics:
        self.calls += 1
        return Statistics("digits", GAUSSIAN, 50, **dataclasses.asdict(self.key))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SID_CACHE", str(tmp_path / "the cache"))
    return tmp_path / "the cache"


def same(one: Statistics, other: Statistics) -> bool:
    keep = {"gaussian": GAUSSIAN}
    return (
        np.array_equal(one.gaussian.mean, other.gaussian.mean)
        and np.array_equal(one.gaussian.covariance, other.gaussian.covariance)
        and dataclasses.replace(one, **keep) == dataclasses.replace(other, **keep)
    )


def test_made_once(folder: Path) -> None:
    make = Maker()
    first, second = cached(KEY, make), cached(KEY, make)
    assert make.calls == 1
    assert same(first, second)
    files = list(folder.rglob("*.*"))
    assert [path.name for path in files] == [f"{KEY.digest}.npz"]
    assert second.sha256 == KEY.data_sha256
    assert key_of(second) == KEY


def test_every_part_of_the_key_counts(folder: Path) -> None:
    cached(KEY, Maker())
    for field in dataclasses.fields(Key):
        make = Maker(dataclasses.replace(KEY, **{field.name: "other"}))
        assert key_of(cached(make.key, make)) == make.key
        assert make.calls == 1
    assert len(list((folder / "statistics").iterdir())) == 1 + len(dataclasses.fields(Key))


def test_digest_is_kept() -> None:
    """Another digest would lose everybody's cache."""
    assert KEY.digest.startswith("a14e21534a5c6b46")


def test_damage_is_told_and_mended(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make = Maker()
    first = cached(KEY, make)
    path = folder / "statistics" / f"{KEY.digest}.npz"
    whole = path.read_bytes()
    for content in (whole[:-9], b"", whole.replace(GAUSSIAN.mean.tobytes(), bytes(48))):
        path.write_bytes(content)
        assert same(cached(KEY, make), first)
        assert path.read_bytes() == whole
    assert make.calls == 4
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 2  # The first two are damaged alike, which is told once.
    assert all(line.startswith(f"warning: {path}: ") for line in lines)
    assert all(line.endswith("; computed again") for line in lines)


def test_files_of_another_key_are_not_read(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = Maker(dataclasses.replace(KEY, resolution="3x32x32"))
    cached(other.key, other)
    path = folder / "statistics" / f"{KEY.digest}.npz"
    (folder / "statistics" / f"{other.key.digest}.npz").rename(path)
    make = Maker()
    assert key_of(cached(KEY, make)) == KEY
    assert make.calls == 1
    assert f"{path}: holds the statistics of another key" in capsys.readouterr().err
    assert key_of(cached(KEY, make)) == KEY
    assert make.calls == 1


def test_without_a_place_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file in the way stops root, too; told once."""
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("SID_CACHE", str(tmp_path / "file"))
    make = Maker()
    for _ in range(2):
        assert cached(KEY, make).gaussian is GAUSSIAN
    assert make.calls == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert "cannot be written" in lines[0]
    assert "set SID_CACHE to a folder that can be" in lines[0]
    assert (tmp_path / "file").read_bytes() == b""


RACE = """
import sys
from tests.evaluate.test_cache import KEY, Maker
from sid.evaluate.features.statistics_cache import cache_folder, cached

for _ in range(30):
    make = Maker()
    assert cached(KEY, make).count == 50
    if make.calls:
        print("made")
    (cache_folder() / "statistics" / f"{KEY.digest}.npz").unlink(missing_ok=True)
"""


def test_two_processes_at_once(folder: Path) -> None:
    """Both read, write and remove one file; neither sees half of it."""
    environment = {**os.environ, "SID_CACHE": str(folder)}
    words = [sys.executable, "-c", RACE]
    running = [
        subprocess.Popen(words, env=environment, stdout=-1, stderr=-1, text=True) for _ in range(2)
    ]
    for process in running:
        out, err = process.communicate(timeout=600)
        assert (process.returncode, err) == (0, "")
        assert "made" in out
    assert not list(folder.rglob(".*"))
