"""`sid verdict`: both tables, chosen claims, and nothing half-written."""

from pathlib import Path

import pandas as pd
import pytest

from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.published import load_published
from tests.commands import accepted, refused, sid
from tests.verdict.synthetic import make_records
from tests.verdict.test_published import PUBLISHED


@pytest.fixture
def records(tmp_path: Path) -> str:
    path = tmp_path / "records.csv"
    make_records().to_csv(path, index=False)
    return str(path)


def test_the_command_writes_both_tables_and_says_each_verdict(records: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    printed = accepted(sid("verdict", records, "--out", str(out)))
    assert "near-teacher/sid (this checkpoint): runs of sid" in printed
    written = pd.read_csv(out / "verdicts.csv")
    assert len(written) == len(judge(make_records(), load_claims(PUBLISHED)))
    assert all(claim in printed for claim in written["claim"])
    published = pd.read_csv(out / "published.csv")
    assert len(published) == len(load_published(PUBLISHED / "results.csv"))
    assert not published["verdict"].str.contains("reproduces|differs").any()


def test_claims_are_chosen_by_name_and_by_subject(records: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = "near-teacher/sid, cifar10-uncond-sid-alpha1.2"
    accepted(sid("verdict", records, "--claims", asked, "--out", str(out)))
    written = pd.read_csv(out / "verdicts.csv").set_index("claim")["verdict"]
    subject = "cifar10-uncond-sid-alpha1.2"
    assert set(written.index) == {f"{subject}/fid", f"{subject}/is", "near-teacher/sid"}
    assert set(written.drop("near-teacher/sid")) == {"not run"}
    printed = accepted(sid("verdict", records, "--claims", "", "--out", str(out)))
    assert len(pd.read_csv(out / "verdicts.csv")) == 0
    assert "no claim is about a recipe of these records" in printed


def test_records_of_one_evaluation_are_merged_first(tmp_path: Path) -> None:
    path = tmp_path / "swift.json"
    path.write_text("{}")
    error = refused(sid("verdict", str(path), "--out", str(tmp_path / "out")))
    assert error.startswith(f"error: {path}: is JSON")
    assert f"sid merge {path} --out {tmp_path / 'swift.csv'}" in error


def test_an_unknown_claim_is_one_line_and_nothing_is_written(records: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    asked = "near-teacher/sid,near-teacher/sidd"
    error = refused(sid("verdict", records, "--claims", asked, "--out", str(out)))
    assert error.startswith("error: --claims: near-teacher/sidd: no claim of ")
    assert "did you mean near-teacher/sid?" in error
    assert not out.exists()
