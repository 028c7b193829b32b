"""How often one run is falsely called reached, when it is looked at after every leg.

    python -m benchmarks.verdict_looks

The worst place: every snapshot is worse than published by exactly the margin, so that each
*reached* is false. A look takes the best snapshot so far of the curve's noise, and draws it anew if
it is another than at the look before; the first look that calls it reached ends the run. Of the
variance of a draw the part `shared` is the same for all snapshots of the run, as draws are
numbered. A minute.
"""

import itertools
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from sid.verdict.design import crossed
from sid.verdict.parts import reach

LEVEL, DRAWS = 0.90, 10  # As the claims about published numbers have them.
LEGS, SNAPSHOTS = (1, 7, 25, 50), (20, 50)  # Looks, and snapshots between two of them.
SHARED = (0.0, 0.4, 0.9)
REDRAW_SD = 0.01  # Of log values; both sides of each comparison scale with it.


def false_reached(
    legs: int, snapshots: int, shared: float, experiments: int, seed: int
) -> tuple[float, float]:
    """The share of runs that are called reached, and fresh snapshots drawn of each.

    Args:
        legs: looks at a run.
        snapshots: of each leg.
        shared: part of a draw's variance that all snapshots have in common.
        experiments: runs.
        seed: of all of them.
    """
    rng = np.random.default_rng(seed)
    common, own = REDRAW_SD * np.sqrt([shared, 1 - shared])
    ended = drawn = 0
    for _ in range(experiments):
        # Draw 0 is the curve's: what is shared in it moves all snapshots alike.
        curve = own * rng.standard_normal((legs, snapshots))
        of_draws = common * rng.standard_normal(DRAWS)
        best = np.inf
        for leg in curve:
            if leg.min() >= best:
                continue
            best, drawn = leg.min(), drawn + 1
            logs = of_draws + own * rng.standard_normal(DRAWS)  # From the margin on.
            found = crossed(logs[None, :])
            if found.mean + reach(found.parts, LEVEL) < 0:
                ended += 1
                break
    return ended / experiments, drawn / experiments


def main(
    experiments: Annotated[int, typer.Option(help="Runs of each case.", min=1)] = 4000,
    seed: Annotated[int, typer.Option(help="Of all random numbers.")] = 0,
) -> None:
    """Print the share of false ends of runs."""
    cases = list(itertools.product(LEGS, SNAPSHOTS, SHARED))
    rows = [(*case, *false_reached(*case, experiments, seed)) for case in cases]
    columns = ["looks", "snapshots a leg", "shared", "falsely reached", "snapshots drawn"]
    print(pd.DataFrame(rows, columns=columns).round(3).to_string(index=False))


if __name__ == "__main__":
    typer.run(main)
