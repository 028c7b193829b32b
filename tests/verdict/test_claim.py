"""Reading claims: what is laid over what, and each slip in one line with its mend."""

from pathlib import Path

import pytest

from sid.errors import UserError
from sid.evaluate.metrics import METRICS
from sid.shipped import TABLES
from sid.verdict.claim import chosen, load_claims
from sid.verdict.entries import OF_THE_SUITE
from tests.verdict.tables import CLAIMS, RESULTS, make_tables

BASES = CLAIMS[CLAIMS.index("  toy:") : CLAIMS.index("protocols")]


def test_claims_are_joined_with_their_numbers(tmp_path: Path) -> None:
    found = load_claims(make_tables(tmp_path))
    assert list(found.subjects) == ["toy", "toy2"]
    assert list(found.claims) == ["toy/fid", "toy/retrained-fid", "toy2/lower", "plain"]
    claim = found.claims["toy/fid"]
    number = claim.number
    assert number
    assert (claim.kind, claim.evidence, claim.criterion.bound) == ("checkpoint", "primary", 0.02)
    assert (number.text, number.value, number.rounding) == ("2.5", 2.5, 0.05)
    assert (number.quoted, number.std, number.rows) == (("2.51 (paper)",), "0.02", (0, 1))
    assert (claim.protocol.reference, claim.dataset, claim.about.kimg) == ("toys.npz", "toys", 5)
    lower, plain = found.claims["toy2/lower"], found.claims["plain"]
    assert (lower.subject, lower.against) == ("toy2", "toy")
    assert lower.statement == "Toy twice is below Toy on toys"
    assert (plain.against, plain.statement) == ("teacher", "below 1 times the teacher")


def test_the_most_precise_print_of_the_best_grade_is_taken(tmp_path: Path) -> None:
    """A conflict of two equally good prints is nobody's to decide."""
    results = RESULTS.replace("secondary", "primary", 1)
    number = load_claims(make_tables(tmp_path / "a", results=results)).claims["toy/fid"].number
    assert number
    assert (number.text, number.quoted) == ("2.51", ("2.5 (README)",))
    results = results.replace("2.51", "2.6")
    with pytest.raises(UserError, match=r"equally good sources print 2\.5, 2\.6"):
        load_claims(make_tables(tmp_path / "b", results=results))


def test_quotations_under_other_names(tmp_path: Path) -> None:
    claims = CLAIMS.replace("title: Toy,", "title: Toy, quoted: [{method: Other, alpha: ''}],")
    number = load_claims(make_tables(tmp_path, claims)).claims["toy/fid"].number
    assert number
    assert number.quoted == ("2.51 (paper)", "3.5 (paper)")
    assert number.rows == (0, 1, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("draws: 3,", "drawz: 3,", "protocols.fid.drawz: unknown key; did you mean draws?"),
        (
            "frechet_distance",
            "frechet",
            "protocols.fid.metric: is no metric; did you mean frechet_",
        ),
        ("frechet_distance", "nonsense", "protocols.fid.metric: is no metric; known are frechet_"),
        (
            "n_images: 100",
            "n_images: 0",
            "protocols.fid.n_images: expected 1 or more; drop the key",
        ),
        ("bound: 0.02", "bound: -1", "criteria.checkpoint.bound: input should be greater than 0"),
        ("fixed: abc1234", "fixed: today", "criteria.checkpoint.fixed: "),
        ("base: toy,", "base: toys,", "subjects.toy.base: toys is none of toy, lower"),
        ("kind: ranking", "base: lower, kind: ranking", "base: lower is none of toy"),
        ("checkpoint: [fid]", "checkpoint: [is]", "subjects.toy.checkpoint: is is none of fid"),
        ("criterion: ranking", "criterion: rank", "claims.toy2/lower.criterion: rank is none of"),
        ("against: start", "against: toy3", "claims.toy2/lower.against: toy3 is none of toy, toy2"),
        ("  toy2/lower", "  toy3/lower", "claims.toy3/lower.subject: toy3 is none of toy, toy2"),
        ("start: toy}", "start: ''}", "claims.toy2/lower.against: toy2 has no start"),
        ("{bound} times", "{margin} times", "claims.plain.statement: 'margin' in braces; known"),
        ("  plain", "  toy/fid", "toy/fid: two claims have this name"),
        ('alpha: "1.0"', 'alpha: "9"', "subjects.toy.checkpoint: results.csv has no row of"),
        ('alpha: "1.0"', 'beta: "1.0"', "beta is no column of results.csv; known are method"),
        ("  retraining: {text", "  retrained: {text", "retraining is none of checkpoint"),
        ("source: our", "evidence: sure, source: our", "evidence: sure is none of primary"),
        (BASES, "  - a\n", "bases: expected a section of keys and values"),
        ("  plain:", "  toy2/lower:", "toy2/lower stands twice; drop one"),
        (CLAIMS, "- a", "expected keys and values, found list"),
        (CLAIMS, "a: [", "not a YAML file"),
    ],
)
def test_slips_are_one_line(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in CLAIMS
    tables = make_tables(tmp_path, CLAIMS.replace(old, new, 1))
    with pytest.raises(UserError) as raised:
        load_claims(tables)
    assert message in str(raised.value)
    assert str(raised.value).startswith(str(tables / "claims.yaml"))
    assert "\n" not in str(raised.value)


def test_metrics_that_are_known_without_an_import_are_metrics() -> None:
    assert set(OF_THE_SUITE) <= set(METRICS)
    claims = load_claims(TABLES).claims.values()
    assert {claim.protocol.metric for claim in claims} <= set(OF_THE_SUITE)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"claims\.yaml: no such file"):
        load_claims(tmp_path)
    (make_tables(tmp_path) / "checkpoints.csv").unlink()
    assert load_claims(tmp_path).claims["toy/fid"].about.kimg == 0
    (tmp_path / "results.csv").unlink()
    with pytest.raises(UserError, match=r"results\.csv: no such file"):
        load_claims(tmp_path)


def test_a_person_names_claims_or_subjects(tmp_path: Path) -> None:
    claims = load_claims(make_tables(tmp_path))
    assert chosen(claims, ["plain", "toy", "toy/fid"], "--claims") == ["plain", "toy/fid"]
    with pytest.raises(UserError, match=r"toy2: no published checkpoint of it is judged"):
        chosen(claims, ["toy2"], "--claims")
    with pytest.raises(
        UserError, match=r"--claims: toy/fidd: no claim of .*; did you mean toy/fid\?"
    ):
        chosen(claims, ["toy/fidd"], "--claims")


def test_the_folder_is_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SID_PUBLISHED", str(make_tables(tmp_path)))
    assert load_claims().path == tmp_path / "claims.yaml"
    monkeypatch.delenv("SID_PUBLISHED")
    assert "cifar10-uncond-sid-alpha1.2/fid" in load_claims().claims
