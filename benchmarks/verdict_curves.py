"""How often verdicts on curves are wrong: power laws that have a floor, and fast starts.

    python -m benchmarks.verdict_curves

Runs differ by a factor (sd 5 %), and each snapshot by its own noise (sd 2 %). Two minutes.
"""

import gc
import math
from collections.abc import Callable, Iterator
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import typer

from benchmarks.verdict_records import Array, claim_of, claims_of, rows_of, table_of
from sid.verdict.claim import Claim
from sid.verdict.claims import judge

Law = Callable[[Array], Array]  # Of thousands of images.
KIMG = np.geomspace(3, 60, 10)
RUN_SD, POINT_SD, TEACHER = 0.05, 0.02, 1.0


def power(x: Array) -> Array:
    """Falls from 15 times the teacher to 2.5 times."""
    y: Array = 15 * (x / 3) ** -0.6
    return y


def halfway(x: Array) -> Array:
    """Half of its end is a floor; the true bend is -26 %."""
    y: Array = 1.25 + 1.25 * (x / 60) ** -0.8
    return y


def floored(x: Array) -> Array:
    """Three quarters of its end are a floor; the true bend is -51 %."""
    y: Array = 1.9 + 0.6 * (x / 60) ** -0.8
    return y


def stuck(x: Array) -> Array:
    """Four times as fast as `power`, and never below 4 times the teacher."""
    return np.maximum(power(4 * x), 4.0)


def sooner(x: Array) -> Array:
    """As `power` in two thirds of the images."""
    return power(1.5 * x)


class Case(NamedTuple):
    """A law, for `faster` the other one, and the outcome that is an error."""

    kind: str
    law: Law
    other: Law | None
    false: str


CASES = (
    Case("power-law", power, None, "does not hold"),
    Case("power-law", halfway, None, "holds"),
    Case("power-law", floored, None, "holds"),
    Case("faster", power, power, "holds"),
    Case("faster", stuck, power, "holds"),
    Case("faster", sooner, power, "does not hold"),
)


def simulate(case: Case, runs: int, experiments: int, seed: int) -> dict[str, float]:
    """The share of each outcome.

    Args:
        case: what is true.
        runs: N of either side.
        experiments: how many.
        seed: of their random numbers.
    """
    rng = np.random.default_rng(seed)
    found = [_outcome(case, runs, rng) for _ in range(experiments)]
    return {name: found.count(name) / experiments for name in sorted({*found, case.false})}


def _outcome(case: Case, runs: int, rng: np.random.Generator) -> str:
    rows = list(_curves(case.law, "a", runs, rng))
    if case.other:
        rows += _curves(case.other, "b", runs, rng)
        teacher = rows_of(np.zeros((1, 1)), role="teacher", recipe="t", selection="", nfe=35)
        rows += [{**row, "draw": draw} for row in teacher for draw in (0, 1)]
    (verdict,) = judge(table_of(rows), claims_of(_claim(case)))
    return verdict.verdict


def _curves(
    law: Law, recipe: str, runs: int, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    noise = RUN_SD * rng.standard_normal((runs, 1))
    noise = noise + POINT_SD * rng.standard_normal((runs, len(KIMG)))
    for row in rows_of(np.log(law(KIMG)) + noise, role="curve", recipe=recipe, selection=""):
        yield {**row, "kimg": KIMG[row["draw"] - 1], "draw": 0}


def _claim(case: Case) -> Claim:
    claim = claim_of("power-law", bound=0.25)
    constants: dict[str, float | list[float]] = {"from_kimg": 3.0}
    if case.other:
        claim = claim_of("faster", against="b", bound=1.0)
        constants = {"multiples": [10.0, 8.0, 6.0, 5.0, 4.0, 3.0, 2.5, 2.0]}
    return claim._replace(criterion=claim.criterion.model_copy(update={"constants": constants}))


def main(
    experiments: Annotated[int, typer.Option(help="Of each case.")] = 1000,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Print the share of each outcome."""
    gc.freeze()
    gc.disable()
    rows = []
    for number, (case, runs) in enumerate((case, runs) for case in CASES for runs in (3, 5)):
        found = simulate(case, runs, experiments, seed + number)
        least = 0.05 + 2 * math.sqrt(0.05 * 0.95 / experiments)
        law = case.law.__name__ + (f" against {case.other.__name__}" if case.other else "")
        passes = found[case.false] <= least
        rows.append({"kind": case.kind, "law": law, "runs": runs, **found, "passes": passes})
    print(pd.DataFrame(rows).fillna(0).to_string(index=False))


if __name__ == "__main__":
    typer.run(main)
