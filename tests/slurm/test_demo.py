"""The digits demo, reduced, through the executor and on this machine: the same tables.

On the cluster it is trained in legs, and two processes measure each group of snapshots meanwhile;
here one process does one thing after the other.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from tests.slurm.lab import Lab
from tests.workflow.conftest import copy_checkout

REDUCED = {
    "recipes": [f"config/recipes/digits/{name}.yaml" for name in ("sid", "sid2a")],
    "budget": 0.1,
    "evaluation": {"n_curve": 1000, "n_final": 1000, "draws": 2},
}
LEGS = {
    "leg_kimg": 2,
    "evaluation": {**REDUCED["evaluation"], "group": 2},
    "cluster": {"evaluate": {"tasks": 2, "nodes": 2}},
}
CHANGING = ["seconds", "git"]  # The code may be edited between the two.


def run(
    top: Path, config: dict[str, Any], *words: str, environment: dict[str, str] | None = None
) -> Path:
    """The workflow in a checkout of its own."""
    if not top.exists():
        copy_checkout(top)
    (top / "reduced.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "snakemake", *words, "--configfile", "reduced.yaml"]
    with (top / "log").open("w") as log:
        done = subprocess.run(
            command, cwd=top, env=environment or dict(os.environ), stdout=log, stderr=log
        )
    assert done.returncode == 0, (top / "log").read_text()[-6000:]
    return top


@pytest.mark.slow
def test_a_cluster_gives_the_tables_of_this_machine(lab: Lab, tmp_path: Path) -> None:
    cluster = ["--executor", "submitit", "--jobs", "4", "--latency-wait", "30"]
    legs = {**REDUCED, **LEGS}
    first = "results/evaluate/sid/seed0/000000000000-000000000512.json"
    there = run(tmp_path / "there", legs, *cluster, first, environment=lab.environment)
    run(there, legs, "--cores", "1", "page", environment=lab.environment)
    page = (there / "reports/now/index.html").read_text()
    assert "not yet" in page
    assert "of 4.1 kimg" in page
    run(there, legs, *cluster, environment=lab.environment)
    here = run(tmp_path / "here", REDUCED, "--cores", "2", environment=lab.environment)
    records = [
        pd.read_csv(top / "results/records.csv").drop(columns=CHANGING) for top in (there, here)
    ]
    pd.testing.assert_frame_equal(*records, check_exact=True)
    assert len(records[0]) > 100
    for name in ("results/verdict/verdicts.csv", "reports/tables/main.csv"):
        assert (there / name).read_bytes() == (here / name).read_bytes()
    for weights in sorted(here.glob("results/distill/*/seed0/snapshots/*")):
        assert (there / weights.relative_to(here)).read_bytes() == weights.read_bytes()
    ran = jobs(lab)
    training = [times for name, times in ran if name.startswith("distill")]
    measuring = [times for name, times in ran if name.startswith("evaluate_snapshots")]
    assert len(training) >= 8
    assert len(measuring) >= 6
    assert any(overlap(one, other) for one in training for other in measuring)


def jobs(lab: Lab) -> list[tuple[str, tuple[str, str]]]:
    """Name, start and end of each job, by the accounting; all are completed."""
    rows = lab.run("sacct", "-n", "-X", "-P", "-o", "JobName%60,State,Start,End").splitlines()
    found = [row.split("|") for row in rows]
    return [(name, (start, end)) for name, state, start, end in found if state == "COMPLETED"]


def overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether two spans of time have a second in common; as text they sort by time."""
    return one[0] < other[1] and other[0] < one[1]
