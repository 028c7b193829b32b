"""`sid claims`: lists, filters, everything of one claim, and rows for machines."""

import csv
import io
import json

import pytest

from sid.shipped import TABLES
from sid.verdict.claim import load_claims
from tests.commands import accepted, refused, sid

NAME = "cifar10-uncond-sid-alpha1.2/fid"


def printed(*words: str) -> str:
    return accepted(sid("claims", *words))


def test_lists_and_filters() -> None:
    claims, lines = load_claims(TABLES).claims, printed().splitlines()
    assert lines[0].split() == ["claim", "kind", "published", "evidence", "against"]
    assert [line.split()[0] for line in lines[1:]] == list(claims)
    some = printed("*sid2a*", "--dataset", "ffhq-64x64", "--kind", "checkpoint")
    names = [line.split()[0] for line in some.splitlines()[1:]]
    assert names == ["ffhq64-sid2a-alpha1/fid", "ffhq64-sid2a-alpha1.2/fid"]
    of = printed("--subject", "ffhq64-sid2a-alpha1").splitlines()[1:]
    assert [line.split()[0] for line in of] == [
        name for name, claim in claims.items() if claim.subject == "ffhq64-sid2a-alpha1"
    ]


def test_one_claim_is_told_with_all_that_decides_it() -> None:
    told = printed(NAME)
    assert "\npublished       1.923\n" in told
    for words in (
        "mean of 10",
        "primary",
        "1.98 (",
        "inception-2015",
        "50000",
        "cifar10-32x32.npz",
        "within a margin of 2 %",
        "https://huggingface.co/UT-Austin-PML/SiD/resolve/main/cifar10-uncond/alpha1.2/",
        "403968",
        "sid verify cifar10-uncond-sid-alpha1.2\n",
    ):
        assert words in told, words
    ranking = printed("cifar10-uncond-sid-alpha1/below-alpha1.5")
    assert "experiment=ablation seeds='[0,1,2]'" in ranking


def test_machines_get_json_or_csv() -> None:
    asked = ("--subject", "cifar10-uncond-sid-alpha1.2")
    as_json = json.loads(printed(*asked, "--json"))
    as_csv = list(csv.DictReader(io.StringIO(printed(*asked, "--csv"))))
    assert [row["claim"] for row in as_json] == [row["claim"] for row in as_csv]
    assert as_json[0]["claim"] == NAME
    assert (as_json[0]["published"], as_json[0]["bound"]) == ("1.923", 0.02)
    assert as_csv[0] == {key: str(value) for key, value in as_json[0].items()}
    commands = {row["kind"]: row["command"] for row in as_json}
    assert all("experiment=cifar10 " in commands[kind] for kind in ("retraining", "power-law"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["nothing-like-it"], "nothing-like-it: no claim fits; `sid claims` lists all"),
        (["--kind", "verdict"], "--kind verdict: has no claims; known are checkpoint"),
        (["--dataset", "mnist"], "--dataset mnist: has no claims; known are cifar10-32x32"),
        (["--json", "--csv"], "--json: and --csv exclude each other"),
    ],
)
def test_slips_are_one_line(words: list[str], message: str) -> None:
    assert refused(sid("claims", *words)).startswith(f"error: {message}")
