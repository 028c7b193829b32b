"""A small workflow without torch, and ways to run it, to kill it and to count what ran."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tests.slurm.lab import HEEDING, Lab

STARTED: list["subprocess.Popen[str]"] = []  # killed after each test
DYING = Path(__file__).with_name("dying.py")

SNAKEFILE = """
N, SECONDS, LEVELS = (int(config[name]) for name in ("chains", "seconds", "levels"))


rule all:
    input:
        expand("level{level}/{n}.txt", level=LEVELS, n=range(N)),


# Each start is a line of `ran`; a line is appended whole.
rule first:
    output:
        "level1/{n}.txt",
    log:
        "logs/first-{n}.log",
    resources:
        mem_mb=200,
        runtime=10,
    shell:
        "echo first-{wildcards.n} >> ran; test -e quick || sleep {SECONDS}; echo half > {output};"
        " sleep 0.5; echo {wildcards.n} whole > {output}"


rule then:
    input:
        lambda wildcards: f"level{int(wildcards.level) - 1}/{wildcards.n}.txt",
    output:
        "level{level}/{n}.txt",
    wildcard_constraints:
        level="[2-9]",
    resources:
        mem_mb=200,
        runtime=10,
    shell:
        "grep -q whole {input}; echo then{wildcards.level}-{wildcards.n} >> ran;"
        " sleep {SECONDS}; cp {input} {output}"


rule parallel:
    input:
        data="level1/0.txt",
    output:
        "parallel.txt",
    params:
        submitit="calls:Parallel",
        mode=config.get("mode", "run"),
    resources:
        nodes=2,
        tasks=4,
        mem_mb=200,
        runtime=10,
    shell:
        "false"


rule on_gpu:
    output:
        "gpu.txt",
    resources:
        mem_mb=200,
        gpu=1,
        cpus_per_gpu=3,
    shell:
        "echo $SLURM_CPUS_PER_TASK $CUDA_VISIBLE_DEVICES > {output}"


rule fails:
    output:
        "fails.txt",
    log:
        "logs/fails.log",
    resources:
        mem_mb=200,
    shell:
        "echo begun > {output}; echo this went wrong > {log}; exit 3"
"""

CALLS = '''
import os
import signal
import time
from pathlib import Path

import submitit


def append(line):
    with open("ran", "a") as handle:
        handle.write(line + "\\n")


class Parallel:
    """Counts to 10 in half seconds, goes on where its checkpoint was; rank 0 writes the output."""

    def __init__(self, job):
        self.job = job
        self.rank = submitit.JobEnvironment().global_rank
        self.state = Path(f"state-{self.rank}")
        self.step = int(self.state.read_text()) if self.state.exists() else 0
        append(f"rank{self.rank}-from-{self.step}")

    def __call__(self):
        mode = self.job.params["mode"]
        while mode in ("raise", "kill") and Path("ran").read_text().count("rank") < 4:
            time.sleep(0.1)  # A rank that died before the others began would end them unseen.
        first = Path("ran").read_text().count(f"rank{self.rank}-") == 1
        if mode == "lost" and self.rank and first:
            while not Path("state-0").exists():
                time.sleep(0.05)
            raise ValueError("rank zero is gone")
        if mode == "raise" and self.rank == 3:
            raise ValueError("rank three cannot")
        if mode == "kill" and self.rank == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        while self.step < 10 or mode in ("raise", "kill"):
            self.step += 1
            time.sleep(0.5)
        if self.rank == 0:
            environment = submitit.JobEnvironment()
            text = Path(self.job.input["data"]).read_text()
            Path(self.job.output[0]).write_text(
                f"{environment.num_nodes} {environment.num_tasks} {text}"
            )

    def checkpoint(self):
        self.state.write_text(str(self.step))
        if self.job.params["mode"] == "lost" and self.rank == 0:
            time.sleep(2)
'''


class Toy:
    """The workflow in a folder with a space in its name.

    Args:
        folder: to be made.
        lab: where jobs run; None for the local cluster.
        chains: how many.
        seconds: how long each job takes.
        levels: how many jobs a chain has.
    """

    def __init__(
        self, folder: Path, lab: Lab | None, chains: int = 4, seconds: int = 1, levels: int = 1
    ) -> None:
        self.folder, self.lab = folder / "a toy", lab
        self.config = {"chains": chains, "seconds": seconds, "levels": levels}
        self.folder.mkdir(parents=True)
        (self.folder / "Snakefile").write_text(SNAKEFILE)
        (self.folder / "calls.py").write_text(CALLS)

    def words(self, *arguments: str, **config: object) -> list[str]:
        """The command line of Snakemake, without Python."""
        values = {**self.config, **config}
        return [
            *arguments,
            *("--executor", "submitit", "--jobs", "20", "--rerun-incomplete"),
            *("--submitit-cluster", "slurm" if self.lab else "local"),
            *("--seconds-between-status-checks", "2", "--latency-wait", "5"),
            *("--config", *(f"{name}={value}" for name, value in values.items())),
        ]

    def start(
        self, *arguments: str, program: tuple[str, ...] = ("-m", "snakemake"), **config: object
    ) -> "subprocess.Popen[str]":
        """Snakemake, in a process group of its own; its words go to the file `said`."""
        with (self.folder / "said").open("a") as said:
            self.last = subprocess.Popen(
                [*HEEDING, sys.executable, *program, *self.words(*arguments, **config)],
                cwd=self.folder,
                env=self.lab.environment if self.lab else Lab(self.folder).environment,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        STARTED.append(self.last)
        return self.last

    def run(self, *arguments: str, **config: object) -> int:
        """Its exit status."""
        return self.start(*arguments, **config).wait(240)

    def die(self, moment: str, *arguments: str) -> None:
        """Run a Snakemake that is killed at a moment of its second submission."""
        program = (str(DYING), moment)
        assert self.start("--nolock", *arguments, program=program).wait(120) == -9, self.said()

    def said(self) -> str:
        """What all Snakemakes printed."""
        return (self.folder / "said").read_text()

    def ran(self) -> Counter[str]:
        """How often each job was begun."""
        path = self.folder / "ran"
        return Counter(path.read_text().split() if path.exists() else [])

    def wait_for(self, what: Callable[[], object], seconds: float = 300) -> None:
        """Until `what` is true."""
        end = time.monotonic() + seconds
        begun = self.last.poll() is None
        while not what():
            late = time.monotonic() > end or (begun and self.last.poll() is not None)
            assert not late, f"waited in vain\n{self.said()}"
            time.sleep(0.1)

    def submissions(self, expected: int) -> int:
        """How many jobs were ever submitted from the folder, by the accounting, which may lag."""
        assert self.lab is not None
        for _ in range(40):
            rows = self.lab.run("sacct", "-X", "-n", "-P", "-o", "JobID,WorkDir").splitlines()
            count = sum(row.endswith(f"|{self.folder}") for row in rows)
            if count >= expected:
                break
            time.sleep(0.5)
        return count

    def queued(self) -> dict[str, str]:
        """State by id of the jobs of the folder that are waiting or running."""
        assert self.lab is not None
        rows = self.lab.run("squeue", "-h", "-o", "%A|%T|%Z").splitlines()
        mine = [row.split("|") for row in rows if row.endswith(f"|{self.folder}")]
        return {number: state for number, state, _ in mine}


def whole(toy: Toy) -> bool:
    """Whether each output of the last level is there as it should be."""
    levels, count = toy.config["levels"], toy.config["chains"]
    paths = [toy.folder / f"level{levels}" / f"{n}.txt" for n in range(count)]
    return all(path.read_text() == f"{n} whole\n" for n, path in enumerate(paths))


def once(toy: Toy) -> Counter[str]:
    """What `ran` counts when every job of every chain ran once."""
    names = ["first", *(f"then{level}" for level in range(2, toy.config["levels"] + 1))]
    return Counter(f"{name}-{n}" for name in names for n in range(toy.config["chains"]))


def killed(process: "subprocess.Popen[str]") -> None:
    """Kill Snakemake alone: what it started lives on."""
    os.kill(process.pid, 9)
    process.wait()
