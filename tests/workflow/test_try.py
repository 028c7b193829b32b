"""`--config try=true`: every kind of job of an experiment, small, in folders of its own."""

from pathlib import Path

import pytest

from tests.workflow.test_workflow import counts_of, run

DRY = ("snakemake", "-n", "--quiet", "rules", "--config")


@pytest.mark.parametrize("name", ["cifar10", "demo"])
def test_every_kind_of_job_of_the_real_run(checkout: Path, name: str) -> None:
    found = []
    for small in ("false", "true"):
        done = run(*DRY, f"experiment={name}", f"try={small}", cwd=checkout)
        assert done.returncode == 0, done.stderr
        found.append(counts_of(done))
    real, tried = found
    assert tried.keys() == real.keys()
    assert tried["total"] <= real["total"]
    if name == "cifar10":
        assert min(tried["distill_leg"], tried["evaluate_snapshots"]) >= 2
        assert tried["distill"] == real["distill"] == 5


def test_the_end_says_what_was_tried_and_what_the_real_run_asks_for(checkout: Path) -> None:
    """The data set is made where the real run finds it; of the demo nobody asks GPU-hours."""
    words = ("snakemake", "--cores", "1", "--config", "try=true", "--", "results/data/digits.zip")
    done = run(*words, cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert (checkout / "results/data/digits.zip").exists()
    lines = [line for line in done.stderr.splitlines() if line.startswith(("Tried", "The real"))]
    assert lines[0] == "Tried on local: 1 data"
    assert lines[1].startswith("The real run asks for 5 trainings of 1 task")
    assert "and 7 evaluations of 1 task" in lines[1]
    again = run(*words, cwd=checkout)
    assert "Tried" not in again.stderr
