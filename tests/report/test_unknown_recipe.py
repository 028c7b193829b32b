"""A recipe that the suite does not know by name has its place in the report all the same."""

from sid.report.style import COLOURS, look
from sid.verdict.distances import names_of


def test_unknown_recipes_come_last_under_their_own_names() -> None:
    assert names_of(["mine", "sida", "sid"]) == {"sid": "SiD", "sida": "SiDA", "mine": "mine"}


def test_unknown_recipes_have_a_look_of_their_own() -> None:
    assert look("mine") == look("mine")
    assert look("mine")[0] not in COLOURS.values()
    assert look("sid")[0] == COLOURS["sid"]
