"""Processor seconds of `sid evaluate run`, in this checkout and in another.

    git worktree add ../before COMMIT
    python -m benchmarks.evaluate_run ../before --rounds 3

The run is one of the digits with the demo's numbers of images, trained in half a minute. Both
checkouts evaluate it in turn, in processes of their own, and measure every snapshot anew; what both
have measured is compared. Seconds are those that were computed: other work on the machine counts
only by the cache that it takes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

WHICH = ("role", "images", "selection", "draw", "implementation", "metric")
# What the current folder holds comes first in the path of modules: `sid` is that of the checkout.
SID = "import sys; sys.path.insert(0, ''); from sid.cli import main; main()"


def sid(checkout: Path, words: str, *more: object) -> float:
    """Run a command of a checkout; processor seconds of it."""
    before = os.times()
    command = [sys.executable, "-c", SID, *words.split(), *map(str, more)]
    subprocess.run(command, check=True, cwd=checkout, stdout=subprocess.DEVNULL)
    after = os.times()
    return after.children_user + after.children_system - sum(before[2:4])


def train(folder: Path, budget: float) -> list[Path]:
    """The run that is evaluated, its data and its extractor."""
    data, teacher, run, extractor = (
        folder / name for name in ("digits.zip", "t", "r", "e.safetensors")
    )
    recipes, trained = "config/recipes/digits", ["--budget", budget, "--quiet", "--data", data]
    here = Path.cwd()
    sid(here, "data digits --out", data)
    sid(here, f"teacher train --recipe {recipes}/digits.yaml --out", teacher, *trained)
    sid(here, f"distill --recipe {recipes}/sid.yaml --out", run, "--teacher", teacher, *trained)
    sid(here, "evaluate extractor", data, "--out", extractor)
    return [run, data, extractor]


def values(path: Path) -> dict[tuple[object, ...], tuple[float, float]]:
    """Values and errors, nan where there is none, by what they are of."""
    return {
        tuple(record[key] for key in WHICH): (record["value"], float(record["stderr"] or np.nan))
        for record in json.loads(path.read_text())["records"]
    }


def main(
    other: Annotated[Path, typer.Argument(help="A checkout of another commit.")],
    rounds: Annotated[int, typer.Option(min=1)] = 3,
    budget: Annotated[float, typer.Option(help="Of the training.")] = 0.05,
    n_curve: Annotated[int, typer.Option(help="Images per snapshot.")] = 5000,
    n_final: Annotated[int, typer.Option(help="Images per draw.")] = 8000,
) -> None:
    """Measure, and print seconds, ratios and how far the values are apart."""
    sides = {"here": Path.cwd(), "other": other.resolve()}
    seconds: dict[str, list[float]] = {side: [] for side in sides}
    found: dict[str, dict[tuple[object, ...], tuple[float, float]]] = {}
    with tempfile.TemporaryDirectory() as place:
        run, data, extractor = train(Path(place), budget)
        words = [run, data, "--extractor", extractor, "--n-curve", n_curve, "--n-final", n_final]
        for turn in range(rounds):
            for side in list(sides)[:: 1 if turn % 2 else -1]:
                shutil.rmtree(run / "measured", ignore_errors=True)
                json_file = Path(place) / f"{side}.json"
                command = [*words, "--quiet", "--json", json_file]
                seconds[side].append(sid(sides[side], "evaluate run", *command))
                found[side] = values(json_file)
    for side in sides:
        print(f"{side}: {' '.join(f'{one:.1f}' for one in seconds[side])} processor seconds")
    ratios = np.divide(seconds["other"], seconds["here"])
    print(f"other to here: {' '.join(f'{ratio:.2f}' for ratio in ratios)}")
    both = found["here"].keys() & found["other"].keys()
    here, there = (np.array([found[side][one] for one in both]) for side in sides)
    off = np.nanmax(np.abs(here - there) / np.abs(there))
    counts = " and ".join(str(len(found[side])) for side in sides)
    print(f"{counts} values; the {len(both)} that both have, and their errors, differ by {off:.1g}")


if __name__ == "__main__":
    typer.run(main)
