from pathlib import Path

import pytest

from sid.errors import UserError
from sid.verdict.published import load_published

PUBLISHED = Path(__file__).parents[2] / "baselines" / "published"


def test_the_committed_tables_load():
    results = load_published(PUBLISHED / "results.csv")
    first = results.iloc[0]
    assert (first["method"], first["value"], first["evidence"]) == ("SiD", "1.923", "primary")
    checkpoints = load_published(PUBLISHED / "checkpoints.csv")
    assert {"SiD", "SiDA", "SiD2A"} <= set(checkpoints["method"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("evidence", "grade", "has no column evidence"),
        ("primary", "certain", "line 2: evidence 'certain' is none of primary"),
        ("README", "", "line 2: has no source"),
    ],
)
def test_bad_tables_are_refused(tmp_path, old, new, message):
    columns = "method,dataset,conditional,nfe,kimg,alpha,params,source,source_locator,note,evidence"
    path = tmp_path / "checkpoints.csv"
    path.write_text(f"{columns}\nSiD,cifar10-32,cond,1,5,1,,README,,,primary\n".replace(old, new))
    with pytest.raises(UserError, match=message):
        load_published(path)


@pytest.mark.parametrize("value", ["2.1o", "", "0", "-2.1", "nan", "inf"])
def test_a_number_that_is_none_is_refused(tmp_path, value):
    columns = "method,dataset,conditional,nfe,metric,value,std,alpha,params,source,source_locator"
    path = tmp_path / "results.csv"
    row = f"SiD,cifar10-32,uncond,1,FID,{value},,1,,README,,,primary"
    path.write_text(f"{columns},note,evidence\n{row}\n")
    with pytest.raises(UserError, match=f"line 2: value '{value}' is no number above zero"):
        load_published(path)


def test_other_names_and_missing_files(tmp_path):
    with pytest.raises(UserError, match="no such file"):
        load_published(tmp_path / "results.csv")
    with pytest.raises(UserError, match="not one of"):
        load_published(tmp_path / "other.csv")
