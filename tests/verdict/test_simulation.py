"""A short form of `benchmarks.verdicts`: where the truth is known, verdicts are seldom wrong."""

import math

import pytest

from benchmarks.verdicts import CHECKPOINT, RETRAINING, Cell, cells, misses, simulate

EXPERIMENTS = 250
CELLS = [
    Cell("checkpoint", "mean of 10", 0, 0.01, 0, 1, 3, CHECKPOINT, kept_is_false=True),
    Cell("checkpoint", "minimum of 3", 0, 0.01, 0, 1, 10, CHECKPOINT, kept_is_false=True),
    Cell("checkpoint", "single", 0, 0.006, 0, 1, 10, 0.0, power=0.79),
    Cell("retraining", "a fixed value", 0.03, 0.02, 0.9, 3, 3, RETRAINING, True, False),
    Cell("retraining", "another run", 0.1, 0.02, 0.4, 3, 3, RETRAINING),
    Cell("retraining", "a fixed value", 0.03, 0.009, 0.4, 5, 10, 0.0, power=0.8, at_least=True),
    Cell("retraining", "a fixed value", 0.05, 0.01, 0.4, 1, 3, -1.0, True),
    Cell("ranking", "teacher", 0.05, 0.05, 0.9, 3, 3, 0.0, True),
    Cell("ranking", "b", 0.05, 0.05, 0.9, 5, 3, 0.0, True),
]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.kind}-{cell.against}-{cell.runs}")
def test_verdicts_are_seldom_wrong(cell: Cell) -> None:
    """With a fixed seed, and with bounds that are two Monte Carlo errors wider."""
    found = simulate(cell, EXPERIMENTS, seed=1)
    assert misses(cell, found, EXPERIMENTS) == []


def test_the_bounds_can_be_missed() -> None:
    """Noise that a design takes for small, and a power that is not there."""
    cell = CELLS[0]
    wrong = {"kept": 0.3, "broken": 0.2, "coverage": 0.7, "new_coverage": 0.9}
    assert len(misses(cell, wrong, 2000)) == 3
    assert len(misses(CELLS[2], wrong | {"broken": 0, "coverage": 0.9}, 2000)) == 1
    assert misses(CELLS[6], wrong, 2000)[-1] == "one run decides"


def test_every_design_is_simulated() -> None:
    found = list(cells())
    for kind in ("checkpoint", "retraining", "ranking"):
        assert {cell.draws for cell in found if cell.kind == kind} == {3, 10}
    assert {1, 2, 3, 5} <= {cell.runs for cell in found}
    assert {0.0, 0.4, 0.9} <= {cell.shared for cell in found}
    assert min(c.redraw_sd for c in found) == 0.005
    assert sum(not math.isnan(cell.power) for cell in found) == 14
