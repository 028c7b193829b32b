"""The benchmark runs, and refuses what it does not know."""

import re
from pathlib import Path

import pytest

from benchmarks.official import load
from benchmarks.step_throughput import main
from sid.errors import UserError

TINY = {"size": "tiny", "batch": 4, "micro": 2, "rounds": 2, "steps": 1, "device": "cpu"}


def test_ours_alone(capsys: pytest.CaptureFixture[str]) -> None:
    main(**TINY)
    printed = capsys.readouterr().out
    assert "no --official-sid: ours alone" in printed
    rows = re.findall(r"^(\w+) +fp32 augment (\S+) +ours (\S+) \((\S+) to (\S+)\)", printed, re.M)
    assert [row[:2] for row in rows] == [(m, a) for m in ("sid", "sida") for a in ("0", "0.12")]
    for _, _, *speeds in rows:
        middle, low, high = map(float, speeds)
        assert 0 < low <= middle <= high


def test_precisions_need_a_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    main(**TINY, precision=["bf16"])
    assert capsys.readouterr().out.endswith("no GPU: the precisions are not measured\n")


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="--size huge: unknown; known are tiny, small, cifar10"):
        main(**{**TINY, "size": "huge"})
    with pytest.raises(UserError, match="--precision fp8: unknown"):
        main(**TINY, precision=["fp8"])
    with pytest.raises(UserError, match="--batch 4: is no multiple of --micro 3"):
        main(**{**TINY, "micro": 3})
    with pytest.raises(UserError, match=r"has no sida_training.sida_loss:SIDA_EDMLoss"):
        load(tmp_path, "sida_training.sida_loss:SIDA_EDMLoss")
