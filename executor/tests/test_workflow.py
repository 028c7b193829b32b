"""Whole workflows on the local cluster."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from executor_helpers import command, snakemake

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
"""


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A folder with the workflow."""
    folder = tmp_path / "a toy"
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "calls.py").write_text(CALLS)
    (folder / "word.yaml").write_text("word: file\n")
    return folder


@pytest.mark.parametrize("config", [("--config", "word=line"), ("--configfile", "word.yaml")])
def test_rule_and_callable(toy: Path, config: tuple[str, str]) -> None:
    status, said = snakemake(toy, "both", *config)
    assert status == 0, said
    word = "line" if config[0] == "--config" else "file"
    told = (word, {"values": [1, {"two": 2}]}, 2, 2, True)
    assert (toy / "both").read_text() == repr(told)


def test_missing_callable_is_named(toy: Path) -> None:
    status, said = snakemake(toy, "bad", "--config", "word=x")
    assert status == 1
    assert "module 'calls' has no attribute 'Missing'" in said
    assert not (toy / "bad").exists()


def test_what_cannot_be_sent_stops_nothing_else(toy: Path) -> None:
    wrong = ["lock", "part", "named-a,b", "named-run'"]
    right = ["text", "named-run", "named-it's $HOME", "named-a\\b"]
    words = ["--keep-going", "--quiet", "rules", "reason", "--config", "word=x"]
    status, said = snakemake(toy, *wrong, *right, *words)
    assert status == 1
    assert (toy / "text").read_text() == "x\n"
    assert all((toy / name).exists() for name in right)
    assert "Traceback" not in said
    assert "Error in rule lock: Not submitted: TypeError: cannot pickle" in said
    assert "Error in rule part: Not submitted: nodes > 1 needs a callable" in said
    for name in ("a,b", "run'"):
        assert f"Not submitted: rule named: wildcard name={name}: the Snakemake on the" in said
    assert not [path for name in wrong if (path := toy / name).exists()]


def start(folder: Path) -> "subprocess.Popen[str]":
    words = ["long", "--nolock", "--rerun-incomplete", "--config", "word=x"]
    return subprocess.Popen(
        # Under `nohup` the tests would hand down that SIGHUP is ignored.
        ["env", "--default-signal=HUP", *command(*words)],
        cwd=folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
def test_closed_terminal_ends_no_job(toy: Path, number: signal.Signals) -> None:
    first = start(toy)
    while not (toy / "ran").exists():
        assert first.poll() is None
        time.sleep(0.1)
    os.killpg(first.pid, number)
    first.wait()
    second = start(toy)
    assert second.stderr is not None
    said = ""
    while "goes on: running" not in said:
        line = second.stderr.readline()
        assert line, said
        said += line
    (toy / "end").touch()
    said += second.communicate()[1]
    assert second.returncode == 0, said
    assert (toy / "ran").read_text() == "begun\n"
