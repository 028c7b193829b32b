"""The benchmark runs, both sides agree, and memory is a process's own."""

import re

import pytest

from benchmarks.frechet import main


def test_small(capsys: pytest.CaptureFixture[str]) -> None:
    main(features=32, images=400, few=20, rounds=2, threads=1)
    printed = capsys.readouterr().out
    assert re.findall(r"^reference of 400 images, rank (\d+)", printed, re.M) == ["32"]
    assert re.findall(r"^(\d+) images, rank (\d+)", printed, re.M) == [("400", "32"), ("20", "19")]
    distances = re.findall(r"^  (ours|sqrtm) +\S+ \S+ s, distance (\S+)", printed, re.M)
    assert [side for side, _ in distances] == ["ours", "sqrtm"] * 2
    (ours, usual), (ours_few, usual_few) = (
        [float(value) for _, value in distances[k : k + 2]] for k in (0, 2)
    )
    assert ours == pytest.approx(usual, rel=1e-9)
    assert ours_few == pytest.approx(usual_few, rel=1e-5)
    for peak, own in re.findall(r"peak (\S+) GiB, of it (\S+) GiB", printed):
        assert 0.03 < float(peak) < 2
        assert 0 <= float(own) < 0.2
    assert printed.count("peak") == 4
