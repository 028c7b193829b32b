"""Where a published curve was after so many images, as far as its published points tell."""

from typing import NamedTuple

from sid.report.benchmark import DISTANCE
from sid.report.labels import number
from sid.verdict.claim import Claims
from sid.verdict.published import GRADES, Number


class Mark(NamedTuple):
    """A published checkpoint: thousands of images, and its distance."""

    kimg: float
    number: Number


def marks(claims: Claims, names: list[str]) -> dict[str, Mark]:
    """The published checkpoints of recipes, where images and distance are known.

    Args:
        claims: whose subjects.
        names: of the recipes.
    """
    found = {}
    for claim in claims.claims.values():
        about = claim.about
        known = claim.number and claim.protocol.metric == DISTANCE and about.kimg > 0
        if known and claim.number and claim.subject in names and claim.subject not in found:
            found[claim.subject] = Mark(about.kimg, claim.number)
    return found


class Bracket(NamedTuple):
    """What is known of a published curve at a number of images.

    A published checkpoint is the one of the lowest distance of its run: before it the curve was not
    lower. Nothing is said of what came after it, and nothing between points is interpolated.

    Attributes:
        kimg: of the published checkpoint, in thousands of images; 0 where none is published.
        low: its distance.
        high: that of the published checkpoint which it starts from; None where it starts from the
            teacher, or where none is published.
        text: for people, with the evidence where that decides nothing; empty where none is
            published.
    """

    kimg: float
    low: float
    high: float | None
    text: str


def bracket(claims: Claims, recipe: str, kimg: float) -> Bracket:
    """What is published of a recipe's curve after `kimg` thousand images.

    Args:
        claims: with the published numbers.
        recipe: its name.
        kimg: thousands of images seen.
    """
    about = claims.subjects.get(recipe)
    names = [name for name in (recipe, about.start if about else "") if name]
    known = marks(claims, names)
    if recipe not in known:
        return Bracket(0.0, 0.0, None, "")
    mark, begun = known[recipe], known.get(about.start) if about and about.start else None
    point = f"{_value(mark)} at {number(mark.kimg)} kimg"
    if kimg >= mark.kimg:
        text = point
    elif begun:
        text = f"{_value(begun)} at its start, {point}"
    else:
        text = f"not below {point}, its lowest"
    return Bracket(mark.kimg, mark.number.value, begun.number.value if begun else None, text)


def _value(mark: Mark) -> str:
    sure = GRADES[mark.number.evidence]
    return mark.number.text if sure else f"{mark.number.text} (unverified)"
