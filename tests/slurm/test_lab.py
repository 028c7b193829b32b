"""The lab itself: it starts, its nodes have GPUs, and nothing of it stays behind."""

import os
import signal
import subprocess
import time
from pathlib import Path

import psutil

from tests.slurm.lab import HEEDING, ROOT, SCRIPT, Lab


def daemons(link: Path) -> list[str]:
    """The command lines that name a lab by the link to its folder."""
    found = []
    for process in psutil.process_iter(["pid", "cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE and any(str(link) in w for w in words):
            found.append(" ".join(words))
    return found


def test_job_gets_its_gpus(lab: Lab) -> None:
    asked = lab.run("srun", "--gpus-per-node=1", "-n1", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES")
    assert asked.strip() in {"0", "1"}


def test_interrupt_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "a lab"
    environment = {**Lab(folder).environment, "SLURMLAB": str(folder), "ACCT": "none"}
    process = subprocess.Popen(
        [*HEEDING, SCRIPT, "with", "sleep", "600"],
        env=environment,
        cwd=ROOT,
        start_new_session=True,
    )
    while not (folder / "run" / "slurmd-n2.pid").exists():
        assert process.poll() is None
        time.sleep(0.1)
    link = next(link for link in Path("/run").glob("slurm-lab-*") if link.readlink() == folder)
    assert len(daemons(link)) > 3
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    assert daemons(link) == []
    assert not link.is_symlink()
    assert str(folder) not in Path("/etc/hosts").read_text()
