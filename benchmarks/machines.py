"""How far the demo's outcome is from itself on other processors and with other seeds.

    python -m benchmarks.machines --work results/machines --out reports/reference/spread.csv
    python -m benchmarks.machines --run sse:1 --budget short --work results/sse --out sse.csv

One processor puts on the instruction sets of others: PyTorch, oneDNN, MKL, OpenBLAS and NumPy
each have a variable for it. Every run is the whole demo with folders of its own; a machine's
other seeds take over its data and teacher, which no seed changes. What is finished
is not run again.
"""

import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, NamedTuple

import pandas as pd
import typer

from sid.evaluate.records import load_table
from sid.report.compare import COLUMNS, quantities
from sid.verdict.claim import load_claims

ROOT = Path(__file__).resolve().parent.parent


class Machine(NamedTuple):
    """A processor that this one can pass for.

    Attributes:
        variables: of the environment.
        threads: of each job.
    """

    variables: dict[str, str]
    threads: int = 1


def older(aten: str, isa: str, openblas: str, numpy: str) -> dict[str, str]:
    """The variables of a processor that knows only these; NumPy is told what to leave out."""
    return {
        "ATEN_CPU_CAPABILITY": aten,
        "ONEDNN_MAX_CPU_ISA": isa,
        "MKL_ENABLE_INSTRUCTIONS": {"SSE41": "SSE4_2"}.get(isa, isa),
        "OPENBLAS_CORETYPE": openblas,
        "NPY_DISABLE_CPU_FEATURES": numpy,
    }


NEWER = "X86_V4 AVX512_ICL AVX512_SPR"
MACHINES = {
    "native": Machine({}),
    "avx2": Machine(older("avx2", "AVX2", "Haswell", NEWER)),
    "avx-2-threads": Machine(older("default", "AVX", "Sandybridge", f"X86_V3 {NEWER}"), threads=2),
    "sse": Machine(older("default", "SSE41", "Nehalem", f"X86_V3 {NEWER}")),
}
RUNS = (*(f"native:{seed}" for seed in range(5)), *(f"{name}:0" for name in list(MACHINES)[1:]))
KEPT = ("data", "teacher", "evaluate/extractor.safetensors", "evaluate/teacher.json")


def demo(machine: str, seed: int, folder: Path, budget: str) -> float:
    """Run the demo as a machine with a seed; seconds that it took.

    Args:
        machine: of `MACHINES`.
        seed: of the distillations.
        folder: for results and reports.
        budget: as of `make demo`.
    """
    told = MACHINES[machine]
    settings = [f"seeds=[{seed}]", f"results={folder / 'results'}", f"reports={folder / 'reports'}"]
    settings += [f"threads={{teacher: {told.threads}, distill: {told.threads}}}"]
    # As `make` does: Snakemake's jobs find `sid` on the path.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    start = time.monotonic()
    subprocess.run(
        [sys.executable, "workflow/launch.py", budget, "--config", *settings],
        cwd=ROOT,
        env={**os.environ, "PATH": path, **told.variables},
        check=True,
    )
    return time.monotonic() - start


def main(
    work: Annotated[Path, typer.Option(help="Folder for the runs, in this checkout.")],
    out: Annotated[Path, typer.Option(help="The table, a CSV.")],
    runs: Annotated[list[str] | None, typer.Option("--run", help="MACHINE:SEED.")] = None,
    budget: Annotated[str, typer.Option(help="As of `make demo`.")] = "demo",
) -> None:
    """Run all, write what each ends with, and print the seconds."""
    rows = []
    for run in runs or RUNS:
        machine, _, seed = run.partition(":")
        folder = work / f"{machine}-{seed}"
        records = folder / "results" / "records.csv"
        if not records.exists():
            first = work / f"{machine}-0"
            if first.exists() and not folder.exists():
                for name in KEPT:
                    take(first / "results" / name, folder / "results" / name)
            seconds = demo(machine, int(seed), folder, budget)
            print(f"{run}: {seconds:.0f} s", flush=True)
        for name, value in quantities(load_table(records), load_claims()).items():
            label = f"{processor()}, {machine}"
            rows.append(dict(zip(COLUMNS, (label, int(seed), name, value), strict=True)))
    pd.DataFrame(rows, columns=list(COLUMNS)).to_csv(out, index=False)


def take(source: Path, target: Path) -> None:
    """Copy a file or a folder with its times, by which Snakemake tells what is new."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copy2(source, target)


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    typer.run(main)
