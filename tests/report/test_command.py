"""`sid report`: the files that it writes, what it names as missing, and what it refuses."""

import pandas as pd
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from benchmarks.report import RECIPES, cifar10
from sid.errors import UserError
from sid.evaluate.records import load_table
from sid.report.command import register, write_report
from sid.report.gather import samples
from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.verdict import to_table
from tests.report.runs import make_runs
from tests.verdict.synthetic import make_records

PICTURES = ("png", "svg")
SID = "cifar10-uncond-sid-alpha1.2"


def written(folder, table):
    """Records in a file of a folder of their own."""
    folder.mkdir(parents=True, exist_ok=True)
    table.to_csv(folder / "records.csv", index=False)
    return folder / "records.csv"


def files_of(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def stems(kinds, folder, *names):
    return {f"{folder}/{name}.{kind}" for name in names for kind in kinds}


def test_tables_and_figures_lie_beside_the_page(tmp_path):
    records = written(tmp_path, make_records())
    write_report(records, None, *make_runs(tmp_path), tmp_path / "reports")
    assert files_of(tmp_path / "reports") == {
        "index.html",
        "figures/samples.png",
        "tables/papers.tex",
        *stems(PICTURES, "figures", "curves", "agreement"),
        *stems(("csv", "md"), "tables", "papers", "main", "agreement", "noise"),
    }


def test_records_alone_make_a_page_that_names_what_is_missing(tmp_path):
    html = write_report(
        written(tmp_path, make_records()), None, None, None, tmp_path / "out"
    ).read_text()
    assert "give --runs" in html
    assert "sid evaluate neighbours" in html
    assert "no method at two values of alpha" in html
    assert "samples.png" not in files_of(tmp_path / "out")


def test_claims_are_judged_here_as_sid_verdict_judges_them(tmp_path):
    records = written(tmp_path, make_records(seeds=(0, 1)))
    judged = to_table(judge(load_table(records), load_claims()))
    (tmp_path / "verdict").mkdir()
    judged.to_csv(tmp_path / "verdict" / "verdicts.csv", index=False)
    pages = [
        write_report(records, verdicts, None, None, tmp_path / str(verdicts is None)).read_text()
        for verdicts in (None, tmp_path / "verdict")
    ]
    assert pages[0] == pages[1]


def test_a_verified_checkpoint_has_its_table_and_no_curves(tmp_path):
    table = cifar10(seeds=0, draws=10, external=(SID,))
    table = table[table["role"] == "external"]
    html = write_report(written(tmp_path, table), None, None, None, tmp_path / "out").read_text()
    names = files_of(tmp_path / "out")
    assert "tables/papers.csv" in names
    assert not [name for name in names if "curves" in name or "cost" in name]
    assert "no snapshots along a training" in html
    paper = pd.read_csv(tmp_path / "out" / "tables" / "papers.csv", dtype=str)
    row = paper[paper["subject"] == SID].iloc[0]
    assert row["frechet_distance_published"] == "1.923"
    assert float(row["frechet_distance_checkpoint"]) == pytest.approx(1.92, rel=0.02)
    assert row["frechet_distance_checkpoint_verdict"] == "reproduces"


def test_several_data_sets_and_extractors_have_tables_and_figures_each(tmp_path):
    digits = make_records()
    other = digits.assign(extractor="dinov2-vits14", extractor_sha256="f" * 64)
    cifar = cifar10(dict(list(RECIPES.items())[1:2]), snapshots=3, draws=2, seeds=1)
    records = written(tmp_path, pd.concat([digits, other, cifar]))
    html = write_report(records, None, None, None, tmp_path / "out").read_text()
    groups = ("digits-digits-cnn", "digits-dinov2-vits14", "cifar10-32x32")
    names = files_of(tmp_path / "out")
    assert names >= stems(PICTURES, "figures", *(f"curves-{group}" for group in groups))
    assert names >= stems(("csv", "md", "tex"), "tables", *(f"papers-{group}" for group in groups))
    assert "Where the methods end: cifar10-32x32" in html


def test_two_weights_of_one_extractor_are_refused_before_anything_is_written(tmp_path):
    table = make_records()
    others = table["role"] != "redrawn"
    own = table[others & (table["recipe"] == "sid")]
    mixed = pd.concat([table, own.assign(recipe="mine", extractor_sha256="f" * 64)])
    with pytest.raises(UserError, match="mix 2 weights of the extractor"):
        write_report(written(tmp_path, mixed), None, None, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["neighbours.png", "figures/samples.png"])
def test_a_picture_that_lies_beside_the_records_is_taken(tmp_path, place):
    table = make_records()
    records = written(tmp_path, table[table["role"] == "final"])
    (tmp_path / "figures").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / place)
    html = write_report(records, None, None, None, tmp_path / "out").read_text()
    name = place.split("/")[-1]
    taken = (tmp_path / "out" / "figures" / name).read_bytes()
    assert taken == (tmp_path / place).read_bytes()
    assert f"no {name} beside the records" not in html
    assert html.count("beside the records; ") == 1


def test_samples_need_runs_and_go_without_a_teacher(tmp_path):
    runs, _ = make_runs(tmp_path)
    found = samples(runs, None, make_records(), load_claims(), tmp_path / "samples.png")
    assert found == tmp_path / "samples.png"
    assert Image.open(found).height > 100


def test_the_command_prints_the_page(tmp_path):
    records = written(tmp_path, make_records(seeds=(0, 1)))
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # Of a single stage Typer would take the name away.
    done = CliRunner().invoke(app, ["report", str(records), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    assert done.output.startswith(str(tmp_path / "out" / "index.html"))
    html = (tmp_path / "out" / "index.html").read_text()
    assert "seeds 0, 1" in html


@pytest.mark.parametrize("kept", [{"recipe": ["sid", "real"]}, {"role": ["curve", "teacher"]}])
def test_part_of_the_records_leaves_a_page(tmp_path, kept):
    table = make_records()
    kept = table[table[list(kept)].isin(kept).all(axis=1)]
    html = write_report(written(tmp_path, kept), None, None, None, tmp_path / "out").read_text()
    assert "not run" in html


def test_a_folder_without_verdicts_is_a_user_error(tmp_path):
    records = written(tmp_path, make_records())
    with pytest.raises(UserError, match="sid verdict"):
        write_report(records, tmp_path / "none", None, None, tmp_path / "out")
