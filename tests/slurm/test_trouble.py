"""Trouble in the cluster while a workflow runs."""

import os
import signal
from pathlib import Path

from tests.slurm.lab import Lab
from tests.slurm.toy import Toy, once, whole


def test_node_is_drained(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=6, seconds=3, levels=2)
    process = toy.start()
    toy.wait_for(lambda: toy.ran())
    lab.run("scontrol", "update", "nodename=n1", "state=drain", "reason=test")
    try:
        assert process.wait(120) == 0, toy.said()
    finally:
        lab.resume("n1")
    assert whole(toy)
    assert toy.ran() == once(toy)


def test_node_fails(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=6, seconds=15)
    process = toy.start()
    toy.wait_for(lambda: len(toy.ran()) == 6)
    (toy.folder / "quick").touch()  # for the next start
    # Drained too: it would be back at once, and get a job that it has not wholly ended yet.
    for state in ("drain", "down"):
        lab.run("scontrol", "update", "nodename=n1", f"state={state}", "reason=test")
    try:
        assert process.wait(180) == 0, toy.said()
    finally:
        lab.resume("n1")
    assert whole(toy)
    # Slurm has requeued what ran there, under its old id.
    assert set(toy.ran().values()) == {1, 2}
    assert toy.submissions(6) == 6


def test_slurmctld_is_restarted(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=4, seconds=4, levels=2)
    process = toy.start()
    toy.wait_for(lambda: toy.ran())
    lab.restart("slurmctld")
    assert process.wait(180) == 0, toy.said()
    assert whole(toy)
    assert toy.ran() == once(toy)


def test_queue_takes_no_more(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=3, seconds=1)
    user = ["sacctmgr", "-i", "modify", "user", "root", "set"]
    lab.run(*user, "MaxSubmitJobs=1")
    try:
        assert toy.run() == 0, toy.said()
    finally:
        lab.run(*user, "MaxSubmitJobs=-1")
    assert whole(toy)
    assert toy.ran() == once(toy)
    assert toy.said().count("AssocMaxSubmitJobLimit") == 1
    assert toy.submissions(3) == 3


def test_slurmctld_does_not_answer(lab: Lab, tmp_path: Path) -> None:
    slurmctld = int((lab.folder / "run" / "slurmctld.pid").read_text())
    toy = Toy(tmp_path, lab, chains=2, seconds=0)
    os.kill(slurmctld, signal.SIGSTOP)
    try:
        process = toy.start()
        toy.wait_for(lambda: "tried again for 60 minutes" in toy.said())
    finally:
        os.kill(slurmctld, signal.SIGCONT)
    # What sbatch gave up arrives now.
    assert process.wait(120) == 0, toy.said()
    assert whole(toy)
    assert toy.ran() == once(toy)
    assert toy.submissions(2) == 2
