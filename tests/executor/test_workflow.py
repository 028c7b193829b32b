"""Whole workflows on the clusters that need no Slurm."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SNAKEFILE = """
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


def run(folder: Path, cluster: str, *words: str) -> "subprocess.CompletedProcess[str]":
    folder.mkdir()
    (folder / "Snakefile").write_text(SNAKEFILE)
    (folder / "calls.py").write_text(CALLS)
    (folder / "word.yaml").write_text("word: file\n")
    executor = ["--executor", "submitit", "--jobs", "2", "--submitit-cluster", cluster]
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *words, *executor],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("cluster", "tasks"), [("local", 2), ("debug", 1)])
@pytest.mark.parametrize("config", [("--config", "word=line"), ("--configfile", "word.yaml")])
def test_rule_and_callable(
    tmp_path: Path, cluster: str, tasks: int, config: tuple[str, str]
) -> None:
    done = run(tmp_path / "a folder", cluster, "both", *config)
    assert done.returncode == 0, done.stderr
    word = "line" if config[0] == "--config" else "file"
    told = (word, {"values": [1, {"two": 2}]}, 2, tasks, True)
    assert (tmp_path / "a folder" / "both").read_text() == repr(told)


@pytest.mark.parametrize("cluster", ["local", "debug"])
def test_missing_callable_is_named(tmp_path: Path, cluster: str) -> None:
    done = run(tmp_path / "toy", cluster, "bad", "--config", "word=x")
    assert done.returncode == 1
    assert "module 'calls' has no attribute 'Missing'" in done.stderr
    assert not (tmp_path / "toy" / "bad").exists()
