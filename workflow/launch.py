"""Run the workflow for `make`: one at a time, and after a kill without unlocking by hand."""

import fcntl
import os
import sys
import time
from pathlib import Path

from snakemake.cli import main as snakemake

from sid.errors import explain, speak_any_encoding

ROOT = Path(__file__).resolve().parent.parent
BUDGETS: dict[str, list[str]] = {"demo": []} | {
    path.stem: ["--configfile", str(path.relative_to(ROOT))]
    for path in sorted((ROOT / "config" / "budget").glob("*.yaml"))
}


def launch(budget: str, arguments: list[str]) -> int:
    """Run Snakemake with the configuration of `budget` and say where the page is.

    Snakemake's own lock outlives a killed process and must then be removed by hand; this one
    belongs to the open file and ends with the process, so `--nolock` is safe behind it.

    Args:
        budget: `demo`, or a file of `config/budget/`.
        arguments: passed on to Snakemake.

    Returns:
        The exit status; 2 when the budget is unknown or another workflow runs here.
    """
    if budget not in BUDGETS:
        print(f"error: BUDGET={budget}: unknown; known are {', '.join(BUDGETS)}", file=sys.stderr)
        return 2
    os.chdir(ROOT)
    folder = Path(".snakemake")
    folder.mkdir(exist_ok=True)
    with (folder / "launch.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("error: another `make demo` is running in this folder", file=sys.stderr)
            return 2
        start, began = time.monotonic(), time.time()
        profile = ["--profile", "workflow/profiles/local"]
        if "--executor" in arguments:  # Which says itself where jobs run, and how many.
            profile = ["--rerun-incomplete", "--quiet", "rules", "reason", "host"]
        try:
            # Targets first: --configfile takes every word that follows it.
            snakemake([*arguments, *profile, "--nolock", *BUDGETS[budget]])
        except SystemExit as stop:
            if stop.code:
                again = "make demo" + ("" if budget == "demo" else f" BUDGET={budget}")
                print("The demo stopped.", *causes(began), sep="\n", file=sys.stderr)
                print(f"Finished work is kept. Mend that and run: {again}", file=sys.stderr)
                return stop.code if isinstance(stop.code, int) else 1
        reports = ROOT / "reports" / ("" if budget == "demo" else budget)
        print(f"Done in {time.monotonic() - start:.0f} s. Open {reports / 'index.html'}")
    return 0


def causes(began: float) -> list[str]:
    """The errors in the logs of jobs that were written since a time, which Snakemake buries."""
    logs = [path for path in Path("results").glob("**/logs/*.log") if path.stat().st_mtime >= began]
    lines = [line for path in logs for line in path.read_text(errors="replace").splitlines()]
    return list(dict.fromkeys(line for line in lines if line.startswith("error: ")))


if __name__ == "__main__":
    speak_any_encoding()
    try:
        raise SystemExit(launch(sys.argv[1], sys.argv[2:]))
    except OSError as error:
        print(f"error: {explain(error)}", file=sys.stderr)
        raise SystemExit(2) from error
