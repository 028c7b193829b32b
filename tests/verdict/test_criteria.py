"""Criteria stand with the commit at which they were fixed, and change together with it."""

import hashlib
import re

import pytest

from sid.verdict.claims import judge
from sid.verdict.criteria import CRITERIA
from tests.verdict.synthetic import make_records

# What each criterion says, hashed, beside the commit that it is said to be of.
KNOWN = {
    "falls": ("dbb1d3d", "0ea70fef858f"),
    "power-law": ("dea8164", "d532daa743a6"),
    "fewer-images": ("dea8164", "ed5d96bc7123"),
    "near-teacher": ("dbb1d3d", "9fcdb75db3a3"),
    "meets-teacher": ("75d6b78", "009a0c5e95d9"),
    "sid2a-improves-on-start": ("dbb1d3d", "66d6908e0a24"),
    "sid2a-improves-on-continued": ("dbb1d3d", "a32e120b1a86"),
}


@pytest.mark.parametrize("kind", CRITERIA)
def test_a_criterion_changes_together_with_its_commit(kind):
    """After a change of a criterion, `fixed` and `changed` are to be revisited, and then this."""
    criterion = CRITERIA[kind]
    said = repr((criterion.text, criterion.constants)).encode()
    assert (criterion.fixed, hashlib.sha256(said).hexdigest()[:12]) == KNOWN[kind]


def test_every_verdict_has_the_criterion_of_its_kind():
    kinds = set()
    for verdict in judge(make_records()):
        kind = verdict.claim.partition("/")[0]
        kinds.add(kind)
        text, _, fixed, changed = CRITERIA[kind]
        assert (verdict.criterion, verdict.fixed, verdict.changed) == (text, fixed, changed)
        assert re.fullmatch("[0-9a-f]{7}", fixed)
        assert f"{verdict.level:.0%}".replace("%", " %") in text
    assert kinds == set(CRITERIA)
