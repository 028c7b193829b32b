"""`published.csv`: each published number, with the verdicts of the claims that cite it."""

from pathlib import Path

from sid.shipped import TABLES
from sid.verdict.cited import ADDED, NO_CLAIM, cited
from sid.verdict.claim import load_claims
from sid.verdict.published import load_published
from sid.verdict.verdict import Verdict
from tests.verdict.tables import RESULTS, make_tables


def verdict(claim: str, reason: str) -> Verdict:
    return Verdict(
        claim=claim,
        statement="",
        source="",
        criterion="",
        fixed="",
        verdict="reproduces",
        reason=reason,
    )


def test_a_number_has_the_verdicts_of_its_claims(tmp_path: Path) -> None:
    claims = load_claims(make_tables(tmp_path))
    table = cited(claims, [verdict("toy/fid", "it is close")])
    assert list(table.columns[-4:]) == list(ADDED)
    for row in (0, 1):  # The number, and another print of it.
        assert table["claims"][row] == "toy/fid; toy/retrained-fid"
        assert table["verdict"][row] == "reproduces; not run"
        assert table["reason"][row] == "it is close; the records have nothing of toy"
    assert table["claims"][2] == ""
    assert table["verdict"][2] == NO_CLAIM
    assert table["reason"][2].startswith("Other is not run here")


def test_what_no_claim_cites_is_told_why(tmp_path: Path) -> None:
    results = RESULTS + (
        "Toy,toy-16,,1,1.0,,FID,4,,paper,,,primary\n"
        "Toy,toy-8,,1,1.0,,KID,4,,paper,,,primary\n"
        "Toy,toy-8,,2,1.0,,FID,4,,paper,,,unverified\n"
    )
    table = cited(load_claims(make_tables(tmp_path, results=results)), [])
    assert table["reason"][3] == "no recipe here is of toy-16"
    assert table["reason"][4] == "no claim here is about KID"
    assert table["reason"][5].startswith("of a setting that no claim is about")
    assert table["may_decide"].tolist() == [True] * 5 + [False]
    assert set(table["verdict"]) == {"not run; not run", NO_CLAIM}


def test_every_published_row_is_there_once_with_a_word() -> None:
    claims = load_claims(TABLES)
    table = cited(claims, [])
    results = load_published(TABLES / "results.csv")
    assert table[list(results.columns)].equals(results)
    assert table["reason"].str.len().min() > 15
    assert ((table["evidence"] == "unverified") == ~table["may_decide"]).all()
    cites = {name for names in table["claims"] for name in names.split("; ") if name}
    assert cites == {name for name, claim in claims.claims.items() if claim.number}
