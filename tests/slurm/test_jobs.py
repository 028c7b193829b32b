"""Jobs that end well, and jobs that do not, with accounting and without."""

import signal
from pathlib import Path

import pytest

from tests.slurm.lab import Lab
from tests.slurm.toy import Toy, once, whole


@pytest.fixture(params=["lab", "bare_lab"])
def any_lab(request: pytest.FixtureRequest) -> Lab:
    found: Lab = request.getfixturevalue(request.param)
    return found


def test_rules_and_callable(any_lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, any_lab, chains=3, seconds=0, levels=2)
    assert toy.run("all", "parallel.txt") == 0, toy.said()
    assert whole(toy)
    assert (toy.folder / "parallel.txt").read_text() == "2 4 0 whole\n"
    tasks = {f"rank{rank}-from-0": 1 for rank in range(4)}
    assert toy.ran() == once(toy) + type(toy.ran())(tasks)
    lost = toy.said().count("accounting is off")
    assert lost == (0 if "bare" not in str(any_lab.folder) else 1)
    assert list((toy.folder / ".snakemake/submitit/registry").iterdir()) == []


def test_rule_gets_its_gpu_and_the_cores_beside_it(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab)
    assert toy.run("gpu.txt") == 0, toy.said()
    assert (toy.folder / "gpu.txt").read_text() in {"3 0\n", "3 1\n"}


def test_failure_names_its_logs_and_leaves_no_output(any_lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, any_lab)
    assert toy.run("fails.txt") == 1
    said = toy.said()
    assert "task 0 of 1: RuntimeError: the rule failed (exit status" in said
    assert "logs/fails.log" in said
    logs = list((toy.folder / ".snakemake/submitit").glob("fails-*/*_0_log.out"))
    assert len(logs) == 1
    assert str(logs[0]) in said
    assert not (toy.folder / "fails.txt").exists()


@pytest.mark.parametrize(("mode", "why"), [("raise", "rank three cannot"), ("kill", "without")])
def test_dead_rank_ends_its_job(lab: Lab, tmp_path: Path, mode: str, why: str) -> None:
    toy = Toy(tmp_path, lab, seconds=0)
    assert toy.run("level1/0.txt") == 0, toy.said()
    process = toy.start("parallel.txt", mode=mode)
    toy.wait_for(lambda: sum(toy.ran().values()) == 5)
    assert process.wait(30) == 1, toy.said()
    assert why in toy.said()
    assert not (toy.folder / "parallel.txt").exists()
    assert toy.queued() == {}


def test_cancelled_job_is_seen_and_tried_again(any_lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, any_lab, chains=2, seconds=15)
    process = toy.start("--retries", "1")
    toy.wait_for(lambda: toy.ran()["first-0"] and toy.ran()["first-1"])
    victim = min(toy.queued())
    (toy.folder / "quick").touch()  # for the next try
    any_lab.run("scancel", victim)
    assert process.wait(120) == 0, toy.said()
    assert whole(toy)
    assert sorted(toy.ran().values()) == [1, 2]
    assert f"slurm job {victim}" in toy.said()


def test_interrupt_cancels(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=3, seconds=30)
    process = toy.start()
    toy.wait_for(lambda: len(toy.queued()) == 3 and toy.ran())
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 1
    toy.wait_for(lambda: toy.queued() == {})
    assert not list(toy.folder.glob("level1/*.txt"))


def test_warning_signal_requeues(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=1, seconds=4)
    process = toy.start("parallel.txt")
    toy.wait_for(lambda: toy.ran()["first-0"])
    lab.run("scancel", "--signal=USR2", *toy.queued())
    # An ordinary rule begins anew.
    toy.wait_for(lambda: toy.ran()["first-0"] == 2)
    toy.wait_for(lambda: all(toy.ran()[f"rank{rank}-from-0"] for rank in range(4)))
    lab.run("scancel", "--signal=USR2", *toy.queued())
    assert process.wait(120) == 0, toy.said()
    # A callable goes on, in every task, from what its checkpoint wrote.
    again = [line for line in toy.ran() if line.startswith("rank") and not line.endswith("-0")]
    assert sorted(line.split("-")[0] for line in again) == ["rank0", "rank1", "rank2", "rank3"]
    assert toy.submissions(2) == 2


def test_ranks_that_miss_a_requeued_one_fail_no_job(lab: Lab, tmp_path: Path) -> None:
    """As trainings do that are told to end while their processes look for each other."""
    toy = Toy(tmp_path, lab, chains=1, seconds=0)
    assert toy.run("level1/0.txt") == 0, toy.said()
    process = toy.start("parallel.txt", mode="lost")
    toy.wait_for(lambda: all(toy.ran()[f"rank{rank}-from-0"] for rank in range(4)))
    lab.run("scancel", "--signal=USR2", *toy.queued())
    assert process.wait(120) == 0, toy.said()
    assert toy.submissions(2) == 2
