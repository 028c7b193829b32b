"""Progress: plain lines where there is no terminal, nothing when quiet."""

import pytest

from sid import progress
from sid.progress import Progress


def test_plain_lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    with Progress("training", 100, done=40) as shown:
        shown.advance(20, loss=0.123456)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("training: 60/100, ")
    assert "images/s, loss 0.1235" in lines[0]
    assert lines[0].endswith("s left")
    assert lines[-1].startswith("training: 60/100 images in ")


def test_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("training", 10, quiet=True) as shown:
        shown.advance(10)
    assert capsys.readouterr().err == ""


def test_bar_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    with Progress("a\n[/b]", 10) as shown:  # A file's name, no markup.
        shown.advance(10, loss=1.0)
    text = capsys.readouterr().err
    assert "100 %" in text
    assert "loss 1" in text
    assert r"a\n[/b]" in text
