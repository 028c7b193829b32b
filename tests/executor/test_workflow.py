"""Whole workflows on the clusters that need no Slurm."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SNAKEFILE = """
import threading


rule both:
    input:
        text="text",
    output:
        "both",
    params:
        submitit="calls:Both",
        values=[1, {"two": 2}],
    threads: 2
    resources:
        tasks=2,
    shell:
        "false"


rule text:
    output:
        "text",
    shell:
        "echo {config[word]} > {output}"


rule bad:
    output:
        "bad",
    params:
        submitit="calls:Missing",
    shell:
        "false"


rule leaves:
    output:
        "leaves",
    params:
        submitit="calls:Leaves",
    shell:
        "false"


rule lock:
    output:
        "lock",
    params:
        submitit="calls:Both",
        lock=lambda wildcards: threading.Lock(),
    shell:
        "false"


rule part:
    output:
        "part",
    resources:
        nodes=2,
    shell:
        "touch {output}"


rule named:
    output:
        "named-{name}",
    shell:
        "touch {output:q}"


rule long:
    output:
        "long",
    shell:
        "echo begun >> ran; until [ -e end ]; do sleep 0.2; done; touch {output}"
"""
CALLS = """
import sys
from pathlib import Path

import submitit


class Both:
    def __init__(self, job):
        self.job = job

    def __call__(self):
        light = "torch" not in sys.modules and "sid" not in sys.modules
        environment = submitit.JobEnvironment()
        if environment.global_rank == 0:
            text = Path(self.job.input["text"]).read_text().strip()
            told = (text, self.job.params, self.job.threads, environment.num_tasks, light)
            Path(self.job.output[0]).write_text(repr(told))


class Leaves:
    def __init__(self, job):
        sys.exit(0)
"""


def start(folder: Path, cluster: str, *words: str) -> "subprocess.Popen[str]":
    folder.mkdir(exist_ok=True)
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "calls.py").write_text(CALLS)
    (folder / "word.yaml").write_text("word: file\n")
    executor = ["--executor", "submitit", "--jobs", "2", "--submitit-cluster", cluster]
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", *words, *executor],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def run(folder: Path, cluster: str, *words: str) -> tuple[int, str]:
    """The exit status of Snakemake, and what it said."""
    process = start(folder, cluster, *words)
    said = process.communicate()[1]
    return process.returncode, said


@pytest.mark.parametrize(("cluster", "tasks"), [("local", 2), ("debug", 1)])
@pytest.mark.parametrize("config", [("--config", "word=line"), ("--configfile", "word.yaml")])
def test_rule_and_callable(
    tmp_path: Path, cluster: str, tasks: int, config: tuple[str, str]
) -> None:
    status, said = run(tmp_path / "a folder", cluster, "both", *config)
    assert status == 0, said
    word = "line" if config[0] == "--config" else "file"
    told = (word, {"values": [1, {"two": 2}]}, 2, tasks, True)
    assert (tmp_path / "a folder" / "both").read_text() == repr(told)


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_missing_callable_is_named(tmp_path: Path, cluster: str) -> None:
    status, said = run(tmp_path / "toy", cluster, "bad", "--config", "word=x")
    assert status == 1
    assert "module 'calls' has no attribute 'Missing'" in said
    assert not (tmp_path / "toy" / "bad").exists()


def test_what_cannot_be_sent_stops_nothing_else(tmp_path: Path) -> None:
    wrong = ["lock", "part", "named-a,b", "named-run'"]
    right = ["text", "named-run", "named-it's $HOME", "named-a\\b"]
    words = ["--keep-going", "--quiet", "rules", "reason", "--config", "word=x"]
    status, said = run(tmp_path / "toy", "local", *wrong, *right, *words)
    assert status == 1
    assert (tmp_path / "toy" / "text").read_text() == "x\n"
    assert all((tmp_path / "toy" / name).exists() for name in right)
    assert "Traceback" not in said
    assert "Error in rule lock: Not submitted: TypeError: cannot pickle" in said
    assert "Error in rule part: Not submitted: nodes > 1 needs a callable" in said
    for name in ("a,b", "run'"):
        assert f"Not submitted: rule named: wildcard name={name}: the Snakemake on the" in said
    assert not [path for name in wrong if (path := tmp_path / "toy" / name).exists()]


@pytest.mark.parametrize("wrong", ["leaves", "part"])
def test_debug_cluster_refuses_what_others_do(tmp_path: Path, wrong: str) -> None:
    words = [wrong, "text", "--keep-going", "--config", "word=x"]
    status, said = run(tmp_path / "toy", "debug", *words)
    assert status == 1
    assert f"Error in rule {wrong}" in said
    assert (tmp_path / "toy" / "text").exists()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_closed_terminal_ends_no_job(tmp_path: Path, number: signal.Signals) -> None:
    words = [tmp_path / "toy", "local", "long", "--nolock", "--rerun-incomplete"]
    first = start(*words, "--config", "word=x")
    ran = tmp_path / "toy" / "ran"
    while not ran.exists():
        assert first.poll() is None
        time.sleep(0.1)
    os.killpg(first.pid, number)
    first.wait()
    second = start(*words, "--config", "word=x")
    assert second.stderr is not None
    said = ""
    while "goes on: running" not in said:
        line = second.stderr.readline()
        assert line, said
        said += line
    (tmp_path / "toy" / "end").touch()
    said += second.communicate()[1]
    assert second.returncode == 0, said
    assert ran.read_text() == "begun\n"
