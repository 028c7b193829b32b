"""Snakemake killed at every bad moment: nothing is lost, and nothing is submitted twice."""

import random
import time
from pathlib import Path

import pytest

from tests.slurm.lab import Lab
from tests.slurm.toy import Toy, killed, once, whole


@pytest.mark.parametrize(
    ("cluster", "moment"),
    [
        *(("lab", moment) for moment in ("before", "between", "after")),
        *(("local", moment) for moment in ("between", "after")),
        ("bare_lab", "between"),
    ],
)
def test_killed_around_the_submission(
    request: pytest.FixtureRequest, tmp_path: Path, moment: str, cluster: str
) -> None:
    lab = None if cluster == "local" else request.getfixturevalue(cluster)
    toy = Toy(tmp_path, lab, chains=2, seconds=3)
    toy.die(moment)
    assert toy.run("--nolock") == 0, toy.said()
    assert whole(toy)
    assert toy.ran() == once(toy)
    if cluster == "lab":
        assert toy.submissions(2) == 2


def test_killed_at_ten_random_moments(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=4, seconds=4, levels=4)
    chance = random.Random(20)
    for _ in range(10):
        process = toy.start("--nolock")
        time.sleep(chance.uniform(1, 6))
        killed(process)
    assert toy.run("--nolock") == 0, toy.said()
    assert whole(toy)
    assert toy.ran() == once(toy)
    assert toy.submissions(16) == 16


def test_result_of_an_absent_snakemake_is_taken(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=1, seconds=0)
    process = toy.start("--nolock", "parallel.txt")
    toy.wait_for(lambda: toy.ran()["rank0-from-0"])
    killed(process)
    toy.wait_for(lambda: toy.queued() == {})
    assert toy.run("--nolock", "parallel.txt") == 0, toy.said()
    assert "is already done" in toy.said()
    assert toy.ran()["rank0-from-0"] == 1
    assert toy.submissions(2) == 2


def test_changed_rule_replaces_its_old_job(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=1, seconds=300)  # It is cancelled long before.
    process = toy.start("--nolock")
    toy.wait_for(lambda: toy.ran())
    killed(process)
    old = list(toy.queued())
    snakefile = toy.folder / "Snakefile"
    snakefile.write_text(snakefile.read_text().replace("echo half", "echo part"))
    assert toy.run("--nolock", seconds=1) == 0, toy.said()
    assert "is out of date: cancelled" in toy.said()
    assert whole(toy)
    states = lab.run("sacct", "-X", "-n", "-P", "-o", "State", "-j", *old)
    assert states.startswith("CANCELLED")


def test_interrupted_while_a_job_is_dying(lab: Lab, tmp_path: Path) -> None:
    # Whoever starts again at once must not run beside what was cancelled, nor take it for its own.
    toy = Toy(tmp_path, lab, chains=2, seconds=5)
    process = toy.start()
    toy.wait_for(lambda: len(toy.ran()) == 2)
    process.send_signal(2)
    process.wait(60)
    assert toy.run() == 0, toy.said()
    assert whole(toy)
    assert set(toy.ran().values()) == {2}


def test_second_snakemake_gets_one_clear_error(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=1, seconds=5)
    first = toy.start()
    toy.wait_for(lambda: toy.ran())
    assert toy.run() == 1
    assert toy.said().count("Directory cannot be locked") == 1
    assert first.wait(60) == 0, toy.said()
    assert toy.ran() == once(toy)
