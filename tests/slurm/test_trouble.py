"""Trouble in the cluster while a workflow runs."""

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
    lab.run("scontrol", "update", "nodename=n1", "state=down", "reason=test")
    lab.resume("n1")
    assert process.wait(180) == 0, toy.said()
    assert whole(toy)
    # Slurm has requeued what ran there, under its old id.
    assert set(toy.ran().values()) == {1, 2}
    assert len(toy.submitted()) == 6


def test_slurmctld_is_restarted(lab: Lab, tmp_path: Path) -> None:
    toy = Toy(tmp_path, lab, chains=4, seconds=4, levels=2)
    process = toy.start()
    toy.wait_for(lambda: toy.ran())
    lab.restart("slurmctld")
    assert process.wait(180) == 0, toy.said()
    assert whole(toy)
    assert toy.ran() == once(toy)
