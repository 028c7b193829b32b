import json

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from sid.errors import UserError
from sid.evaluate.merging import merged
from sid.evaluate.records import Record, write_records
from sid.report.agreement_text import agree, summary
from sid.report.command import register, write_agreement
from tests.verdict.synthetic import make_records, make_samples

WAYS = {
    "ours": {},
    "torch-fidelity": {"off": 2e-6},
    "clean-fid-clean": {"off": 0.03, "preprocessing": "bicubic, antialiased"},
}


def as_json(path, table):
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    write_records(path, [Record.model_validate(row) for row in rows])
    return path


def invoke(*words):
    app = typer.Typer()
    register(app)
    app.command("other")(lambda: None)  # Of a single stage Typer would take the name away.
    return CliRunner().invoke(app, ["report", "agreement", *map(str, words)])


def test_the_command_writes_sheet_tables_and_figure(tmp_path):
    done = invoke(
        as_json(tmp_path / "a.json", make_samples(WAYS, draws=3)), "--out", tmp_path / "o"
    )
    assert done.exit_code == 0, done.output
    assert str(tmp_path / "o" / "agreement.md") in done.output
    names = {path.name for path in (tmp_path / "o").iterdir()}
    assert names == {
        *("agreement.csv", "agreement.md", "agreement.png", "agreement.svg", "noise.csv")
    }
    table = pd.read_csv(tmp_path / "o" / "agreement.csv").set_index(["first", "second"])
    assert table.loc[("ours", "torch-fidelity"), "relative_max"] == pytest.approx(2e-6, rel=1e-3)
    noise = pd.read_csv(tmp_path / "o" / "noise.csv").set_index("kind")
    assert noise.loc["redraw", "relative"] == pytest.approx(0.02)
    text = (tmp_path / "o" / "agreement.md").read_text()
    assert "(agreement.svg)" in text
    assert "| ours · clean-fid-clean | 3 | 0.029 | 0.029 | - | 1.5 | preprocessing |" in text
    assert "| clean-fid-clean | 0.4.0 | digits-cnn | eeeeeeeeeeee | bicubic, antialiased |" in text


def test_files_of_both_kinds_come_together(tmp_path):
    table = make_records()
    table.to_csv(tmp_path / "records.csv", index=False)
    sample = as_json(tmp_path / "a.json", make_samples(WAYS))
    both = merged([tmp_path / "records.csv", sample])
    assert len(both) == len(table) + 3
    assert set(agree(both).ways["Implementation"]) >= {"clean-fid", "clean-fid-clean"}
    pd.testing.assert_frame_equal(
        agree(both).table[lambda found: found["second"] == "clean-fid"].reset_index(drop=True),
        agree(table).table[lambda found: found["second"] == "clean-fid"].reset_index(drop=True),
    )


def test_implementations_of_two_files_meet(tmp_path):
    table = make_samples(WAYS)
    ours = table["implementation"] == "ours"
    paths = [as_json(tmp_path / "a.json", table[ours]), as_json(tmp_path / "b.json", table[~ours])]
    assert len(agree(merged(paths)).table) == 3


def test_bad_input_is_one_line_and_leaves_nothing(tmp_path):
    alone = as_json(tmp_path / "alone.json", make_samples({"ours": {}}, draws=3))
    (tmp_path / "empty.json").write_text("{}")
    (tmp_path / "none.json").write_text(json.dumps({"records": []}))
    for paths, words in (
        ([alone], "no two implementations on the same images.*--implementations"),
        ([tmp_path / "none.json"], "no two implementations"),
        ([tmp_path / "empty.json"], "empty.json.*no `records`"),
        ([tmp_path / "missing.csv"], "missing.csv: no such file"),
    ):
        with pytest.raises(UserError, match=words) as error:
            write_agreement(paths, tmp_path / "out")
        assert "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def test_the_sentences_count_pairs_by_what_is_known():
    ways = {**WAYS, "odd": {"off": 0.002}}
    (sentence,) = summary(agree(make_samples(ways, draws=3)))
    assert sentence == (
        "Frechet distance (digits-cnn): 1 pair differs by rounding alone (at most 2.0e-06), "
        "3 pairs differ for a known reason (at most 0.029), 2 pairs differ beyond 1e-04 without a "
        "known reason (at most 2.0e-03); one draw differs from the next by 2 % at n = 5,000."
    )
    near_zero = make_samples({"ours": {"stderr": 20.0}, "a": {"off": 0.3, "divisor": "N"}})
    assert (
        "1 pair differs for a known reason (at most 0.15 standard errors)"
        in (summary(agree(near_zero))[0])
    )
    inception = make_samples(WAYS).assign(extractor="inception-2015")
    assert summary(agree(inception))[0].startswith("FID: ")
