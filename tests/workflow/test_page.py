"""The page at any moment, while a real Snakemake trains and holds the lock of the folder."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.commands import snakemake
from tests.workflow.test_kill import RUN, tiny, wait_for_work
from tests.workflow.test_workflow import counts_of, run

CHOSEN = ("--configfile", "config/budget/tiny.yaml")


def test_the_page_is_one_job_and_nothing_is_one_line(tmp_path: Path) -> None:
    top = tiny(tmp_path / "check out")
    dry = snakemake("page", "-n", "--quiet", "rules", *CHOSEN, cwd=top)
    assert counts_of(dry) == {"page": 1, "total": 1}
    done = run("snakemake", "page", "--cores", "1", "--quiet", "all", *CHOSEN, cwd=top)
    assert done.returncode == 0, done.stderr
    (said,) = done.stdout.splitlines()
    assert said.startswith("results/tiny: nothing yet")
    assert not (top / "reports").exists()


@pytest.mark.slow
def test_it_is_drawn_while_a_workflow_runs_and_leaves_its_lock(tmp_path: Path) -> None:
    top = tiny(tmp_path / "check out")
    recipe = top / "config" / "sid.yaml"
    values = {**yaml.safe_load(recipe.read_text()), "kimg": 1e6}  # Until it is killed.
    recipe.write_text(yaml.safe_dump(values))
    path = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    words = [str(Path(sys.executable).with_name("snakemake")), "--cores", "1"]
    words += [f"{RUN}/done.json", *CHOSEN]
    first = subprocess.Popen(
        words,
        cwd=top,
        env=path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for_work(top, first)
        locks = {file.name: file.read_bytes() for file in (top / ".snakemake/locks").iterdir()}
        assert locks
        before = {file for file in (top / "results").rglob("*") if file.name == "done.json"}
        done = run("snakemake", "page", "--cores", "1", "--quiet", "all", *CHOSEN, cwd=top)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "reports/tiny/now/index.html: open it in a browser\n"
        assert first.poll() is None
        left = {file.name: file.read_bytes() for file in (top / ".snakemake/locks").iterdir()}
        assert left == locks
        # Of its own it takes none, and whoever would train here is still refused.
        refused = run("snakemake", "--cores", "1", f"{RUN}/done.json", *CHOSEN, cwd=top)
        assert refused.returncode
        assert "cannot be locked" in refused.stdout + refused.stderr
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    made = {file for file in (top / "results").rglob("*") if file.name == "done.json"}
    assert made == before
    html = (top / "reports/tiny/now/index.html").read_text()
    assert "1 trains" in html
    assert "of 1,000,000 kimg" in html
    assert not (top / "reports/tiny/index.html").exists()
    assert (top / RUN / "log.jsonl").exists()
