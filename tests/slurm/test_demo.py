"""The digits demo, reduced, through the executor and on this machine: the same tables."""

import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

from tests.slurm.lab import Lab
from tests.workflow.conftest import copy_checkout

REDUCED = {
    "recipes": [f"config/recipes/digits/{name}.yaml" for name in ("sid", "sid2a")],
    "budget": 0.02,
    "evaluation": {"n_curve": 1000, "n_final": 1000, "draws": 2},
}
CHANGING = ["seconds", "git"]  # The code may be edited between the two.


def run(top: Path, *words: str, environment: dict[str, str] | None = None) -> Path:
    """The workflow in a checkout of its own."""
    copy_checkout(top)
    (top / "reduced.yaml").write_text(yaml.safe_dump(REDUCED))
    command = [sys.executable, "-m", "snakemake", *words, "--configfile", "reduced.yaml"]
    with (top / "log").open("w") as log:
        done = subprocess.run(
            command, cwd=top, env=environment or dict(os.environ), stdout=log, stderr=log
        )
    assert done.returncode == 0, (top / "log").read_text()[-6000:]
    return top


def test_a_cluster_gives_the_tables_of_this_machine(lab: Lab, tmp_path: Path) -> None:
    cluster = ["--executor", "submitit", "--jobs", "4", "--latency-wait", "30"]
    there = run(tmp_path / "there", *cluster, environment=lab.environment)
    here = run(tmp_path / "here", "--cores", "2", environment=lab.environment)
    records = [
        pd.read_csv(top / "results/records.csv").drop(columns=CHANGING) for top in (there, here)
    ]
    pd.testing.assert_frame_equal(*records, check_exact=True)
    assert len(records[0]) > 100
    for name in ("results/verdict/verdicts.csv", "reports/tables/main.csv"):
        assert (there / name).read_bytes() == (here / name).read_bytes()
    for weights in sorted(here.glob("results/distill/*/seed0/snapshots/*")):
        assert (there / weights.relative_to(here)).read_bytes() == weights.read_bytes()
    ran = lab.run("sacct", "-n", "-X", "-o", "JobName%60,State")
    assert ran.count("COMPLETED") >= 10
