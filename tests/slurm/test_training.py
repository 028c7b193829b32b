"""A training over two nodes, disturbed in every way that a cluster knows, by a real Slurm.

Its Snakefile has a rule for each leg and goes through the executor plugin, as the workflow's do.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import yaml

from sid.files import read_json
from tests.conftest import tiny_recipe
from tests.processes import newest, outcome
from tests.slurm.lab import Lab

BIN = Path(sys.executable).parent
BATCH = 8
STEPS = 400  # A snapshot is every 20 steps, and it is disturbed after five of them.
ENDS = 1 << signal.SIGTERM - 1 | 1 << signal.SIGUSR2 - 1
STARTED: list[subprocess.Popen[bytes]] = []
LEG = 380  # The updates after which a leg ends, behind all disturbances.
RULE = """
rule train{name}:
    input: {before}
    output: "{out}/{file}"
    log: "train{name}.log"
    threads: 1
    retries: {retries}
    resources: nodes=2, tasks={tasks}, gpu={tasks}, runtime={minutes}, mem_mb=3000
    params:
        submitit="sid.cluster:Command",
        command="distill --recipe sid.yaml --data digits.zip --teacher teacher --out {out} {leg}"
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
        options = ["--executor", "submitit", "--jobs", "1", "--submitit-signal-delay", "60"]
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
        STARTED.append(self.process)

    def job(self) -> str:
        """The id of its job in the queue, or nothing."""
        rows = self.lab.run("squeue", "-h", "-o", "%i %Z").splitlines()
        return next((row.split()[0] for row in rows if row.endswith(str(self.folder))), "")

    def wait_for(self, what: str, condition: Callable[[], object], seconds: float = 300) -> None:
        """Until a condition holds; Snakemake must live, and ranks that got a signal go on."""
        end = time.monotonic() + seconds
        while not condition():
            self.go_on(lambda pid: bool(pending(pid) & ENDS))
            assert time.monotonic() < end, f"no {what}: {self.messages()}"
            assert self.process.poll() is None, f"ended before {what}: {self.messages()}"
            time.sleep(0.2)

    def trains(self) -> None:
        """Let its job go on from where the run stands now, and hold its ranks there.

        They are held until a signal has come, so that neither the machine nor its load decides
        where the next disturbance meets them.
        """
        before = snapshots(self.out)
        self.wait_for("progress", lambda: snapshots(self.out) > before)
        for pid in self.ranks().values():
            os.kill(pid, signal.SIGSTOP)

    def go_on(self, which: Callable[[int], bool] = lambda pid: True) -> None:
        """Let ranks go on that are held."""
        for pid in self.ranks().values():
            with suppress(OSError):  # It may end at any time.
                if which(pid):
                    os.kill(pid, signal.SIGCONT)

    @contextmanager
    def requeued(self, job: str) -> Iterator[None]:
        """Something, and then wait until Slurm has put the running job back into the queue."""
        before = self.restarts(job)
        yield
        self.wait_for("requeue", lambda: self.restarts(job) > before)

    def restarts(self, job: str) -> int:
        """How often Slurm has started a job again, or is about to."""
        text = self.lab.run("scontrol", "show", "job", job)
        return int(text.partition("Restarts=")[2].split()[0])

    def ends(self, seconds: float = 300) -> int:
        """The exit status of Snakemake."""
        return self.process.wait(seconds)

    def messages(self, job: str = "") -> str:
        """What Snakemake and the tasks said, or the tasks of one job."""
        logs = sorted((self.folder / ".snakemake" / "submitit").glob(f"*/{job}*.out"))
        return "\n".join(path.read_text() for path in [self.said, *logs])

    def ranks(self) -> dict[int, int]:
        """Process ids of the tasks of its job, by rank."""
        wanted, found = f"SLURM_JOB_ID={self.job()}", {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                words = (path / "cmdline").read_text().split("\0")
                values = (path / "environ").read_text().split("\0")
            except OSError:
                continue
            # The command line of `srun` holds that of its tasks.
            if words[1:4] == ["-u", "-m", "submitit.core._submit"] and wanted in values:
                rank = next(v for v in values if v.startswith("SLURM_PROCID="))
                found[int(rank.partition("=")[2])] = int(path.name)
        return found


def pending(pid: int) -> int:
    """The signals that have come to a process and wait until it goes on, as a mask."""
    status = dict(
        line.split(":\t") for line in Path(f"/proc/{pid}/status").read_text().splitlines()
    )
    return int(status["SigPnd"], 16) | int(status["ShdPnd"], 16)


def snapshots(out: Path) -> int:
    """How many snapshots a run has."""
    return len(list((out / "snapshots").glob("[0-9]*.safetensors")))


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    """A test that fails leaves no Snakemake behind."""
    yield
    while STARTED:
        process = STARTED.pop()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture
def prepared(digits_zip: Path, teacher_run: Path) -> Callable[..., Path]:
    """Writes Snakefile and inputs of a training into a folder."""

    def prepare(
        folder: Path,
        kimg: float,
        retries: int = 2,
        tasks: int = 4,
        out: object = "run",
        minutes: int = 30,
        leg: int = 0,
    ) -> Path:
        folder.mkdir(exist_ok=True)
        recipe = tiny_recipe(batch=BATCH, micro_batch=2, kimg=kimg, dropout=0.1, every_kimg=0.16)
        (folder / "sid.yaml").write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
        asked = {"retries": retries, "tasks": tasks, "out": out, "minutes": minutes}
        file = f"legs/{leg:012d}.json"
        before = f"{str(out) + '/' + file!r}" if leg else ""
        rules = RULE.format(name="", before=before, file="done.json", leg="", **asked)
        if leg:
            rules += RULE.format(name="_leg", before="", file=file, leg=f"--leg {leg}", **asked)
        (folder / "Snakefile").write_text(rules)
        (folder / "digits.zip").symlink_to(digits_zip)
        (folder / "teacher").symlink_to(teacher_run)
        return folder

    return prepare


class Alone:
    """The same training on this machine by as many processes, with nothing in its way."""

    def __init__(self, folder: Path) -> None:
        words = ["nice", sys.executable, "-m", "torch.distributed.run", "--standalone"]
        words += ["--nproc-per-node", "4", "-m", "sid", "distill", "--recipe", "sid.yaml"]
        words += ["--data", "digits.zip", "--teacher", "teacher", "--out", "run", "--quiet"]
        self.folder = folder
        with (folder / "alone.log").open("w") as log:
            self.process = subprocess.Popen(words, cwd=folder, stdout=log, stderr=log)
        STARTED.append(self.process)

    def ends(self) -> Path:
        """The run's folder, once it is done."""
        assert self.process.wait(600) == 0, (self.folder / "alone.log").read_text()
        return self.folder / "run"


@pytest.mark.slow
def test_disturbed_in_every_way_it_equals_undisturbed(
    lab: Lab, prepared: Callable[..., Path], tmp_path: Path
) -> None:
    folder, twin = (
        prepared(tmp_path / name, STEPS * BATCH / 1000, minutes=minutes, leg=leg)
        for name, minutes, leg in (("disturbed", 2, LEG * BATCH), ("undisturbed", 30, 0))
    )
    training = Training(lab, folder)
    undisturbed = Alone(twin)
    training.trains()
    first = training.job()
    with training.requeued(first):  # Its time is over.
        at = newest(training.out)
    assert newest(training.out) > at, "no checkpoint at the time limit"
    training.trains()

    lab.run("scontrol", "update", f"JobId={first}", "TimeLimit=30")
    for _ in range(2):  # A job of higher priority takes the nodes.
        at = newest(training.out)
        with training.requeued(first):
            lab.run("sbatch", "-phigh", "-N2", "--exclusive", "-o", "/dev/null", "--wrap", "true")
        assert newest(training.out) > at, "no checkpoint on preemption"
        training.trains()
    assert training.messages(first).count("told to end; checkpoint at") == 3

    assert training.job() == first
    training.wait_for("four tasks", lambda: len(training.ranks()) == 4)
    os.kill(training.ranks()[3], signal.SIGKILL)
    training.go_on()
    training.wait_for("end of the job", lambda: training.job() != first)
    training.wait_for("second job", lambda: training.job() not in ("", first))
    training.trains()

    second = training.job()
    lab.run("scancel", second)
    training.wait_for("third job", lambda: training.job() not in ("", second))
    assert training.ends() == 0, training.messages()

    assert outcome(training.out) == outcome(undisturbed.ends())
    assert read_json(training.out / "legs" / f"{LEG * BATCH:012d}.json")["images"] == LEG * BATCH


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with room for some snapshots, and not for the checkpoints."""
    path = tmp_path / "disk"
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(path)], check=True)
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_bad_disk_is_one_clear_error_and_loses_nothing(
    lab: Lab, prepared: Callable[..., Path], tmp_path: Path, small_disk: Path
) -> None:
    out = small_disk / "run"
    out.mkdir()
    folder = prepared(tmp_path / "job", 20 * BATCH / 1000, retries=0, out=out)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    training = Training(lab, folder)
    assert training.ends() == 1
    assert f"Read-only file system: '{out}'" in training.messages()  # Snakemake's own words.
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    training = Training(lab, folder)
    assert training.ends() == 1
    error = "the disk is full; free some space and run the same command again"
    assert error in training.said.read_text()
    assert f"error: {out}" in (folder / "train.log").read_text()
    assert not list(out.glob("**/.*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=50m", str(small_disk)], check=True)
    training = Training(lab, folder)
    assert training.ends() == 0, training.messages()
    assert (out / "done.json").exists()


def test_two_jobs_of_one_run_take_turns(
    lab: Lab, prepared: Callable[..., Path], tmp_path: Path
) -> None:
    first, second = (
        Training(lab, prepared(tmp_path / name, 400 * BATCH / 1000, tasks=2, out=tmp_path / "run"))
        for name in ("first", "second")
    )
    assert [first.ends(), second.ends()] == [0, 0], first.messages() + second.messages()
    waited = [one for one in (first, second) if "which trains this run" in one.messages()]
    assert len(waited) == 1
