"""`--config try=true`: every kind of job of an experiment, small, in folders of its own."""

import os
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from sid.cost.disk import run_disk, workspace
from sid.evaluate.records import load_table
from sid.networks import load_network
from sid.runs.folder import RunFolder
from sid.runs.removed import read_removed
from tests.commands import snakemake
from tests.conftest import CPU, tiny_recipe, tiny_teacher
from tests.workflow.test_workflow import counts_of, run

DRY = ("-n", "--quiet", "rules", "--config")


@pytest.mark.parametrize("name", ["cifar10", "demo"])
def test_every_kind_of_job_of_the_real_run(checkout: Path, name: str) -> None:
    found = []
    for small in ("false", "true"):
        done = snakemake(*DRY, f"experiment={name}", f"try={small}", cwd=checkout)
        assert done.returncode == 0, done.stderr
        found.append(counts_of(done))
    real, tried = found
    assert tried.keys() == real.keys()
    assert tried["total"] <= real["total"]
    if name == "cifar10":
        assert min(tried["distill_leg"], tried["evaluate_snapshots"]) >= 2
        assert tried["distill"] == real["distill"] == 5


def test_the_end_says_what_was_tried_and_what_the_real_run_asks_for(checkout: Path) -> None:
    """The data set is made where the real run finds it; of the demo nobody asks GPU-hours."""
    words = ("snakemake", "--cores", "1", "--config", "try=true", "--", "results/data/digits.zip")
    done = run(*words, cwd=checkout)
    assert done.returncode == 0, done.stderr
    assert (checkout / "results/data/digits.zip").exists()
    lines = [line for line in done.stderr.splitlines() if line.startswith(("Tried", "The real"))]
    assert lines[0] == "Tried on local: 1 data"
    assert lines[1].startswith("The real run asks for 5 trainings of 1 task")
    assert "and 7 evaluations of 1 task" in lines[1]
    again = run(*words, cwd=checkout)
    assert "Tried" not in again.stderr


def size(*folders: Path) -> int:
    """Bytes of all files, those apart that go while they are counted."""
    found = 0
    for path in (
        Path(place, name) for top in folders for place, _, names in os.walk(top) for name in names
    ):
        with suppress(FileNotFoundError):
            found += path.stat().st_size
    return found


@pytest.mark.slow
def test_a_try_runs_to_the_page_and_takes_no_more_disk_than_counted(checkout: Path) -> None:
    """Recipes of which a twenty-thousandth is what other tests train in seconds."""
    budget = 20_000.0
    network = {**tiny_teacher().network, "model_channels": 24}  # Snapshots are most of the disk.
    recipes = {
        "teacher": tiny_teacher(kimg=1.0 * budget, ema_kimg=0.5 * budget, network=network),
        "sid": tiny_recipe(kimg=1.0 * budget, ema_kimg=0.5 * budget),
    }
    for name, recipe in recipes.items():
        path = checkout / "config" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe.model_dump(mode="json")))
    over = checkout / "over.yaml"
    chosen = {"teacher": "config/teacher.yaml", "recipes": ["config/sid.yaml"]}
    over.write_text(yaml.safe_dump(chosen))
    results = checkout / "results" / "try"
    parts = [results / stage / "sid" for stage in ("distill", "evaluate")]
    words = ("--cores", "2", "--quiet", "rules", "--config", "try=true", "leg_kimg=0.5")
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run, "snakemake", *words, "--configfile", str(over), cwd=checkout)
        peak = 0
        while not running.done():
            peak = max(peak, size(*parts))
            time.sleep(0.01)
    done = running.result()
    assert done.returncode == 0, done.stderr
    (tried,) = (line for line in done.stderr.splitlines() if line.startswith("Tried on local"))
    assert "2 distill_leg, " in tried
    assert "2 evaluate_snapshots, " in tried
    assert "The real run asks for 16 trainings of 1 task" in done.stderr

    folder = RunFolder(results / "distill" / "sid" / "seed0")
    gone = read_removed(folder.path)
    assert gone
    assert not any((folder.snapshots / name).exists() for name in gone)
    records = load_table(results / "records.csv")
    curve = records[records["role"] == "curve"]
    assert {one.images for one in gone.values()} < set(curve["images"])
    assert (checkout / "reports" / "try" / "index.html").exists()
    assert {path.name for path in (checkout / "results").iterdir()} == {"data", "try"}

    last, _ = load_network(folder.last_snapshot(), CPU)
    asked = tiny_recipe()
    room = workspace(last.architecture.image_shape, n=200, width=64 + 10)
    said = run_disk(last.architecture, asked.times(), asked.leg_ends(0.5), [], asked.batch, room)
    assert peak <= 1.05 * said.peak
