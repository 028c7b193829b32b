"""Criteria stand with the commit at which they were fixed, and change together with it."""

import hashlib

from sid.config import read_yaml
from sid.shipped import TABLES

# What each criterion says, hashed, beside the commit that it is said to be of.
KNOWN = {
    "checkpoint": ("a17d4c1", "c2abf9500145"),
    "retraining": ("a17d4c1", "70ffe6e8dc8c"),
    "ranking": ("a17d4c1", "6be056070a99"),
    "fall": ("a17d4c1", "17847be2bc3a"),
    "power-law": ("c9e9f50", "700dd2579839"),
    "faster": ("c9e9f50", "e836c1dbd012"),
    "digits-power-law": ("8df8153", "39ae3012c001"),
    "digits-faster": ("8df8153", "23d47354d031"),
    "near-teacher": ("a17d4c1", "5209f9e86aff"),
    "meets-teacher": ("a17d4c1", "298d33babeef"),
    "improves": ("a17d4c1", "f45f37247f8d"),
}


def test_a_criterion_changes_together_with_its_commit() -> None:
    """After a change of a criterion, `fixed` and `changed` are to be revisited, and then this."""
    found = {}
    for name, said in read_yaml(TABLES / "claims.yaml")["criteria"].items():
        rule = repr((said["text"], said["bound"], said["level"], said.get("constants")))
        found[name] = (said["fixed"], hashlib.sha256(rule.encode()).hexdigest()[:12])
    assert found == KNOWN
