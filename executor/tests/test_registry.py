"""The registry on disk, and what a job and a restarted Snakemake read from it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from snakemake_interface_common.exceptions import WorkflowError

from snakemake_executor_plugin_submitit.registry import Claim, Registry, digest


def test_entry_comes_back(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    assert registry.read("key") is None
    entry = registry.intend("key", "rule", "digest", "slurm", 4)
    assert registry.read("key") == entry
    sent = replace(entry, job_id="17")
    registry.write(sent)
    assert registry.read("key") == sent
    registry.forget(sent)
    assert registry.read("key") is None


def test_later_submission_is_not_forgotten(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    old = registry.intend("key", "rule", "digest", "slurm", 1)
    new = registry.intend("key", "rule", "digest", "slurm", 1)
    assert old.name != new.name
    registry.forget(old)
    assert registry.read("key") == new


def test_only_the_last_submission_may_start(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    old = registry.intend("key", "rule", "digest", "slurm", 1)
    new = registry.intend("key", "rule", "digest", "slurm", 1)
    path = str(registry.path("key"))
    Claim(path, new.name).check()
    with pytest.raises(RuntimeError, match="nothing is done"):
        Claim(path, old.name).check()
    registry.forget(new)
    with pytest.raises(RuntimeError, match="nothing is done"):
        Claim(path, new.name).check()


def test_damaged_entry_stops(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    for text in ("", '{"key": 1}', "[]"):
        registry.path("key").write_text(text)
        with pytest.raises(WorkflowError, match=r"key\.json: not an entry"):
            registry.read("key")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk_keeps_the_old_entry(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    entry = registry.intend("key", "rule", "digest", "slurm", 1)
    # The name of the temporary file leads to a device that is always full.
    (tmp_path / f".key.json.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        registry.write(replace(entry, job_id="17"))
    assert registry.read("key") == entry
    assert [path.name for path in tmp_path.iterdir()] == ["key.json"]


def test_digest_does_not_depend_on_the_process() -> None:
    class Odd:
        pass

    assert digest({"a": [1, Odd()], "b": {"y", "x"}}) == digest({"b": {"x", "y"}, "a": [1, Odd()]})
    assert digest(["a", "b"]) != digest(["ab"])
