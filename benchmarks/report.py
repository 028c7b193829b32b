"""How long the tables and figures of a large merged records file take.

    python -m benchmarks.report --records 100000

The records are synthetic: laws of the distance, three training seeds, three implementations.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from sid.evaluate.records import Record, load_table
from sid.report.agreement_figure import plot_agreement
from sid.report.agreement_text import agree
from sid.report.benchmark import benchmarks
from sid.report.gather import Sources, gather
from sid.report.style import write_figure
from sid.verdict.claim import load_claims
from sid.verdict.claims import judge
from sid.verdict.published import load_published
from sid.verdict.verdict import to_table

METRICS = {"frechet_distance": 1.0, "inception_score": 0.0, "precision": 0.0, "recall": 0.0}
IMPLEMENTATIONS = {"nvidia": 0.0, "ours": 3e-7, "torch-fidelity": 2e-5}
TEACHER = "edm-cifar10-32x32-uncond-vp"
# recipe: (published kimg, distance there, method, start).
RECIPES = {
    "cifar10-uncond-sid-alpha1": (416768.0, 2.03, "sid", ""),
    "cifar10-uncond-sid-alpha1.2": (403968.0, 1.92, "sid", ""),
    "cifar10-uncond-sida-alpha1": (217920.0, 1.52, "sida", ""),
    "cifar10-uncond-sid2a-alpha1": (28160.0, 1.50, "sida", "cifar10-uncond-sid-alpha1.2"),
    "cifar10-uncond-sid2a-alpha1.2": (22528.0, 1.52, "sida", "cifar10-uncond-sid-alpha1.2"),
}


def cifar10(
    recipes: dict[str, tuple[float, float, str, str]] | None = None,
    teacher: str = TEACHER,
    seeds: int = 3,
    snapshots: int = 30,
    draws: int = 10,
    external: tuple[str, ...] = (),
    noise: float = 0.009,
) -> pd.DataFrame:
    """Records as those of a finished `experiment=cifar10`.

    Args:
        recipes: kimg and distance of the end, method and start of each.
        teacher: its recipe.
        seeds: of training.
        snapshots: of each run.
        draws: of each selected snapshot and of the teacher.
        external: recipes whose published checkpoint is measured as well.
        noise: standard deviation of a log distance from draw to draw.
    """
    recipes = RECIPES if recipes is None else recipes
    rng, rows = np.random.default_rng(3), list[dict[str, object]]()

    def add(value: float, **fields: object) -> None:
        value *= float(np.exp(noise * rng.standard_normal()))
        numbers = (value, 10.3 - 0.2 * float(np.log(value)), 0.66 / (1 + value / 60), 0.6)
        rows.extend(
            _record(metric, implementation, number * (1 + off * rng.uniform(0.2, 1)), fields)
            for metric, number in zip(METRICS, numbers, strict=True)
            for implementation, off in IMPLEMENTATIONS.items()
        )

    for recipe, (kimg, end, method, start) in recipes.items():
        stops = np.geomspace(kimg / 400, kimg, snapshots - 1)
        for seed in range(seeds):
            run = {"recipe": recipe, "method": method, "run_seed": seed}
            own = end * float(np.exp(0.02 * rng.standard_normal()))
            first = 2.6 if start else 300.0
            for at in (0.0, *stops):
                slope = np.log(first / own) / np.log(401)
                value = own * float(((kimg + kimg / 400) / (at + kimg / 400)) ** slope)
                add(value, role="curve", **run, **_seen(at))
            for selection in ("last", "best"):
                for draw in range(1, draws + 1):
                    at = _seen(kimg if selection == "best" else kimg * 1.1)
                    add(own, role="final", selection=selection, draw=draw, **run, **at)
        if recipe in external:
            for draw in range(1, draws + 1):
                add(end, role="external", recipe=recipe, draw=draw, weights_sha256="e" * 64)
    for draw in range(draws + 1):
        add(1.99, role="teacher", recipe=teacher, method="teacher", nfe=35, draw=draw)
    return pd.DataFrame(rows, columns=list(Record.model_fields))


def _seen(kimg: float) -> dict[str, object]:
    images = int(kimg * 1000)
    return {"images": images, "kimg": images / 1000, "iterations": images // 256}


def _record(
    metric: str, implementation: str, value: float, fields: dict[str, object]
) -> dict[str, object]:
    known: dict[str, object] = {"nfe": 1, "draw": 0, **fields}
    whose = "-".join(str(known.get(key, "")) for key in ("role", "recipe", "run_seed", "images"))
    return Record.model_validate(
        {
            "dataset": "cifar10-32x32",
            "generated_sha256": f"{whose}-{known['draw']}-{known.get('selection', '')}",
            "metric": metric,
            "extractor": "inception-2015",
            "extractor_sha256": "f" * 64,
            "implementation": implementation,
            "implementation_version": "1",
            "value": value,
            "n_images": 50000,
            "n_reference": None,
            "reference_sha256": "d" * 64,
            "seed": known["draw"],
            "seconds": 1.0,
            "device": "H100",
            "torch": "2.13.0",
            "git": "0123abc",
            **known,
        }
    ).model_dump()


def main() -> None:
    """Make a table of so many records, write its report, and print the seconds."""
    parser = argparse.ArgumentParser(description="Time the report of a large table.")
    parser.add_argument("--records", type=int, default=100_000, help="at least so many")
    asked = parser.parse_args().records
    one = len(cifar10(snapshots=1, draws=1))
    each = len(cifar10(snapshots=2, draws=1)) - one  # Records of one more snapshot of all runs.
    known = len(cifar10(snapshots=1, external=tuple(RECIPES)))
    table = cifar10(snapshots=1 + max(1, -(-(asked - known) // each)), external=tuple(RECIPES))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.csv"
        table.to_csv(path, index=False)
        start = time.perf_counter()
        records, claims = load_table(path), load_claims()
        read = time.perf_counter()
        verdicts = to_table(judge(records, claims))
        judged = time.perf_counter()
        sources = Sources(claims, verdicts, load_published(claims.path.parent / "results.csv"))
        for group in benchmarks(records, claims):
            gather(group, sources, Path(folder), "")
        gathered = time.perf_counter()
        agreement = agree(records)
        write_figure(plot_agreement(agreement.found, agreement.noise), Path(folder) / "agreement")
        end = time.perf_counter()
    print(f"{len(table):,} records")
    for what, seconds in (
        ("reading", read - start),
        ("verdicts", judged - read),
        ("tables and figures", gathered - judged),
        ("agreement", end - gathered),
        ("tables and figures in all, with reading", end - start - (judged - read)),
    ):
        print(f"{what}: {seconds:.1f} s")


if __name__ == "__main__":
    main()
