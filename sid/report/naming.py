"""What the report calls things: recipes by their subjects in the claims, and who decides."""

from collections.abc import Iterable, Mapping

import pandas as pd

from sid.verdict.claim import Claims
from sid.verdict.entries import Subject

OURS = "ours"  # The implementation of this suite.


def first_ours(name: str) -> tuple[bool, str]:
    """Key that sorts implementations: ours, then the others by name."""
    return name != OURS, name


def title(subjects: Mapping[str, Subject], recipe: str) -> str:
    """The name for people; a recipe without an entry has its own."""
    return subjects[recipe].title if recipe in subjects else recipe


def titles(subjects: Mapping[str, Subject], recipes: Iterable[str]) -> dict[str, str]:
    """Names for people by recipe, in the order of the claims, then any others as they are.

    Two recipes of one title, such as of two data sets, have their own names beside it.
    """
    found = set(recipes)
    order = [recipe for recipe in subjects if recipe in found]
    order += sorted(found - set(subjects))
    named = {recipe: title(subjects, recipe) for recipe in order}
    often = pd.Series(named).value_counts()
    return {
        recipe: f"{name} ({recipe})" if often[name] > 1 and name != recipe else name
        for recipe, name in named.items()
    }


def start(subjects: Mapping[str, Subject], recipe: str) -> str:
    """The recipe whose images come before a recipe's own, or nothing."""
    return subjects[recipe].start if recipe in subjects else ""


def alpha(subjects: Mapping[str, Subject], recipe: str) -> str:
    """The alpha of a recipe as the published tables have it, or nothing."""
    return subjects[recipe].published.get("alpha", "") if recipe in subjects else ""


def method(subjects: Mapping[str, Subject], recipe: str) -> str:
    """The method of a recipe; of one that no paper has, its title."""
    if recipe not in subjects:
        return recipe
    return subjects[recipe].method or subjects[recipe].title


def decides(records: pd.DataFrame, claims: Claims) -> str:
    """The implementation whose values are shown: that of the claims, where the records have it."""
    if records.empty:
        return ""
    found = set(records["implementation"])
    extractors, recipes = set(records["extractor"]), set(records["recipe"])
    for claim in claims.claims.values():
        asked = claim.protocol
        fits = claim.subject in recipes and asked.extractor in ("", *extractors)
        if fits and asked.implementation in found:
            return asked.implementation
    return str(min(found, key=first_ours))


def teacher_nfe(records: pd.DataFrame, subjects: Mapping[str, Subject]) -> int:
    """How many evaluations the teacher takes: as its claims say, else the most in the records."""
    rows = records[records["role"] == "teacher"]
    if rows.empty:
        return 0
    found = set(rows["nfe"].astype(int))
    known = [subjects[name].nfe for name in rows["recipe"].unique() if name in subjects]
    return next((nfe for nfe in known if nfe in found), max(found))
