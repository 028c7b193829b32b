"""What sacct and squeue say, read and put together."""

from pathlib import Path

import pytest
from snakemake_interface_common.exceptions import WorkflowError

from executor_helpers import calls, programs
from snakemake_executor_plugin_submitit.registry import Entry
from snakemake_executor_plugin_submitit.slurm import SlurmCluster, SlurmUnavailableError


def entry(number: str) -> Entry:
    return Entry("key", f"rule-{number}", "digest", "slurm", "host", 1, 1e9, number)


def test_running_jobs_take_one_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, monkeypatch, sacct="printf '1|RUNNING\\n2|PENDING\\n'", squeue="exit 1")
    states = SlurmCluster(print).states([entry("1"), entry("2")])
    assert states == {"rule-1": "RUNNING", "rule-2": "PENDING"}
    assert calls(tmp_path) == ["sacct"]


def test_squeue_corrects_what_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = "1|NODE_FAIL\\n2|CANCELLED by 7\\n3|NODE_FAIL\\n"
    programs(tmp_path, monkeypatch, sacct=f"printf '{told}'", squeue="echo '1|PENDING'")
    slurm = SlurmCluster(print)
    states = slurm.states([entry(number) for number in "1234"])
    assert list(states.values()) == ["PENDING", "CANCELLED", "NODE_FAIL", "GONE"]
    # A node that failed: the job may be requeued yet, so for a while it counts as live.
    assert [slurm.is_active(state) for state in states.values()] == [True, False, True, False]
    monkeypatch.setattr("snakemake_executor_plugin_submitit.slurm.REQUEUE_S", -1.0)
    assert slurm.states([entry("3")]) == {"rule-3": "FAILED"}


def test_without_accounting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    off = "echo 'Slurm accounting storage is disabled' >&2; exit 1"
    programs(tmp_path, monkeypatch, sacct=off, squeue="echo '1|RUNNING'")
    said: list[str] = []
    slurm = SlurmCluster(said.append)
    for _ in range(3):
        assert slurm.states([entry("1"), entry("2")]) == {"rule-1": "RUNNING", "rule-2": "GONE"}
    assert calls(tmp_path) == ["sacct", "squeue", "squeue", "squeue"]
    assert len(said) == 1
    assert "What is lost" in said[0]


def test_nobody_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = "echo 'Connection refused' >&2; exit 1"
    programs(tmp_path, monkeypatch, sacct=broken, squeue=broken)
    with pytest.raises(SlurmUnavailableError, match="Connection refused"):
        SlurmCluster(print).states([entry("1")])


def test_where_there_is_no_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(WorkflowError, match="sbatch: not found; is this a login node"):
        SlurmCluster(print).check()


def test_many_jobs_fit_into_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs(tmp_path, monkeypatch, sacct="eval echo \\${$#} | tr , '\\n' | sed 's/$/|RUNNING/'")
    numbers = [str(10_000_000 + n) for n in range(20_000)]
    states = SlurmCluster(print).states([entry(number) for number in numbers])
    assert states == {f"rule-{number}": "RUNNING" for number in numbers}
    assert calls(tmp_path) == ["sacct"] * 4


def test_settings_of_squeue_hide_no_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    squeue = '[ -z "$SQUEUE_PARTITION$SACCT_FORMAT" ] && echo "1|RUNNING $SLURM_CLUSTERS"'
    programs(tmp_path, monkeypatch, sacct=squeue, squeue=squeue)
    monkeypatch.setenv("SQUEUE_PARTITION", "other")
    monkeypatch.setenv("SACCT_FORMAT", "JobID")
    assert SlurmCluster(print).states([entry("1")]) == {"rule-1": "RUNNING"}
    monkeypatch.setenv("SBATCH_CLUSTERS", "second")  # Where sbatch sends jobs, they are looked for.
    assert SlurmCluster(print)._accounted(["1"]) == {"1": "RUNNING"}
