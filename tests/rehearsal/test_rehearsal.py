"""Everything that `experiment=cifar10` meets, on stand-ins: `make rehearsal` in a checkout."""

import subprocess
import sys
from pathlib import Path

import pytest

from sid.evaluate.records import load_table
from tests.workflow.conftest import copy_checkout
from workflow.rehearsal.checks import read_verdicts

SUBJECT = "cifar10-uncond-{}"
RECIPES = ("sid-alpha1", "sid-alpha1.2", "sida-alpha1", "sid2a-alpha1", "sid2a-alpha1.2")


@pytest.mark.rehearsal
def test_rehearsal(tmp_path: Path) -> None:
    top = copy_checkout(tmp_path / "check-out")
    done = subprocess.run(
        [sys.executable, "-m", "workflow.rehearsal", "--cores", "2"],
        cwd=top,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    folder = top / "results" / "rehearsal"
    verified = read_verdicts(folder / "verify" / "verdict" / "verdicts.csv")
    planted = {"sid-alpha1.2": "reproduces", "sid-alpha1": "differs", "sida-alpha1": "undecided"}
    for name, verdict in planted.items():
        assert verified[f"{SUBJECT.format(name)}/fid"].verdict == verdict

    judged = read_verdicts(folder / "cifar10" / "verdict" / "verdicts.csv")
    assert {f"{SUBJECT.format(name)}/retrained-fid" for name in RECIPES} <= judged.keys()
    assert "not run" not in {found.verdict for found in judged.values()}
    assert all(found.reason for found in judged.values())

    records = load_table(folder / "cifar10" / "records.csv")
    trained = records[records["role"] == "final"]
    assert set(trained["recipe"]) == {SUBJECT.format(name) for name in RECIPES}
    assert set(records["extractor"]) == {"inception-2015"}
    for page in ("index.html", "verify/index.html"):
        assert (top / "reports" / "rehearsal" / page).stat().st_size > 10_000
    assert (folder / "bundle.tar.gz").is_file()
