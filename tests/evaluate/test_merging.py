"""Records of two machines: what is the same counts once, what contradicts is shown and refused."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sid.errors import UserError
from sid.evaluate.merging import merge_records
from sid.evaluate.records import Record, load_table, write_records
from tests.commands import Done, accepted, refused, sid
from tests.verdict.synthetic import make_records

HERE = {"device": "H100", "torch": "2.7", "git": "aaa1", "generated": "/here/a.safetensors"}
THERE = {"device": "A100", "torch": "2.6", "git": "bbb2", "generated": "/there/b.safetensors"}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """A demonstration's records, made on one machine."""
    return make_records().assign(**{key: HERE[key] for key in ("device", "torch", "git")})


def written(path: Path, table: pd.DataFrame) -> Path:
    table.to_csv(path, index=False)
    return path


def elsewhere(table: pd.DataFrame) -> pd.DataFrame:
    """The same records as another machine writes them: other paths, other columns' order."""
    trained = ~table["role"].isin(("redrawn", "halves"))
    paths = table["generated"].mask(trained, THERE["generated"])
    there = {key: THERE[key] for key in ("device", "torch", "git")}
    return table.assign(generated=paths, seconds=99.0, **there)[list(table)[::-1]]


def test_the_same_content_counts_once(tmp_path: Path, table: pd.DataFrame) -> None:
    one, other = table.iloc[:500], elsewhere(table.iloc[300:])
    files = [written(tmp_path / "a.csv", one), written(tmp_path / "b.csv", other)]
    merge_records(files, tmp_path / "records.csv")
    merged = load_table(tmp_path / "records.csv")
    assert np.array_equal(merged["value"], table["value"])
    assert list(merged["device"]) == ["H100"] * 500 + ["A100"] * (len(table) - 500)
    before = (tmp_path / "records.csv").read_bytes()
    merge_records([*files[::-1], tmp_path / "records.csv"], tmp_path / "again.csv")
    assert (tmp_path / "again.csv").read_bytes() == before


def test_json_and_csv_of_one_evaluation_are_the_same_to_the_last_bit(tmp_path: Path) -> None:
    rows = make_records(laws={})
    rows["value"] = np.random.default_rng(0).lognormal(size=len(rows))
    records = [Record.model_validate(row) for row in rows.astype(object).to_dict("records")]
    write_records(tmp_path / "a.json", records)
    merge_records([tmp_path / "a.json"], tmp_path / "a.csv")
    merged = merge_records([tmp_path / "a.json", tmp_path / "a.csv"], tmp_path / "b.csv")
    assert list(merged["value"]) == list(rows["value"])
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "a.csv").read_bytes()


def run(files: Sequence[Path], out: Path, *more: object) -> Done:
    return sid("merge", *files, "--out", out, *more)


def test_a_conflict_is_shown_and_refused_unless_told_which_wins(
    tmp_path: Path, table: pd.DataFrame
) -> None:
    changed = elsewhere(table)
    at = table.index[(table["role"] == "final") & (table["metric"] == "frechet_distance")][0]
    changed.loc[at, "value"] = 7.25
    files = [written(tmp_path / "a.csv", table), written(tmp_path / "b.csv", changed)]
    out = tmp_path / "out" / "records.csv"
    done = run(files, out)
    assert done.returncode == 2
    said = done.stderr
    for row in (f"{float(table['value'][at])!r} in {files[0]} (H100, torch 2.7, git aaa1)", "A100"):
        assert row in said
    assert f"7.25 in {files[1]} (A100, torch 2.6, git bbb2)" in said
    assert "error: 1 measurements" in said
    assert "--prefer" in said
    assert not out.parent.exists()

    refused(run(files, out, "--prefer", tmp_path / "c.csv"), "c.csv: none of the files")
    for wins, value in ((files[0], table["value"][at]), (files[1], 7.25)):
        accepted(run(files, out, "--prefer", wins))
        merged = load_table(out)
        assert len(merged) == len(table)
        assert merged["value"][at] == value


def test_a_preferred_file_settles_only_what_it_has(tmp_path: Path, table: pd.DataFrame) -> None:
    files = [
        written(tmp_path / "a.csv", table.iloc[:1]),
        written(tmp_path / "b.csv", table.assign(value=table["value"] * 2).iloc[:2]),
        written(tmp_path / "c.csv", table.assign(value=table["value"] * 3).iloc[:2]),
    ]
    with pytest.raises(UserError, match=r"^1 measurements .*b\.csv, .*c\.csv"):
        merge_records(files, tmp_path / "records.csv", files[0])


def test_given_images_go_by_their_bytes(tmp_path: Path, table: pd.DataFrame) -> None:
    given = table.iloc[:1].assign(role="sample", recipe="", generated="samples", run_seed=-1)
    files = [
        written(tmp_path / f"{sha}.csv", given.assign(generated_sha256=sha, value=value))
        for sha, value in (("a" * 64, 1.0), ("b" * 64, 2.0))
    ]
    assert len(merge_records(files, tmp_path / "records.csv")) == 2


def test_a_damaged_file_leaves_the_table_as_it_was(tmp_path: Path, table: pd.DataFrame) -> None:
    good = written(tmp_path / "a.csv", table)
    out = tmp_path / "records.csv"
    out.write_text("before")
    damaged = tmp_path / "b.csv"
    damaged.write_bytes(good.read_bytes()[:-3])
    with pytest.raises(UserError, match=r"b\.csv: .*`sid merge`"):
        merge_records([good, damaged], out)
    damaged = tmp_path / "b.json"
    damaged.write_text('{"records": [{"role": "final"')
    with pytest.raises(UserError, match=r"b\.json: not a JSON file"):
        merge_records([good, damaged], out)
    damaged = written(tmp_path / "c.csv", table.assign(role="nothing known"))
    with pytest.raises(UserError, match=r"c\.csv: column role: 'nothing known'"):
        merge_records([good, damaged], out)
    assert out.read_text() == "before"
