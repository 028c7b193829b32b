from pathlib import Path

import pandas as pd
import typer
from typer.testing import CliRunner

from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.command import verdict
from sid.verdict.published import load_published
from tests.verdict.synthetic import make_records
from tests.verdict.test_published import PUBLISHED


def test_the_command_writes_both_tables_and_says_each_verdict(tmp_path: Path) -> None:
    make_records().to_csv(tmp_path / "records.csv", index=False)
    app = typer.Typer()
    app.command("verdict")(verdict)
    out = tmp_path / "out"
    command = [str(tmp_path / "records.csv"), "--out", str(out), "--published", str(PUBLISHED)]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    assert "near-teacher/sid (this checkpoint): runs of sid" in done.output
    written = pd.read_csv(out / "verdicts.csv")
    assert len(written) == len(judge(make_records(), load_claims(PUBLISHED)))
    assert all(claim in done.output for claim in written["claim"])
    published = pd.read_csv(out / "published.csv")
    assert len(published) == len(load_published(PUBLISHED / "results.csv"))
