"""What experiments come to: evaluation is a small part of training, and the disk is bounded."""

from pathlib import Path
from typing import Any

import pytest

from sid.config import lay_over, read_layers
from sid.cost.plan import kept_times, run_cost, summary, teacher_hours, total
from sid.cost.tried import asking
from sid.errors import UserError
from sid.experiment import Plan, load_plan
from tests.commands import refused, sid

ROOT = Path(__file__).resolve().parents[2]
SID, SIDA = "cifar10-uncond-sid-alpha1.2", "cifar10-uncond-sida-alpha1"


@pytest.fixture(autouse=True)
def at_the_top(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def plan(name: str = "cifar10", **changes: Any) -> Plan:
    return load_plan(lay_over(read_layers(Path(f"config/{name}.yaml")), changes))


def test_sid_on_cifar10_is_measured_for_little_and_fits_in_20_gb() -> None:
    found = run_cost(plan(), SID, "H100")
    assert found.asked.curve == ("nvidia",)
    assert found.evaluation.total < 0.1 * found.training.gpu_hours
    assert found.evaluation.total < 0.7 * found.whole.total
    assert found.disk.end < found.disk.peak < 20e9


def test_disk_grows_with_what_is_kept_and_with_legs() -> None:
    peaks = [run_cost(plan(keep=keep), SID, "H100").disk for keep in ("best", "curve", "all")]
    assert peaks == sorted(peaks, key=lambda each: each.peak)
    assert peaks[2].peak > 200e9
    longer = run_cost(plan(leg_kimg=20480), SID, "H100").disk
    # Forty snapshots of 4 bytes for each of 55.7 million numbers more while two legs are there.
    assert longer.peak - peaks[1].peak == pytest.approx(40 * 4 * 55_733_891, rel=0.01)
    assert longer.end == peaks[1].end


def test_kept_times() -> None:
    recipe = plan().recipes[SID]
    assert kept_times(recipe, "best") == []
    assert kept_times(recipe, "all") == recipe.times()
    assert set(kept_times(recipe, "curve")) < set(recipe.times())


def test_a_sum_is_that_of_its_runs_with_the_teacher() -> None:
    given = plan()
    one, other = (run_cost(given, name, "A100") for name in (SID, SIDA))
    found = total(given, {SID: 2, SIDA: 1}, "A100")
    assert found.runs == 3
    assert found.training == pytest.approx(2 * one.training.gpu_hours + other.training.gpu_hours)
    measured = 2 * one.evaluation.total + other.evaluation.total
    assert found.evaluation == pytest.approx(measured + teacher_hours(given, "A100").total)
    assert found.disk.peak > 2 * one.disk.peak + other.disk.peak


def test_nothing_is_said_where_it_cannot_be_counted() -> None:
    with pytest.raises(UserError, match="its network has the size of its data"):
        summary(plan("demo"), ["sid"])
    (line,) = asking(plan("demo"))
    assert line.startswith("The real run asks for 5 trainings of 1 task")
    with pytest.raises(UserError, match=r"extractors\.csv: has no extractor dinov2-vitl14"):
        summary(plan(evaluation={"extractor": "dinov2-vitl14", "curve": "ours"}), [SID])


def test_the_real_run_asks_for_every_leg_and_group() -> None:
    given = plan(seeds=[0, 1])
    first, *costs = asking(given)
    legs = 2 * sum(len(each.leg_ends(10240)) for each in given.recipes.values())
    assert f"{legs} trainings of 4 GPUs for at most 24 hours at a time" in first
    assert "in each of 10 runs" in first
    assert f"{legs + 2} evaluations of 1 GPU" in first
    assert costs == summary(given, [name for name in given.recipes for _ in range(2)])


def test_an_experiment_is_printed_by_recipe() -> None:
    printed = sid("cost", "--experiment", "cifar10", "--gpu", "h100").stdout.splitlines()
    rows = {line.split()[0]: line.split()[1:] for line in printed if line}
    assert rows[SID][:2] == ["1", "1,700"]
    assert rows["sum"][:2] == ["5", "5,300"]


def test_a_recipe_is_printed_with_its_evaluation() -> None:
    printed = sid("cost", SID, "--gpu", "h100").stdout
    assert "evaluation: 1,025 snapshots of 50,000 images by nvidia; 2 x 10 draws" in printed
    assert "% of the training's" in printed
    assert "if every implementation measured every snapshot (estimated" in printed
    assert "disk of a run: at most" in printed
    with_other = sid("cost", SID, "--experiment", "ablation", "--gpu", "h100").stdout
    assert "28 legs" in with_other
    refused(sid("cost", SID, "--experiment", "ffhq64"), f"--experiment ffhq64: has no {SID}")
    refused(sid("cost", "--experiment", "cifar"), "experiment=cifar: unknown; known are")
