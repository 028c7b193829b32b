"""How often verdicts are wrong, and how often they decide, where the truth is known.

    python -m benchmarks.verdicts --out reports/reference/verdicts-simulation.csv

Each experiment makes records of runs and draws, y_ij = mean + run_i + draw_j + own_ij, lays them
before `sid.verdict.claims.judge` and looks at the verdict. `shared` is the part of the redraw
variance that all runs, and the teacher, have in common. A rule that is wrong in exactly 5 % goes
beyond two Monte Carlo errors in one cell of 44. So a cell that misses a bound is simulated again,
by four times as many fresh experiments, and it is these that count. Ten minutes on one idle core.
"""

import gc
import itertools
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import pandas as pd
import typer

from benchmarks.verdict_records import Array, claim_of, claims_of, rows_of, table_of
from sid.files import write_atomic
from sid.verdict.claim import Claim
from sid.verdict.claims import judge
from sid.verdict.gap import SHIFT
from sid.verdict.published import Number
from sid.verdict.verdict import BROKEN, KEPT, Verdict

LEVEL, ERROR = 0.90, 0.05
SLACK, POWER_SLACK = 0.02, 0.05  # Of coverage, and of tabulated power.
AGAIN, FRESH = 4, 1000  # Of a cell that misses a bound: times as many, and by other seeds.
CHECKPOINT, RETRAINING = math.log(1.02), math.log(1.05)  # Margins.
TEACHER = {"role": "teacher", "recipe": "t", "selection": "", "nfe": 35}


class Cell(NamedTuple):
    """One law of the truth, and what is asked of it.

    Attributes:
        kind: of the claim: `checkpoint`, `retraining` or `ranking`.
        against: kind of published value, `a fixed value` or `another run` for retraining, and for
            rankings `teacher` or `b`.
        run_sd, redraw_sd: of log values, shares.
        shared: part of the redraw variance that all have in common.
        runs, draws: N and K.
        gap: logarithm by which the subject is truly worse.
        kept_is_false, broken_is_false: which outcomes are errors.
        power: share that is to be kept, as tabulated; nan where that is not asked.
        at_least: whether more is as good.
    """

    kind: str
    against: str
    run_sd: float
    redraw_sd: float
    shared: float
    runs: int
    draws: int
    gap: float
    kept_is_false: bool = False
    broken_is_false: bool = True
    power: float = math.nan
    at_least: bool = False


class Truth(NamedTuple):
    """What an experiment laid before `judge`: the log ratio, and that of a new run or draw."""

    ratio: float
    new: float


def cells() -> Iterator[Cell]:
    """All of them."""
    kinds = ("mean of 10", "single", "minimum of 3")
    for of, sd, k, way in itertools.product(kinds, (0.005, 0.01, 0.02, 0.05), (3, 10), (-1, 1)):
        yield Cell("checkpoint", of, 0, sd, 0, 1, k, way * CHECKPOINT, kept_is_false=True)
    tabulated = ((1.0, 1.0, 0.92), (0.79, 0.28, 0.06), (0.95, 0.58, 0.21))
    for of, powers in zip(kinds, tabulated, strict=True):
        for sd, power in zip((0.006, 0.009, 0.012), powers, strict=True):
            yield Cell("checkpoint", of, 0, sd, 0, 1, 10, 0.0, power=power)
    for law in _laws():
        yield Cell("retraining", "a fixed value", *law, RETRAINING, True, False)
        yield Cell("retraining", "another run", *law, RETRAINING)
    for run_sd, runs in ((0.01, 3), (0.02, 3), (0.03, 5), (0.05, 9), (0.1, 28)):
        for against, power in (("a fixed value", 0.8), ("another run", math.nan)):
            yield Cell("retraining", against, run_sd, 0.009, 0.4, runs, 10, 0.0, power=power,
                       at_least=True)  # fmt: skip
    for law in _laws():
        if law[3] != 2 and law[2] != 0.4:
            yield Cell("ranking", "teacher", *law, 0.0, True)
            yield Cell("ranking", "b", *law, 0.0, True)
    yield Cell("retraining", "a fixed value", 0.05, 0.01, 0.4, 1, 10, 0.0, True)
    yield Cell("ranking", "b", 0.1, 0.01, 0.4, 1, 10, 0.0, True)


def _laws() -> Iterator[tuple[float, float, float, int, int]]:
    """Run sd, redraw sd, shared part, N and K: corners, and the middle for more shared parts."""
    corners = ((0.01, 0.005), (0.01, 0.05), (0.1, 0.005), (0.1, 0.05))
    designs = ((2, 3), (3, 3), (3, 10), (5, 3), (5, 10))
    for (run_sd, redraw_sd), shared, (n, k) in itertools.product(corners, (0.0, 0.9), designs):
        yield run_sd, redraw_sd, shared, n, k
    for n, k in designs:
        yield 0.03, 0.02, 0.4, n, k


def simulate(cell: Cell, experiments: int, seed: int) -> dict[str, float]:
    """The shares of verdicts, and how often intervals cover the truth.

    Args:
        cell: the law.
        experiments: how many.
        seed: of their random numbers.
    """
    rng = np.random.default_rng(seed)
    judged = list(_experiments(cell, experiments, rng))
    outcomes = [verdict.verdict for verdict, _ in judged]
    with_limits = [(v, truth) for v, truth in judged if math.isfinite(v.low)]
    covered = [v.low <= math.exp(truth.ratio) <= v.high for v, truth in with_limits]
    new = [v.new_low <= math.exp(truth.new) <= v.new_high for v, truth in with_limits]
    return {
        "kept": float(np.mean([each in KEPT for each in outcomes])),
        "broken": float(np.mean([each in BROKEN for each in outcomes])),
        "coverage": float(np.mean(covered)),
        "new_coverage": float(np.mean(new)) if cell.against != "b" else math.nan,
    }


def _experiments(
    cell: Cell, experiments: int, rng: np.random.Generator
) -> Iterator[tuple[Verdict, Truth]]:
    make: Callable[[Cell, np.random.Generator], tuple[Array, Claim, Truth]]
    make = {"checkpoint": _checkpoint, "retraining": _retraining, "ranking": _ranking}[cell.kind]
    values, claim, _ = make(cell, rng)
    own, rest = values[: cell.runs], values[cell.runs :]
    rows = [rows_of(own, role="external" if cell.kind == "checkpoint" else "final")]
    if len(rest):
        rows.append(rows_of(rest, **(TEACHER if cell.against == "teacher" else {"recipe": "b"})))
    table = table_of(*rows)
    for _ in range(experiments):
        values, claim, truth = make(cell, rng)
        table["value"] = np.exp(values).ravel()
        (verdict,) = judge(table, claims_of(claim), [claim.name])
        yield verdict, truth


def _noise(cell: Cell, runs: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Of runs [N, 1], of draws [1, K], and of each [N, K]."""
    run = cell.run_sd * rng.standard_normal((runs, 1))
    draw = math.sqrt(cell.shared) * cell.redraw_sd * rng.standard_normal((1, cell.draws))
    own = math.sqrt(1 - cell.shared) * cell.redraw_sd * rng.standard_normal((runs, cell.draws))
    return run, draw, own


def _checkpoint(cell: Cell, rng: np.random.Generator) -> tuple[Array, Claim, Truth]:
    """Our draws of a generator, and the publisher's of one that is better by the gap."""
    _, draw, own = _noise(cell, 1, rng)
    published = -cell.gap + cell.redraw_sd * rng.standard_normal(10)
    value = {
        "mean of 10": published.mean(),
        "single": published[0],
        "minimum of 3": published[:3].min(),
    }[cell.against]
    claim = claim_of("checkpoint", of=cell.against, draws=cell.draws)
    mean = math.log(2) + draw + own
    # The printed ratio of a new draw leaves out how far the published value is from its mean.
    add = SHIFT["minimum of 3"] * float(mean.std(ddof=1)) if cell.against == "minimum of 3" else 0.0
    new = cell.redraw_sd * rng.standard_normal() - value - add
    return mean, _with(claim, 2 * math.exp(value)), Truth(cell.gap, new)


def _retraining(cell: Cell, rng: np.random.Generator) -> tuple[Array, Claim, Truth]:
    """Our runs, and a published value or one run of a law that is better by the gap."""
    run, draw, own = _noise(cell, cell.runs, rng)
    value, published, new = -cell.gap, *_published_runs(cell, rng)
    if cell.against == "another run":
        value += published
    claim = claim_of("retraining", draws=cell.draws, bound=0.05)
    new -= value
    return math.log(2) + run + draw + own, _with(claim, 2 * math.exp(value)), Truth(-value, new)


def _published_runs(cell: Cell, rng: np.random.Generator) -> tuple[float, float]:
    """Two runs, each read as published numbers are: as a mean of ten draws of its own."""
    sd = math.hypot(cell.run_sd, cell.redraw_sd / math.sqrt(10))
    first, second = (sd * rng.standard_normal(2)).tolist()
    return first, second


def _ranking(cell: Cell, rng: np.random.Generator) -> tuple[Array, Claim, Truth]:
    """Our runs, below them those of another recipe of the same law, or a teacher's draws."""
    others = 1 if cell.against == "teacher" else cell.runs
    run, draw, own = _noise(cell, cell.runs + others, rng)
    if cell.against == "teacher":
        run[-1] = 0
    claim = claim_of("ranking", against=cell.against, draws=cell.draws, bound=1.0)
    new = cell.run_sd * rng.standard_normal()
    return math.log(2) + run + draw + own, claim, Truth(0.0, new)


def _with(claim: Claim, value: float) -> Claim:
    return claim._replace(number=Number(f"{value:.5f}", "", "a source", "primary", "", ()))


def misses(cell: Cell, found: dict[str, float], experiments: int) -> list[str]:
    """Which bounds a cell misses by more than two Monte Carlo errors."""
    missed = []
    allowed = ERROR + 2 * math.sqrt(ERROR * (1 - ERROR) / experiments)
    for share, false in (("kept", cell.kept_is_false), ("broken", cell.broken_is_false)):
        if false and found[share] > allowed:
            missed.append(f"false {share} {found[share]:.1%}")
    if cell.runs == 1 and cell.kind != "checkpoint" and found["kept"] + found["broken"] > 0:
        missed.append("one run decides")
    least = LEVEL - SLACK - 2 * math.sqrt(LEVEL * (1 - LEVEL) / experiments)
    for name in ("coverage", "new_coverage"):
        if found[name] < least and (cell.runs > 1 or cell.kind == "checkpoint"):
            missed.append(f"{name.replace('_', ' ')} {found[name]:.1%}")
    off = found["kept"] - cell.power
    if off < -POWER_SLACK or (off > POWER_SLACK and not cell.at_least):
        missed.append(f"power {found['kept']:.1%} where {cell.power:.0%} is tabulated")
    return missed


def main(
    out: Annotated[Path | None, typer.Option(help="The table, a CSV.")] = None,
    experiments: Annotated[int, typer.Option(help="Of each cell.")] = 2000,
    seed: Annotated[int, typer.Option()] = 0,
) -> None:
    """Simulate all cells, print those that miss a bound, and write the table."""
    gc.freeze()
    gc.disable()  # Nothing here makes cycles, and the libraries' objects are many.
    rows = []
    for number, cell in enumerate(cells()):
        count, found = experiments, simulate(cell, experiments, seed + number)
        first = missed = misses(cell, found, count)
        if first:
            count = AGAIN * experiments
            found = simulate(cell, count, FRESH + seed + number)
            missed = misses(cell, found, count)
            print(f"{'FAIL' if missed else 'again'}  {cell}: {first}, then {missed}", flush=True)
        told = {"first_missed": "; ".join(first), "missed": "; ".join(missed)}
        rows.append({**cell._asdict(), **found, "experiments": count, **told})
    passed, at_once = (sum(not row[name] for row in rows) for name in ("missed", "first_missed"))
    print(f"{passed} of {len(rows)} cells pass, {at_once} at once")
    if out:
        table = pd.DataFrame(rows).round(6)
        write_atomic(out, lambda path: table.to_csv(path, index=False))


if __name__ == "__main__":
    typer.run(main)
