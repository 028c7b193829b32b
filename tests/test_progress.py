"""Progress: a bar on a terminal; plain lines are those that commands print in other tests."""

import pytest

from sid.progress import Progress


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
