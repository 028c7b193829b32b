"""Programs within this process, where a new one would import torch for seconds."""

import io
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest
from snakemake.cli import main as snakemake_main

from sid.cli import main as sid_main


class Done(NamedTuple):
    """As of `subprocess.run`."""

    returncode: int
    stdout: str
    stderr: str


def sid(*words: object) -> Done:
    """The command line, to its end."""
    return ended(sid_main, "sid", *words)


def snakemake(*words: object, cwd: Path) -> Done:
    """Snakemake where it starts no job: dry runs, graphs and summaries."""
    with chdir(cwd):
        return ended(snakemake_main, "snakemake", *words)


def ended(main: Callable[[], None], *words: object) -> Done:
    """A program that ends by `sys.exit`."""
    out, error = io.StringIO(), io.StringIO()
    with (
        mock.patch.object(sys, "argv", [*map(str, words)]),
        redirect_stdout(out),
        redirect_stderr(error),
        pytest.raises(SystemExit) as found,
    ):
        main()
    return Done(int(found.value.code or 0), out.getvalue(), error.getvalue())


def accepted(done: Done) -> str:
    """What a command printed on standard output: status 0."""
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(done: Done | subprocess.CompletedProcess[str], *parts: str) -> str:
    """The error: status 2, and one line on standard error with these parts beside warnings."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert done.returncode == 2, done.stderr
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    for part in parts:
        assert part in lines[0]
    return lines[0]
