"""A private Slurm for tests, in a folder and on ports of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = ROOT / "workflow" / "lab" / "slurm-lab.sh"
# Whoever starts the tests in the background of a script has SIGINT ignored in all below.
HEEDING = ("env", "--default-signal=INT,HUP")
FOREIGN = ("SLURM_", "SBATCH_", "SUBMITIT_", "SLURMLAB")


@dataclass(frozen=True)
class Lab:
    """A running lab."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The variables of a process that uses this lab and no other Slurm."""
        own = {key: value for key, value in os.environ.items() if not key.startswith(FOREIGN)}
        path = f"{Path(sys.executable).parent}:{own['PATH']}:/usr/sbin"
        return {
            **own,
            "PATH": path,
            "PYTHONPATH": str(ROOT),
            "SLURM_CONF": str(self.folder / "etc" / "slurm.conf"),
            "OMP_NUM_THREADS": "1",
        }

    def run(self, *words: str) -> str:
        """The output of a client of Slurm, as `lab.run("squeue", "-h")`."""
        done = subprocess.run(
            words, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def resume(self, node: str) -> None:
        """Put a node back; one that is down comes back by itself when it answers, or before."""
        command = ["scontrol", "update", f"nodename={node}", "state=resume"]
        for _ in range(60):
            subprocess.run(command, env=self.environment, capture_output=True, timeout=60)
            state = self.run("sinfo", "-h", "-n", node, "-o", "%T").lower()
            if not any(word in state for word in ("down", "drain")):
                return
            time.sleep(0.5)
        raise AssertionError(f"{node} does not come back: {state}")

    def restart(self, daemon: str) -> None:
        """Stop a daemon of the lab and start it again, as `restart("slurmctld")`."""
        environment = {**self.environment, "SLURMLAB": str(self.folder)}
        subprocess.run([SCRIPT, "restart", daemon], env=environment, check=True, timeout=120)


@contextmanager
def started(folder: Path, **settings: str) -> Iterator[Lab]:
    """A lab in `folder`, stopped at the end, also when this process is killed.

    Args:
        folder: empty or absent.
        **settings: variables of slurm-lab.sh, as `ACCT="none"`.
    """
    lab = Lab(folder)
    environment = {**lab.environment, **settings}
    environment |= {"SLURMLAB": str(folder), "OWNER": str(os.getpid())}
    subprocess.run([SCRIPT, "up"], env=environment, check=True, timeout=180)
    try:
        yield lab
    finally:
        subprocess.run([SCRIPT, "down"], env=environment, check=True, timeout=180)
