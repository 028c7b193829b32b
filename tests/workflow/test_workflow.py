"""The workflow: clean by Snakemake's own tools, complete, and quick to say what is wrong."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from sid.experiment import load_experiment
from tests.commands import Done, snakemake

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(sys.executable).parent


def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """A program of this environment, which finds the others of it."""
    path = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"}
    command = [str(BIN / words[0]), *words[1:]]
    return subprocess.run(command, cwd=cwd, env=path, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("budget", "runs"), [("config/budget/short.yaml", 5), ("config/budget/long.yaml", 15)]
)
def test_dry_run_is_the_whole_line(checkout: Path, budget: str, runs: int) -> None:
    words = ("--cores", "2", "--quiet", "rules", "--configfile", budget)
    done = snakemake("-n", *words, cwd=checkout)
    assert done.returncode == 0, done.stderr
    counts = counts_of(done)
    assert counts["distill"] == counts["evaluate_run"] == runs
    for rule in ("data", "teacher", "extractor", "records", "verdict", "report"):
        assert counts[rule] == 1


def counts_of(done: Done) -> dict[str, int]:
    return {
        words[0]: int(words[1])
        for line in (done.stdout + done.stderr).splitlines()
        if len(words := line.split()) == 2 and words[1].isdigit()
    }


@pytest.mark.slow
def test_all_that_is_published_is_one_graph_of_few_jobs(checkout: Path) -> None:
    """Jobs grow with the legs of a run, not with its snapshots."""
    words = ("--snakefile", "workflow/published.smk", "-n", "--quiet", "rules")
    done = snakemake(*words, "--config", "seeds=[0,1,2]", cwd=checkout)
    assert done.returncode == 0, done.stderr
    counts = counts_of(done)
    assert sum(n for rule, n in counts.items() if rule.endswith("_distill")) == 96
    assert counts["total"] < 5000


def test_snapshots_are_measured_in_groups_while_the_next_leg_trains(checkout: Path) -> None:
    """Each waits for its leg alone; together with the evaluation of the run they leave none out."""
    asked = (
        "leg_kimg=10",
        "evaluation={group: 2, curve: clean-fid}",
        "cluster={evaluate: {tasks: 2}}",
    )
    words = ("-n", "--printshellcmds", "--config", *asked, "--", "results/evaluate/sid/seed0.json")
    done = snakemake(*words, cwd=checkout)
    assert done.returncode == 0, done.stderr
    told = done.stdout + done.stderr
    whole = re.findall(r"rule evaluate_run:\n    input: (.*)\n", told)
    groups = re.findall(
        r"rule evaluate_snapshots:\n    input: .* results/distill/sid/seed0/legs/(\d+)\.json\n"
        r"    output: (results/evaluate/sid/seed0/(\d+)-(\d+)\.json)\n",
        told,
    )
    legs = load_experiment("demo", ROOT / "config").recipes["sid"].leg_ends(10.0)
    times = load_experiment("demo", ROOT / "config").recipes["sid"].times()
    begun = 0
    for leg, output, first, last in sorted(groups, key=lambda group: int(group[2])):
        assert output in whole[0]
        assert int(first) == begun
        assert 1 <= sum(int(first) <= time <= int(last) for time in times) <= 2
        assert int(leg) == min(end for end in legs if end >= int(last))
        begun = int(last) + 1
    assert len(groups) > len(legs) - 1 > 1  # Some legs have several.
    assert 1 <= sum(time >= begun for time in times) <= 2
    commands = re.findall(r"sid (evaluate (?:run|snapshots) .*)", told)
    assert all("--curve=clean-fid" in command for command in commands)
    assert len(commands) == len(groups) + 1


def test_classes_as_often_as_in_the_data_where_they_differ(checkout: Path) -> None:
    wanted = "results/imagenet64/evaluate/teacher.json"
    words = ("-n", "--printshellcmds", "--config", "experiment=imagenet64", "--", wanted)
    done = snakemake(*words, cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert "--frequencies=results/imagenet64/data/imagenet-64x64.zip" in done.stdout + done.stderr


def test_missing_source_is_named_with_the_mend(checkout: Path) -> None:
    zip_ = "results/cifar10/data/cifar10-32x32.zip"
    chosen = ["--config", "experiment=cifar10", "source=my data"]
    done = run("snakemake", "--cores", "1", *chosen, "--", zip_, cwd=checkout)
    assert done.returncode
    assert "error: my data: not there; get the files as docs/data.md says" in done.stderr
    assert "--config source=PATH" in done.stderr


def test_bad_configuration_is_one_line(checkout: Path) -> None:
    done = snakemake("-n", "--config", "buget=1", cwd=checkout)
    assert done.returncode == 2
    (error,) = (line for line in done.stderr.splitlines() if "rror" in line)
    assert error.startswith("error: configuration: buget: unknown key; did you mean budget?")


def test_unknown_budget(checkout: Path) -> None:
    done = run("python", "workflow/launch.py", "huge", cwd=checkout)
    assert done.returncode == 2
    assert "BUDGET=huge: unknown; known are demo, long, short, try" in done.stderr


def test_read_only_checkout_is_one_line(checkout: Path) -> None:
    mount = ["mount", "--bind", str(checkout), str(checkout)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting needs root")
    try:
        remount = ["mount", "-o", "remount,bind,ro", str(checkout)]
        subprocess.run(remount, check=True)
        done = run("python", "workflow/launch.py", "short", cwd=checkout)
    finally:
        subprocess.run(["umount", str(checkout)], check=True)
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: .snakemake: the file system is read-only; give a folder that can be written"
    ]
