"""`sid report`: the files that it writes, and what it refuses."""

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from sid.errors import UserError
from sid.report.command import register, write_report
from sid.verdict.command import write_verdicts
from tests.report.runs import make_runs
from tests.verdict.synthetic import make_records
from tests.verdict.test_published import PUBLISHED


def prepare(folder, table):
    folder.mkdir(exist_ok=True)
    table.to_csv(folder / "records.csv", index=False)
    write_verdicts(folder / "records.csv", PUBLISHED, folder / "verdict")
    return folder / "records.csv", folder / "verdict", *make_runs(folder)


def test_tables_and_figures_lie_beside_it(tmp_path):
    folder = tmp_path / "reports"
    write_report(*prepare(tmp_path, make_records()), folder)
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    figures = {
        f"figures/{name}.{kind}" for name in ("curves", "agreement") for kind in ("png", "svg")
    }
    tables = {
        f"tables/{name}.{kind}" for name in ("main", "agreement", "noise") for kind in ("csv", "md")
    }
    assert names == {"index.html", "figures/samples.png", *figures, *tables}


def test_the_command_prints_the_page(tmp_path):
    records, verdicts, runs, teacher = prepare(tmp_path, make_records(seeds=(0, 1)))
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # Of a single stage Typer would take the name away.
    options = {"verdicts": verdicts, "runs": runs, "teacher": teacher, "out": tmp_path / "out"}
    words = [str(word) for name, value in options.items() for word in (f"--{name}", value)]
    done = CliRunner().invoke(app, ["report", str(records), *words])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(str(tmp_path / "out" / "index.html"))
    html = (tmp_path / "out" / "index.html").read_text()
    assert "seeds 0, 1" in html


@pytest.mark.parametrize("kept", [{"recipe": ["sid", "real"]}, {"role": ["curve", "teacher"]}])
def test_what_is_missing_leaves_a_page(tmp_path, kept):
    table = make_records()
    kept = table[table[list(kept)].isin(kept).all(axis=1)]
    html = write_report(*prepare(tmp_path, kept), tmp_path / "out").read_text()
    assert "not run" in html


def test_missing_verdicts_are_a_user_error(tmp_path):
    records, _, runs, teacher = prepare(tmp_path, make_records())
    with pytest.raises(UserError, match="sid verdict"):
        write_report(records, tmp_path / "none", runs, teacher, tmp_path / "out")


def test_two_extractors_are_refused(tmp_path):
    table = make_records()
    path = tmp_path / "records.csv"
    both = pd.concat([table, table.assign(extractor="inception-2015", extractor_sha256="f" * 64)])
    both.to_csv(path, index=False)
    _, verdicts, runs, teacher = prepare(tmp_path / "one", table)
    with pytest.raises(UserError, match="mix 2 extractors"):
        write_report(path, verdicts, runs, teacher, tmp_path / "out")
    assert not (tmp_path / "out").exists()
