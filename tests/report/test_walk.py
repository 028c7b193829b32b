"""The walk from Diff-Instruct to SiD: its recipes, and its figure from records alone."""

import pytest

from sid.config import recipe_path
from sid.recipes.listing import load, values
from sid.report.walk import plot_walk, walk
from sid.verdict.claim import load_claims
from tests.report.test_curves import drawn, named
from tests.verdict.synthetic import make_records, power

CLAIMS = load_claims()
WALK = [
    *("diff-instruct", "diff-instruct-sigma2.5", "diff-instruct-karras"),
    *("distribution-matching", "sid-alpha0", "sid"),
]
# What each step changes; the weight's factor of 100 means nothing to Adam.
CHANGED = [
    {"sigma_init"},
    {"method.generator_noise"},
    {"method.weight", "method.generator_weight"},
    {"method.detached", "method.alpha"},
    {"method.alpha"},
]


def records(recipes: list[str], seeds: tuple[int, ...] = (0, 1, 2), draws: int = 3):
    laws = {name: power(-0.5, 30.0 + place) for place, name in enumerate(recipes)}
    return make_records(laws=laws, seeds=seeds, draws=draws, noise=0.05)


@pytest.mark.parametrize(
    ("first", "second", "changed"), list(zip(WALK, WALK[1:], CHANGED, strict=False))
)
def test_each_step_changes_one_option(first: str, second: str, changed: set[str]) -> None:
    assert CLAIMS.subjects[second].before == first
    assert CLAIMS.subjects[second].change
    one, other = (values(load(recipe_path(f"digits/{name}"))) for name in (first, second))
    found = {
        key.rpartition(".")[0] if key.startswith("method.generator_noise.") else key
        for key in one.keys() | other.keys()
        if one.get(key) != other.get(key)
    }
    assert found - {"method.name"} == changed


def test_the_walk_stands_above_the_others_in_its_order() -> None:
    figure = drawn(plot_walk, records([*WALK, "ect", "fgm"]), CLAIMS)
    (axes,) = figure.axes
    rows = [text.get_text() for text in axes.get_yticklabels()]
    changes = [CLAIMS.subjects[name].change for name in WALK[1:]]
    assert rows[0] == "Diff-Instruct"
    assert [row[2:].removesuffix(": SiD") for row in rows[1:6]] == changes
    assert rows[6:] == ["ECT", "FGM"]  # By distance.
    assert {"4", "5.4", "9", "11"} <= set(named(figure))  # Passes of an image.
    dots = [line for line in axes.lines if line.get_markersize() == 3]
    assert [len(line.get_xdata()) for line in dots] == [3] * 8


def test_without_a_step_there_is_no_walk() -> None:
    alone = ["sid", "ect", "distribution-matching"]
    assert walk(CLAIMS.subjects, alone) == []
    assert walk(CLAIMS.subjects, [*alone, "sid-alpha0"]) == WALK[3:]
    assert drawn(plot_walk, records(alone), CLAIMS) is None


def test_one_value_has_no_interval_and_is_said_to_rank_nothing() -> None:
    figure = drawn(plot_walk, records(WALK[:2], seeds=(0,), draws=1), CLAIMS)
    assert "ranks no methods" in " ".join(named(figure))
