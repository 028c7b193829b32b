"""Run folders: what they accept, what they refuse, and one writer at a time."""

import errno
import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from sid.errors import UserError
from sid.files import read_json
from sid.runs.folder import RunFolder, snapshot_at
from sid.runs.world import World

CPU = torch.device("cpu")
RUN = {"stage": "distill", "seed": 0, "recipe": {"name": "sid", "method": {"alpha": 1.2}}}
OTHER = {**RUN, "recipe": {"name": "sid", "method": {"alpha": 1.0}}}


def test_manifest_says_what_made_the_run(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.lock():
        folder.claim(RUN, CPU, restart=False)
    manifest = read_json(folder.manifest)
    assert manifest["recipe"]["method"]["alpha"] == 1.2
    assert {"git", "torch", "device", "threads", "python"} <= set(manifest["provenance"])


def test_another_run_is_refused_and_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.lock():
        folder.claim(RUN, CPU, restart=False)
        folder.claim(RUN, CPU, restart=False)
        with pytest.raises(UserError, match=r"another run \(recipe\.method\.alpha differ\)"):
            folder.claim(OTHER, CPU, restart=False)


def test_restart_sets_the_other_run_aside(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.lock():
        folder.claim(RUN, CPU, restart=False)
        folder.log.write_text("days of work\n")
        folder.claim(OTHER, CPU, restart=True)
        assert not folder.log.exists()
        folder.claim(RUN, CPU, restart=True)
        folder.claim(OTHER, CPU, restart=True)
    assert len(list(tmp_path.glob("run.aside-*"))) == 3
    (aside,) = (path for path in tmp_path.glob("run.aside-*") if (path / "log.jsonl").exists())
    assert (aside / "log.jsonl").read_text() == "days of work\n"
    assert read_json(aside / "manifest.json")["recipe"] == RUN["recipe"]
    assert read_json(folder.manifest)["recipe"] == OTHER["recipe"]


def test_snapshots_without_manifest_are_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.snapshots.mkdir(parents=True)
    with pytest.raises(UserError, match=r"holds other files \(snapshots\)"), folder.lock():
        pass
    assert [item.name for item in folder.path.iterdir()] == ["snapshots"]


def test_everything_of_a_run_is_set_aside(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.legs.mkdir(parents=True)  # As Snakemake does before the run begins.
    with folder.lock():
        folder.claim(RUN, CPU, restart=False)
        folder.leg_path(32).write_text("{}")
        for name in ("done.json", "reached.json", "removed.json"):
            (folder.path / name).write_text("{}")
        folder.claim(OTHER, CPU, restart=True)
    assert sorted(item.name for item in folder.path.iterdir()) == ["lock", "manifest.json"]
    (aside,) = tmp_path.glob("run.aside-*")
    assert (aside / "legs" / folder.leg_path(32).name).exists()
    assert len(list(aside.iterdir())) == 5


def test_a_run_keeps_its_threads(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.lock():
        folder.claim(RUN, CPU, restart=False)
    torch.set_num_threads(2)
    with folder.held(RUN, CPU, World(), restart=False):
        assert torch.get_num_threads() == 1


def test_going_on_elsewhere_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.lock():
        folder.claim(RUN, CPU, restart=False)
        folder.claim(RUN, CPU, 1, restart=False)
        assert capsys.readouterr().err == ""
        folder.claim(RUN, CPU, 2, restart=False)
    assert "began with processes 1 and goes on with 2: equal up to" in capsys.readouterr().err


def test_a_foreign_manifest_is_refused(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    for content in ("[]", "{}", '{"provenance": {"threads": "many"}}'):
        folder.path.mkdir(exist_ok=True)
        folder.manifest.write_text(content)
        with folder.lock(), pytest.raises(UserError, match="json: not a run's manifest"):
            folder.claim(RUN, CPU, restart=False)


def test_leftovers_of_a_killed_writer_go(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.lock():
        folder.claim(RUN, CPU, restart=False)
        folder.state.mkdir()
        (folder.state / ".x.safetensors.123.tmp").write_text("half")
        folder.claim(RUN, CPU, restart=False)
    assert not list(folder.state.iterdir())


def test_the_lock_waits_and_dies_with_its_process(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from sid.runs.folder import RunFolder\n"
        f"with RunFolder(Path({str(tmp_path)!r})).lock():\n"
        "    print('held', flush=True); time.sleep(float(sys.argv[1]))"
    )
    first = subprocess.Popen([sys.executable, "-c", code, "3600"], stdout=subprocess.PIPE)
    assert first.stdout
    assert first.stdout.readline() == b"held\n"
    second = subprocess.Popen(
        [sys.executable, "-c", code, "0"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert second.stderr
    assert f"waiting for process {first.pid}".encode() in second.stderr.readline()
    time.sleep(0.2)
    assert second.poll() is None
    os.kill(first.pid, 9)
    first.wait()
    out, _ = second.communicate(timeout=600)
    assert out == b"held\n"
    assert second.returncode == 0


def test_file_systems_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(handle: object, operation: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    with (
        pytest.raises(UserError, match=r"lock: cannot be locked \(Function not implemented\)"),
        RunFolder(tmp_path / "run").lock(),
    ):
        pass


def test_snapshot_at_takes_folder_or_file(teacher_run: Path, tmp_path: Path) -> None:
    last = snapshot_at(teacher_run)
    assert last == sorted((teacher_run / "snapshots").iterdir())[-1]
    assert snapshot_at(last) == last
    with pytest.raises(UserError, match="holds no snapshots"):
        snapshot_at(tmp_path)
    (tmp_path / "snapshots").mkdir()
    with pytest.raises(UserError, match="not finished; train it to its end"):
        snapshot_at(tmp_path)
