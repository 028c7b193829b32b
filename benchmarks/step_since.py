"""Seconds of a step of this checkout over those of an earlier one, of SiD and SiDA.

    git worktree add ../earlier COMMIT
    python -m benchmarks.step_since ../earlier

Each checkout computes in a process of its own; their rounds take turns.
"""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from benchmarks.step_throughput import METHODS, spread

ROOT = Path(__file__).resolve().parent.parent
# One line in, the seconds of so many steps out.
WORKER = """
import sys
import torch
from benchmarks import step_throughput as it
from sid.distill.distillation import Distillation
from sid.runs.world import World
torch.set_num_threads(1)
method, size, batch = sys.argv[1], sys.argv[2], int(sys.argv[3])
made = it.recipe(method, batch, batch, 0.12, "fp32")
given = (made, it.network(size), None, it.data(size), 0, torch.device("cpu"), World())
step, place = Distillation(*given).step, 0
for line in sys.stdin:
    begin = it.clock()
    for _ in range(int(line)):
        step(place)
        place += batch
    print(it.clock() - begin, flush=True)
"""


def worker(checkout: Path, *words: str) -> subprocess.Popen[str]:
    """A process that computes with a checkout's code."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", WORKER, *words]
    return subprocess.Popen(command, cwd=checkout, stdin=pipe, stdout=pipe, text=True)


def seconds(process: subprocess.Popen[str], steps: int) -> float:
    """What some steps took."""
    assert process.stdin
    assert process.stdout
    print(steps, file=process.stdin, flush=True)
    return float(process.stdout.readline())


def main(
    earlier: Annotated[Path, typer.Argument(help="A checkout of an earlier commit.")],
    size: Annotated[str, typer.Option(help="As of benchmarks.step_throughput.")] = "small",
    batch: Annotated[int, typer.Option(help="Images per update.")] = 16,
    rounds: Annotated[int, typer.Option(help="Rounds of each side.")] = 30,
    steps: Annotated[int, typer.Option(help="Steps per round.")] = 3,
) -> None:
    """Print the ratio of the seconds, its median and quartiles over rounds."""
    for method in METHODS:
        sides = [worker(place, method, size, str(batch)) for place in (ROOT, earlier)]
        for side in sides:
            seconds(side, 2)
        ratios = []
        for turn in range(rounds):
            order = sides if turn % 2 else sides[::-1]
            took = {id(side): seconds(side, steps) for side in order}
            ratios.append(took[id(sides[0])] / took[id(sides[1])])
        for side in sides:
            side.communicate()
        print(f"{method:4}  now / {earlier}: {spread(np.array(ratios))}", flush=True)


if __name__ == "__main__":
    typer.run(main)
