"""What `sid verify measure` draws is what the published protocol draws, and a kill costs little."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sid.evaluate.labels import read_counts
from sid.files import sha256
from tests.commands import Done, accepted, refused, sid
from tests.fetch.server import Web
from tests.verify.standins import DATASET, DRAWS, GENERATOR, HOST, REAL, TEACHER, N

CHUNK = ("--chunk", 20, "--quiet", "--device", "cpu")
RESULT = Path("results/verify/digits-sid.json")


def records(path: Path = RESULT) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["records"]
    return found


def measure(*words: object, subject: str = "digits-sid") -> Done:
    path = RESULT.with_stem(subject)
    return sid("verify", "measure", subject, "--json", path, *CHUNK, *words)


def test_draws_are_those_of_every_other_generator(web: Web, files: Path) -> None:
    """By both implementations, from the moments; equal to what `sid evaluate` finds."""
    accepted(measure())
    found = records()
    by = {(r["implementation"], r["draw"]) for r in found}
    assert by == {(who, k) for who in ("nvidia", "ours") for k in range(1, DRAWS + 1)}
    for record in found:
        assert record["draw"] == record["seed"]
        about = {key: record[key] for key in ("role", "recipe", "method", "kimg", "nfe")}
        assert list(about.values()) == ["external", "digits-sid", "sid", 100.0, 1]
        assert (record["dataset"], record["n_images"]) == (DATASET, N)
        assert record["generated"] == GENERATOR
        assert record["weights_sha256"] == sha256(files / GENERATOR)
        assert record["reference_sha256"] == sha256(files / f"{DATASET}.npz")
        assert record["labels"] == "uniform over 10 classes"
    weights = Path("results/verify/weights/digits-sid", GENERATOR).with_suffix(".safetensors")
    extractor = ("--extractor", files / "inception-2015-12-05.pt", "--implementations", "nvidia")
    words = (weights, files / f"{DATASET}.npz", *extractor, "--n", N, "--seed", 3, *CHUNK)
    more = ("--metrics", "fd", "--allow-unequal-n", "--json", "alone.json")
    accepted(sid("evaluate", *words, *more))
    (alone,) = records(Path("alone.json"))
    third = next(r for r in found if (r["implementation"], r["draw"]) == ("nvidia", 3))
    assert alone["value"] == third["value"]


def test_a_teacher_is_drawn_by_its_sampler(web: Web) -> None:
    accepted(measure("--draws", 1, subject="edm-digits"))
    found = records(RESULT.with_stem("edm-digits"))
    assert {(r["role"], r["recipe"], r["nfe"]) for r in found} == {("external", "edm-digits", 5)}
    assert {r["generated"] for r in found} == {TEACHER}


def test_nothing_is_measured_twice(web: Web) -> None:
    accepted(measure("--draws", 2))
    first, asked = records(), len(web.asked)
    accepted(measure())
    assert records()[: len(first)] == first  # To the second that they took.
    assert len(records()) == 2 * DRAWS
    assert len(web.asked) == asked  # From the cache.
    whole = RESULT.read_bytes()
    accepted(measure("--draws", 1))
    assert RESULT.read_bytes() == whole  # Fewer are asked for, and none is lost.
    refused(measure("--n", 40), f"{RESULT}: holds records of digits-sid")
    assert RESULT.read_bytes() == whole


def test_both_rules_of_classes(web: Web, files: Path) -> None:
    """The publisher's first; one set where both are one law."""
    labels = files / "labels.npz"
    assert len(set(read_counts(labels))) > 1
    accepted(measure("--frequencies", labels, "--draws", 1))
    told = [r["labels"] for r in records() if r["implementation"] == "nvidia"]
    assert told == ["data set's frequencies of 10 classes", "uniform over 10 classes"]
    assert len({r["value"] for r in records() if r["implementation"] == "nvidia"}) == 2
    np.savez("equal.npz", labels=np.arange(50) % 10)
    RESULT.unlink()
    accepted(measure("--frequencies", "equal.npz", "--draws", 1))
    assert {r["labels"] for r in records()} == {
        "uniform over 10 classes, the data set's frequencies"
    }


def test_precision_is_of_other_images_and_left_out_without_them(web: Web) -> None:
    """The same draws are seen by both passes."""
    result = RESULT.with_stem("digits-sida")
    content = {path: web.files.pop(path) for path in list(web.files) if path.endswith(REAL)}
    done = measure("--draws", 2, subject="digits-sida")
    accepted(done)
    assert f"precision: not measured, for want of the real images: {web.url}" in done.stderr
    before = records(result)
    assert {r["metric"] for r in before} == {"frechet_distance"}
    web.files |= content
    accepted(measure("--draws", 2, subject="digits-sida"))
    found = records(result)
    assert [r for r in found if r["metric"] == "frechet_distance"] == before
    seen = [r for r in found if r["metric"] == "precision"]
    assert {(r["dataset"], r["n_reference"], r["draw"]) for r in seen} == {
        (Path(REAL).stem, 200, 1),
        (Path(REAL).stem, 200, 2),
    }
    images = {(r["draw"], r["generated_sha256"]) for r in found}
    assert len(images) == 2


def test_with_the_data_set_the_libraries_are_asked(
    web: Web, digits_zip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NVIDIA's protocol still compares with the published moments, and labels come with it."""
    accepted(measure("--draws", 1))
    (alone,) = [r for r in records() if r["implementation"] == "nvidia"]
    RESULT.unlink()
    # As of an extractor that the libraries have no copy of: theirs takes seconds for an image.
    monkeypatch.setattr("sid.verify.passes.usual", lambda _: ["ours", "clean-fid"])
    accepted(measure("--draws", 1, "--data", digits_zip))
    uniform = [r for r in records() if r["labels"] == alone["labels"]]
    by = {r["implementation"]: r for r in uniform if r["metric"] == "frechet_distance"}
    assert set(by) == {"nvidia", "ours", "clean-fid"}
    assert by["nvidia"]["value"] == alone["value"]
    assert by["nvidia"]["reference_sha256"] == alone["reference_sha256"]
    assert by["ours"]["reference_sha256"] == sha256(digits_zip)
    assert len({r["labels"] for r in records()}) == 2


KILLED = """
import os, signal, sys
from sid.cli import main
from sid.evaluate.samplers import Sampler

left, draw = [8], Sampler.draw

def killed(self, start, stop):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    return draw(self, start, stop)

Sampler.draw = killed
sys.argv[0] = "sid"
main()
"""


def test_killed_it_goes_on(web: Web) -> None:
    """Killed within the third draw: the records are those of an undisturbed run, but for time."""
    words = ["verify", "measure", "digits-sid", "--json", RESULT, *CHUNK]
    command = [sys.executable, "-c", KILLED, *map(str, words)]
    killed = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": "1"}, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not RESULT.exists()
    (work,) = RESULT.parent.glob(".digits-sid.json.work")
    assert len(list(work.glob("*.json"))) == 2  # The finished draws.
    kept = [r["seconds"] for path in sorted(work.glob("*.json")) for r in records(path)]
    accepted(measure())
    assert sorted(r["seconds"] for r in records() if r["draw"] <= 2) == sorted(kept)
    resumed = [{**record, "seconds": 0} for record in records()]
    RESULT.unlink()
    accepted(measure())
    assert [{**record, "seconds": 0} for record in records()] == resumed


def test_what_cannot_be_had_is_one_line(
    web: Web, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = web.files.pop(f"{HOST.removeprefix('https://far.invalid')}/{GENERATOR}")
    refused(measure(), GENERATOR, "404")
    assert not RESULT.exists()
    monkeypatch.setenv("SID_MIRROR", "http://127.0.0.1:9")
    refused(measure(), "cannot be fetched", "sid fetch", "--from")
    accepted(measure("--from", files))  # A folder needs no net.
    RESULT.unlink()
    own = Path("own")
    own.mkdir()
    for path in files.iterdir():
        (own / path.name).write_bytes(path.read_bytes())
    (own / "inception-2015-12-05.pt").write_bytes(content)
    refused(measure("--from", own), "inception-2015-12-05.pt", "SHA-256")
    assert not RESULT.exists()


@pytest.mark.slow
def test_processes_divide_the_draws(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes give the values of one; they fetch nothing, so that none waits for the net."""
    accepted(measure("--draws", 2))
    alone = [{**record, "seconds": 0} for record in records()]
    RESULT.unlink()
    words = ("verify", "measure", "digits-sid", "--json", RESULT, "--draws", 2, *CHUNK)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    monkeypatch.delenv("SID_MIRROR")
    running = []
    for rank in ("0", "1"):
        world = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
        world |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        command = [sys.executable, "-m", "sid", *map(str, words)]
        running.append(subprocess.Popen(command, env={**os.environ, **world}))
    assert [process.wait(timeout=600) for process in running] == [0, 0]
    assert [{**record, "seconds": 0} for record in records()] == alone
