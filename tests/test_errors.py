"""One line for people, whatever is in a file's name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sid.errors import printable
from tests.commands import refused, sid


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünï 図 {}%s[b]\\n", "plain ünï 図 {}%s[b]\\n"),
        ("a\nb\r\tc", "a\\nb\\r\\tc"),
        ("\x1b[31m\x00\x7f\x85", "\\x1b[31m\\x00\\x7f\\x85"),
        ("\u2028\u202e\ufeff", "\\u2028\\u202e\\ufeff"),
        (os.fsdecode(b"\xff.png"), "\\xff.png"),
        ("\ud800", "\\ud800"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown
    shown.encode()


def test_file_names_are_one_line(tmp_path: Path) -> None:
    """A line end, an escape sequence, no UTF-8: of a user's error, of the system's, of typer's."""
    path = tmp_path / os.fsdecode(b"a\nb\x1b[31m\xff{}[b].zip")
    recipe = ("--recipe", path, "--data", path, "--out", path)
    for words in (("teacher", "train", *recipe), ("data", "digits", "--out", path / "x.zip")):
        path.write_bytes(b"\xff")
        refused(sid(*words), "/a\\nb\\x1b[31m\\xff{}[b].zip").encode()
    line = refused(sid("data", "digits", path))
    assert "\x1b" not in line
    line.encode()


def test_help_keeps_its_lines() -> None:
    done = sid("data")
    assert any(line.startswith("  digits ") for line in done.stderr.splitlines())


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "koi8-r"},
    ],
)
def test_terminals_that_do_not_know_a_character(environment: dict[str, str]) -> None:
    code = r"from sid.cli import *; build(None); print('\xb1 \xfc\udcff'); fail('\xfc\udcff')"
    words = [sys.executable, "-c", code]
    environment = {**os.environ, **environment}
    done = subprocess.run(words, capture_output=True, check=False, env=environment)
    assert (done.returncode, done.stderr) == (2, b"error: \\xfc\\xff\n")
    assert done.stdout == b"+- \\xfc\\xff\n"
