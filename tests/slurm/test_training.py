"""A training over two nodes, disturbed in every way that a cluster knows, by a real Slurm.

Its Snakefile has the one rule and goes through the executor plugin, as the workflow's own do.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from tests.conftest import tiny_recipe
from tests.processes import newest, outcome
from tests.slurm.lab import Lab

BIN = Path(sys.executable).parent
KIMG = 8.0  # Minutes, of which most are starts of processes.
RULE = """
rule train:
    output: "run/done.json"
    log: "train.log"
    threads: 1
    retries: {retries}
    resources: nodes=2, tasks=4, gpu=4, runtime=30, mem_mb=2000
    params:
        submitit="sid.cluster:Command",
        command="distill --recipe sid.yaml --data digits.zip --teacher teacher --out run"
    shell: "false"
"""


class Training:
    """A Snakemake in a folder of its own, whose one job trains `run`.

    Args:
        lab: where the job runs.
        folder: of Snakefile, inputs and run.
    """

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder, self.out = lab, folder, folder / "run"
        options = ["--executor", "submitit", "--jobs", "1", "--submitit-signal-delay", "20"]
        options += ["--seconds-between-status-checks", "2", "--latency-wait", "20", "--nocolor"]
        self.said = folder / "snakemake.log"
        with self.said.open("a") as log:
            self.process = subprocess.Popen(
                [BIN / "snakemake", *options],
                cwd=folder,
                env=lab.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def job(self) -> str:
        """The id of its job in the queue, or nothing."""
        rows = self.lab.run("squeue", "-h", "-o", "%i %Z").splitlines()
        return next((row.split()[0] for row in rows if row.endswith(str(self.folder))), "")

    def wait_for(self, what: str, condition: Callable[[], object], seconds: float = 180) -> None:
        """Until a condition holds; Snakemake must live."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"no {what}: {self.messages()}"
            assert self.process.poll() is None, f"ended before {what}: {self.messages()}"
            time.sleep(0.2)

    def trains(self) -> None:
        """Wait until its job has gone on from where the run stands now."""
        before = newest(self.out)
        self.wait_for("progress", lambda: newest(self.out) > before)

    def requeued(self, job: str) -> None:
        """Wait until Slurm has put a running job back into the queue."""
        before = self.restarts(job)
        self.wait_for("requeue", lambda: self.restarts(job) > before)

    def restarts(self, job: str) -> int:
        """How often Slurm has started a job again, or is about to."""
        text = self.lab.run("scontrol", "show", "job", job)
        return int(text.partition("Restarts=")[2].split()[0])

    def ends(self, seconds: float = 300) -> int:
        """The exit status of Snakemake."""
        return self.process.wait(seconds)

    def messages(self) -> str:
        """What Snakemake and the tasks said."""
        logs = sorted((self.folder / ".snakemake" / "submitit").glob("*/*.out"))
        return "\n".join(path.read_text()[-3000:] for path in [self.said, *logs])

    def ranks(self) -> dict[int, int]:
        """Process ids of the tasks of its job, by rank."""
        wanted, found = f"SLURM_JOB_ID={self.job()}", {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_text().split("\0")
                values = (path / "environ").read_text().split("\0")
            except OSError:
                continue
            if "submitit.core._submit" in words and wanted in values:
                rank = next(v for v in values if v.startswith("SLURM_PROCID="))
                found[int(rank.partition("=")[2])] = int(path.name)
        return found


@pytest.fixture
def prepared(digits_zip: Path, teacher_run: Path) -> Callable[..., Path]:
    """Writes Snakefile and inputs of a training into a folder."""

    def prepare(folder: Path, kimg: float, retries: int = 2) -> Path:
        folder.mkdir(exist_ok=True)
        recipe = tiny_recipe(batch=8, micro_batch=2, kimg=kimg, dropout=0.1, lr_decay=0.5)
        (folder / "sid.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
        (folder / "Snakefile").write_text(RULE.format(retries=retries))
        (folder / "digits.zip").symlink_to(digits_zip)
        (folder / "teacher").symlink_to(teacher_run)
        return folder

    return prepare


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MB in which a run can begin, but not go on for long."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def alone(folder: Path) -> None:
    """The same training on this machine by as many processes, with nothing in its way."""
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "4", "-m", "sid"]
    words += ["distill", "--recipe", "sid.yaml", "--data", "digits.zip", "--teacher", "teacher"]
    done = subprocess.run(
        [sys.executable, *words, "--out", "run", "--device", "cpu", "--quiet"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_disturbed_in_every_way_it_equals_undisturbed(
    lab: Lab, prepared: Callable[..., Path], tmp_path: Path
) -> None:
    folder, twin = (prepared(tmp_path / name, KIMG) for name in ("disturbed", "undisturbed"))
    training = Training(lab, folder)
    training.trains()
    first = training.job()
    for _ in range(2):  # A job of higher priority takes the nodes.
        at = newest(training.out)
        lab.run("sbatch", "-p", "high", "-N2", "--exclusive", "-o", "/dev/null", "--wrap", "true")
        training.requeued(first)
        assert newest(training.out) > at, "no checkpoint on preemption"
        training.trains()

    lab.run("scontrol", "update", f"JobId={first}", "TimeLimit=1")
    training.requeued(first)
    lab.run("scontrol", "update", f"JobId={first}", "TimeLimit=30")
    training.trains()
    assert "has timed out" in training.messages()

    assert training.job() == first
    training.wait_for("four tasks", lambda: len(training.ranks()) == 4)
    killed = time.monotonic()
    os.kill(training.ranks()[3], signal.SIGKILL)
    training.wait_for("end of the job", lambda: training.job() != first, 30)
    assert time.monotonic() - killed < 30
    training.wait_for("second job", lambda: training.job() not in ("", first))
    training.trains()

    second = training.job()
    lab.run("scancel", second)
    training.wait_for("third job", lambda: training.job() not in ("", second))
    assert training.ends() == 0, training.messages()

    alone(twin)
    assert outcome(training.out) == outcome(twin / "run")
