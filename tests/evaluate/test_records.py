from pathlib import Path

import pandas as pd
import pytest

from sid.errors import UserError
from sid.evaluate.merging import merge_records
from sid.evaluate.records import load_table, once, read_records, write_records
from sid.files import read_json, write_json
from tests.evaluate.cases import record


def test_the_same_measurement_counts_once() -> None:
    last = record(value=0.3, role="final", selection="last", images=1000)
    same = [{"selection": "best"}, {"recipe": "other", "images": 0, "seconds": 3.0}]
    other = [{"value": 0.2}, {"draw": 2}, {"implementation": "x"}, {"generated_sha256": "f"}]
    rows = [last, *(last.model_copy(update=change) for change in (*same, *other))]
    table = once(pd.DataFrame([row.model_dump() for row in rows]))
    assert list(table.index) == [0, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("role", "fnial", "role: 'fnial'"),
        ("draw", 1.5, "draw: 1.5"),
        ("n_images", 0, "n_images: 0"),
    ],
)
def test_what_no_evaluation_writes_is_refused(
    tmp_path: Path, column: str, value: object, says: str
) -> None:
    good = pd.DataFrame([record(value=0.3).model_dump(), record(value=0.4, draw=2).model_dump()])
    table = tmp_path / "t.csv"
    good.assign(**{column: [good[column].iloc[0], value]}).to_csv(table, index=False)
    with pytest.raises(UserError, match=rf"t.csv: column {says}"):
        load_table(table)
    good.iloc[:0].to_csv(table, index=False)
    with pytest.raises(UserError, match=r"t.csv: holds no records"):
        load_table(table)


def test_messages(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    with pytest.raises(UserError, match=r"x.json: no such file"):
        read_records(path)
    path.write_text("{")
    with pytest.raises(UserError, match=r"x.json: not a JSON file"):
        read_records(path)
    write_json(path, [])
    with pytest.raises(UserError, match=r"x.json: holds no `records`"):
        read_records(path)
    write_records(path, [record(value=0.3)])
    value = read_json(path)
    value["records"][0]["value"] = "high"
    write_json(path, value)
    with pytest.raises(UserError, match=r"x.json: value: .*number"):
        read_records(path)
    table = tmp_path / "t.csv"
    with pytest.raises(UserError, match=r"t.csv: no such file; make it with `sid merge`"):
        load_table(table)
    table.write_text("role,dataset\n")
    with pytest.raises(UserError, match=r"t.csv: has no column generated"):
        load_table(table)
    write_records(path, [record(value=0.3)])
    merge_records([path], table)
    whole = table.read_text()
    for cut, said in ((whole.rindex(","), "column threads"), (whole.rindex("\n") - 1, "threads")):
        table.write_text(whole[:cut])
        with pytest.raises(UserError, match=rf"t.csv: .*{said}.*make it with `sid merge`"):
            load_table(table)
