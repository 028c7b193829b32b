"""`snakemake verify`: published checkpoints, a job each, then one table, verdict and page."""

from pathlib import Path

from tests.commands import snakemake
from tests.workflow.test_workflow import counts_of

DRY = ("verify", "-n", "--quiet", "rules", "--config")
TWO = "cifar10-uncond-sid-alpha1.2,edm-cifar10-32x32-uncond-vp/fid"


def test_one_job_a_checkpoint(checkout: Path) -> None:
    done = snakemake(*DRY, f"verify={TWO}", "experiment=cifar10", cwd=checkout)
    assert done.returncode == 0, done.stderr
    counts = counts_of(done)
    assert counts.pop("total") == 6
    assert counts == {
        "verify_checkpoint": 2,
        **dict.fromkeys(("verify_records", "verify_verdict", "verify_report", "verify"), 1),
    }


def test_every_checkpoint_where_none_is_named(checkout: Path) -> None:
    """An experiment's `claims` are about its own verdict, and say nothing here."""
    named = "claims=[cifar10-uncond-sid-alpha1.2/retrained-fid]"
    done = snakemake(*DRY, named, "experiment=cifar10", cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert counts_of(done)["verify_checkpoint"] > 20


def test_a_wrong_name_is_one_line(checkout: Path) -> None:
    done = snakemake(*DRY, "verify=cifar10-uncond-sid-alpha1.3", cwd=checkout)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "error" in line]
    assert "cifar10-uncond-sid-alpha1.3" in line
    assert "did you mean cifar10-uncond-sid-alpha1" in line
