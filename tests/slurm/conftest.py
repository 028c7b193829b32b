"""The labs of these tests: one with accounting and one without, each started once when needed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.lab import Lab, started
from tests.slurm.toy import STARTED

HERE = Path(__file__).parent
BUSY = {"test_training.py": -1, "test_demo.py": 1}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs a Slurm.

    The files that keep the machine busy are the first and the last, so that two processes, which
    take whole files in order, run them beside those that mostly wait.
    """
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.slurm)
    items.sort(key=lambda item: BUSY.get(item.path.name, 0))


@pytest.fixture(autouse=True)
def no_snakemake_is_left() -> Iterator[None]:
    """A test that fails leaves none that would submit jobs beside the next test."""
    yield
    while STARTED:
        process = STARTED.pop()
        if process.poll() is None:
            process.kill()
            process.wait()


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Two nodes of 4 CPUs and 2 made-up GPUs, with accounting."""
    with started(tmp_path_factory.mktemp("a lab")) as running:
        yield running


@pytest.fixture(scope="session")
def bare_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The same without accounting."""
    with started(tmp_path_factory.mktemp("bare-lab"), ACCT="none") as running:
        yield running
