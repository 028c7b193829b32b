"""Snapshots measured one by one: by groups, by several processes, and again where asked anew."""

import copy
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from sid.data.images import ImageSet
from sid.data.zips import write_zip
from sid.errors import UserError
from sid.evaluate.extractors.classifier import DataExtractor
from sid.evaluate.measured import Piece, deal, distance_of, read_measured
from sid.evaluate.merging import merged
from sid.evaluate.records import read_records
from sid.files import read_json, sha256, write_json
from sid.networks import save_network
from sid.progress import Progress
from sid.report.agreement import differences
from sid.runs.folder import RunFolder
from sid.runs.removed import read_removed
from tests.commands import refused, sid
from tests.evaluate.cases import network, record
from tests.evaluate.test_evaluate import make_run, write_snapshot

SID = str(Path(sys.executable).with_name("sid"))
IMAGES = [0, 64, 128, 192]
MACHINE = {"seconds", "device", "torch", "git", "threads"}


@pytest.fixture
def place(reference: ImageSet, extractor: DataExtractor, tmp_path: Path) -> Path:
    """The digits, an extractor and a run of four snapshots."""
    write_zip(tmp_path / "digits.zip", np.asarray(reference.images[:600]), None)
    extractor.save(tmp_path / "e.safetensors")
    make_run(tmp_path / "run", IMAGES)
    return tmp_path


def words(place: Path, command: str, *more: object) -> list[str]:
    given = ["evaluate", command, place / "run", place / "digits.zip", "--quiet"]
    given += ["--extractor", place / "e.safetensors", "--n-curve", 40, "--metrics", "fd,is"]
    given += ["--n-final", 60, "--draws", 2] if command == "run" else []
    return [str(word) for word in (*given, "--json", place / "out.json", *more)]


def measure(place: Path, command: str, *more: object) -> list[dict[str, Any]]:
    done = sid(*words(place, command, *more))
    assert done.returncode == 0, done.stderr
    return rows(place / "out.json")


def rows(path: Path) -> list[dict[str, Any]]:
    """The records without the machine and the time."""
    return [one.model_dump(exclude=MACHINE) for one in read_records(path)]


def written(place: Path) -> dict[str, int]:
    """When each file of measured snapshots was written."""
    return {path.name: path.stat().st_mtime_ns for path in (place / "run/measured").iterdir()}


def test_a_run_keeps_the_records_of_its_snapshots(place: Path) -> None:
    whole, folder = measure(place, "run"), RunFolder(place / "run")
    measured = read_measured(folder)
    assert list(measured) == IMAGES
    curve = [row for row in whole if row["role"] == "curve"]
    kept = [row for images in IMAGES for row in rows(folder.measured_path(images))]
    assert kept == curve
    best = min(IMAGES, key=lambda images: distance_of(measured[images]))
    assert {row["images"] for row in whole if row["selection"] == "best"} == {best}


def test_the_curve_s_implementation_chooses_the_best(place: Path) -> None:
    whole = measure(place, "run", "--curve", "clean-fid, ours")
    made = [row["implementation"] for row in whole if row["role"] == "curve"]
    assert made[:3] == ["clean-fid", "ours", "ours"]
    distances = {
        row["images"]: row["value"]
        for row in whole
        if (row["role"], row["implementation"]) == ("curve", "clean-fid")
    }
    chosen = {row["images"] for row in whole if row["selection"] == "best"}
    assert chosen == {min(distances, key=lambda images: distances[images])}
    final = {row["implementation"] for row in whole if row["role"] == "final"}
    assert final == {"ours", "torch-fidelity", "clean-fid"}
    refused(sid(*words(place, "run", "--curve", "nvidia")), "--curve: nvidia", "torch-fidelity")


def test_the_fresh_draws_still_tell_how_implementations_agree(place: Path) -> None:
    measure(place, "run")
    found = differences(merged([place / "out.json"]))
    distances = found[found["metric"] == "frechet_distance"]
    pairs = set(zip(distances["first"], distances["second"], strict=True))
    assert pairs == {
        ("ours", "torch-fidelity"),
        ("ours", "clean-fid"),
        ("clean-fid", "torch-fidelity"),
    }
    assert set(distances["n_images"]) == {60}


def test_groups_first_give_the_same_records(place: Path) -> None:
    whole, run = measure(place, "run"), place / "run"
    for path in (run / "measured").iterdir():
        path.unlink()
    (run / "done.json").rename(run / "later.json")  # It comes at the end of the training.
    hashes = read_json(run / "later.json")["snapshots"]
    refused(sid(*words(place, "snapshots")), "not finished")
    for begin, end in ((0, 64), (128, 192)):
        names = [name for name in hashes if begin <= int(name[:12]) <= end]
        leg = {"images": end, "seconds": 1.0, "snapshots": {name: hashes[name] for name in names}}
        write_json(run / "legs" / f"{end:012d}.json", leg)
        group = measure(place, "snapshots", "--from", begin, "--to", end)
        curve = [row for row in whole if row["role"] == "curve"]
        assert group == [row for row in curve if begin <= row["images"] <= end]
    refused(sid(*words(place, "snapshots", "--to", 256)), "--to 256", "192 images", "train it on")
    refused(sid(*words(place, "run")), "not finished")
    (run / "later.json").rename(run / "done.json")
    before = written(place)
    assert measure(place, "run") == whole
    assert written(place) == before
    # A run that ended before its budget has nothing in the groups that are left.
    assert measure(place, "snapshots", "--from", 256, "--to", 512) == []


def test_a_removed_snapshot_s_records_stand_for_it(place: Path) -> None:
    whole = measure(place, "run")
    gone = place / "run/snapshots/000000000064.safetensors"
    chosen = {row["images"] for row in whole if row["role"] == "final"}
    assert 64 not in chosen
    gone.unlink()
    assert measure(place, "run") == whole
    only = measure(place, "snapshots", "--from", 64, "--to", 64)
    assert only == [row for row in whole if row["images"] == 64]
    record = place / "run/measured/000000000064.json"
    refused(sid(*words(place, "run", "--n-curve", 50)), str(gone), str(record), "n_images")
    record.unlink()
    refused(sid(*words(place, "run")), str(gone), "missing", "train the run again")


def test_what_is_removed_changes_no_record(place: Path) -> None:
    run, manifest = place / "run", place / "run/manifest.json"
    recipe = {"name": "sid-tiny", "kimg": 0.192, "first_kimg": 0.064, "per_decade": 1, "batch": 64}
    write_json(manifest, {"recipe": recipe, "seed": 5})  # Log-spaced: 0, 64, 192.
    whole = measure(place, "run", "--keep", "all")
    best = next(row["images"] for row in whole if row["selection"] == "best")
    for keep, spaced in (("curve", {0, 64}), ("best", set())):
        groups = [
            measure(place, "snapshots", "--keep", keep, "--from", begin, "--to", end)
            for begin, end in ((0, 64), (128, 192))
        ]
        assert groups[0] + groups[1] == [row for row in whole if row["role"] == "curve"]
        assert measure(place, "run", "--keep", keep) == whole
        there = {int(path.stem) for path in (run / "snapshots").iterdir()}
        assert there == spaced | {best, 192}
        assert {one.images for one in read_removed(run).values()} == set(IMAGES) - there


def changed(name: str, place: Path, extractor: DataExtractor) -> list[object]:
    """Change one thing that is asked; the options that ask for it."""
    if name == "metrics":
        return ["--metrics", "fd"]
    if name == "n_images":
        return ["--n-curve", 50]
    if name == "implementations":
        return ["--curve", "ours"]
    if name == "order of implementations":
        return ["--curve", "clean-fid,ours"]
    if name == "weights_sha256":
        path = place / "run/snapshots/000000000064.safetensors"
        write_snapshot(path, 7, 64)
        done = read_json(place / "run/done.json")
        done["snapshots"][path.name] = sha256(path)
        write_json(place / "run/done.json", done)
    elif name == "extractor_sha256":
        other = copy.deepcopy(extractor.network)
        with torch.no_grad():
            next(other.parameters()).mul_(1.5)
        replace(extractor, network=other).save(place / "e.safetensors")
    elif name == "reference_sha256":
        (place / "digits.zip").unlink()
        rng = np.random.default_rng(0)
        write_zip(place / "digits.zip", rng.integers(0, 256, (99, 1, 8, 8), np.uint8), None)
    return []


@pytest.mark.parametrize(
    "name",
    [
        *("metrics", "n_images", "implementations", "order of implementations"),
        *("weights_sha256", "extractor_sha256", "reference_sha256", ""),
    ],
)
def test_what_is_asked_otherwise_is_measured_anew(
    name: str, place: Path, extractor: DataExtractor
) -> None:
    """And of a removed snapshot refused; without a change its records are taken as they are."""
    one = ("--from", 64, "--to", 64, "--curve", "ours,clean-fid")
    first, before = measure(place, "snapshots", *one), written(place)
    given = [*one, *changed(name, place, extractor)]
    again = measure(place, "snapshots", *given)
    assert (again == first) == (written(place) == before) == (not name)
    assert measure(place, "snapshots", *given) == again
    (place / "run/snapshots/000000000064.safetensors").unlink()
    assert measure(place, "snapshots", *given) == again
    if name in ("metrics", "n_images") or "implementations" in name:
        said = ("64.safetensors: was removed", "measured/000000000064.json", name.split()[-1])
        refused(sid(*words(place, "snapshots", *one)), *said)


def test_classes_drawn_by_another_rule_are_measured_anew(place: Path) -> None:
    hashes = {}
    for images in (0, 64):
        made = network(images, label_dim=10)
        about = {"kind": "generator", "recipe": "c", "method": "sid", "seed": 5, "images": images}
        path = place / "run/snapshots" / f"{images:012d}.safetensors"
        save_network(path, made, {**about, "iterations": images, "sigma_init": 2.5})
        hashes[path.name] = sha256(path)
    write_json(place / "run/done.json", {"snapshots": hashes})
    np.savez(place / "some.npz", labels=np.repeat(np.arange(10), np.arange(1, 11)))
    uniform, rule = measure(place, "snapshots"), ("--frequencies", place / "some.npz")
    before = written(place)
    assert {row["labels"] for row in uniform} == {"uniform over 10 classes"}
    (place / "run/snapshots" / f"{0:012d}.safetensors").unlink()
    assert measure(place, "snapshots") == uniform
    assert written(place) == before
    refused(sid(*words(place, "snapshots", *rule)), "was removed", "labels")
    other = measure(place, "snapshots", *rule, "--from", 64)
    assert {row["labels"] for row in other} == {"data set's frequencies of 10 classes"}


def start(place: Path, size: int, *more: object) -> list[subprocess.Popen[str]]:
    """`sid evaluate run` as so many processes of one job."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {"WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    return [
        subprocess.Popen(
            [SID, *words(place, "run", *more)],
            env={**os.environ, **world, "RANK": str(rank), "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(size)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("size", [2, 3])
def test_processes_share_the_sets_and_give_the_last_digit(size: int, place: Path) -> None:
    alone = measure(place, "run")
    for path in (place / "run/measured").iterdir():
        path.unlink()
    (place / "out.json").unlink()
    running = start(place, size)
    told = [process.communicate(timeout=600) for process in running]
    assert [process.returncode for process in running] == [0] * size, told
    assert rows(place / "out.json") == alone
    assert [bool(out) for out, _ in told] == [True] + [False] * (size - 1)
    assert not list(place.glob(".out.json.work"))


@pytest.mark.slow
def test_a_killed_job_goes_on_where_it_stopped(place: Path) -> None:
    alone, folder = measure(place, "run"), RunFolder(place / "run")
    for path in folder.measured.iterdir():
        path.unlink()
    (place / "out.json").unlink()
    (job,) = start(place, 1, "--n-final", 5000)
    first = folder.measured_path(0)
    while not first.exists():
        assert job.poll() is None
        time.sleep(0.01)
    job.kill()
    job.communicate()
    before = written(place)
    assert not (place / "out.json").exists()
    assert measure(place, "run") == alone
    assert before.items() <= written(place).items()
    assert before


QUIET = Progress("test", 1, quiet=True)


def pieces(folder: Path, made: list[str], count: int = 3) -> list[Piece]:
    def make(name: str) -> Any:
        def made_now() -> Any:
            made.append(name)
            return [record(value=len(name))]

        return made_now

    names = [f"{k:012d}" for k in range(count)]
    return [Piece(folder / f"{n}.json", {"n_images": n}, 1, make(n)) for n in names]


def test_none_takes_what_another_is_at(tmp_path: Path) -> None:
    """The rest is made meanwhile; what the other leaves when it dies is taken then."""
    made: list[str] = []
    asked = pieces(tmp_path, made)
    holder = f"""
import fcntl, sys, time
handle = open({str(tmp_path / asked[0].path.name) + ".lock"!r}, "a")
fcntl.flock(handle, fcntl.LOCK_EX)
print("held", flush=True)
time.sleep(600)
"""
    other = subprocess.Popen([sys.executable, "-c", holder], stdout=subprocess.PIPE, text=True)
    assert other.stdout
    assert other.stdout.readline() == "held\n"

    class WaitingError(Exception):
        pass

    def sleep(_: float) -> None:
        raise WaitingError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", sleep)
        with pytest.raises(WaitingError):
            deal(asked, tmp_path, QUIET)
    assert made == [asked[1].path.stem, asked[2].path.stem]
    other.send_signal(signal.SIGKILL)
    other.wait()
    other.stdout.close()
    assert [len(part) for part in deal(asked, tmp_path, QUIET)] == [1, 1, 1]
    assert made[2:] == [asked[0].path.stem]


def test_a_piece_that_fails_leaves_the_others(tmp_path: Path) -> None:
    made: list[str] = []
    asked = pieces(tmp_path, made)

    def fail() -> Any:
        raise UserError("no")

    with pytest.raises(UserError, match="no"):
        deal([asked[0], asked[1]._replace(make=fail), asked[2]], tmp_path, QUIET)
    deal(asked, tmp_path, QUIET)
    assert made == [piece.path.stem for piece in asked]


def test_a_file_that_says_not_what_was_asked(tmp_path: Path) -> None:
    (piece,) = pieces(tmp_path, [], 1)
    write_json(piece.path, {"records": []})
    with pytest.raises(UserError, match=r"000.json: .*delete it and run again"):
        piece.found()
