"""A page of the moment with a run in every state, over synthetic records of the digits."""

from pathlib import Path

from sid.report.benchmark import benchmarks
from sid.report.gather import Missing
from sid.report.progress import Progress, progress, verdicts_so_far
from sid.report.status import Status
from sid.report.writing import Measured, write_page
from sid.verdict.claim import TEACHER, load_claims
from tests.verdict.synthetic import make_records

REASON = "the images are all alike: their spread is 0.04 of that of the data, below min_spread 0.1"
REACHED = "sid2a/retrained-fid at 9 kimg: 0.71 (0.70 to 0.72) over 10 draws"
RATE = {"rate": 3360.0, "hours": 19.83, "unit": "GPU-hours"}
STATUSES = [
    Status("sid", 0, "ended", "", 60_000, 60_000, **RATE),
    Status("sid", 1, "pauses", "silent for 3 h 20 min", 30_000, 60_000, **RATE),
    Status("sida", 0, "trains", "", 30_500, 60_000, **RATE),
    Status("sida", 1, "stopped", REASON, 20_000, 60_000, **RATE),
    Status("sid2a", 0, "reached", REACHED, 9_000, 20_000, **RATE),
    Status("sid2a", 1, "waits", "", 0, 20_000),
    Status("diff-instruct", 0, "ended", "", 60_000, 60_000, **RATE),
]


def write_moment(out: Path) -> tuple[Path, Progress]:
    """Write the page; it, and its section of runs."""
    claims, table = load_claims(), make_records(seeds=(0, 1))
    ends = {(one.recipe, one.seed): one.images for one in STATUSES}
    keys = zip(table["recipe"], table["run_seed"], strict=True)
    limits = [ends.get(key, table["images"].max()) for key in keys]
    table = table[table["images"] <= limits]
    ended = {("sid", 0), ("diff-instruct", 0)}
    runs = zip(table["role"], table["recipe"], table["run_seed"], strict=True)
    table = table[[role != "final" or (recipe, seed) in ended for role, recipe, seed in runs]]
    found = benchmarks(table, claims)
    finals = {TEACHER, *(f"{recipe}/seed{seed}" for recipe, seed in ended)}
    shown = progress(STATUSES, found, claims, finals, "28 November 2026, 08:55 UTC")
    own = {one.recipe for one in STATUSES}
    names = [
        name
        for name, claim in claims.claims.items()
        if claim.subject in own and claim.against in {*own, TEACHER, ""}
    ]
    verdicts = verdicts_so_far(table, claims, names, shown.pending)
    pictures = {"samples": Missing("samples", "drawn in the end")}
    return write_page(Measured(table, verdicts, claims, found), pictures, out, shown), shown
