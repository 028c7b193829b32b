"""Learning rates, snapshot times and the moving average as functions of images."""

import itertools

import pytest
import torch
from torch import nn

from sid.runs.ema import ema_decay, ema_update
from sid.runs.schedule import (
    groups,
    learning_rate,
    leg_ends,
    snapshot_times,
    thinned,
)


def test_rate_rises_stays_and_falls() -> None:
    def rate(images: int) -> float:
        return learning_rate(images, 1000, rampup=100, decay=0.5)

    assert [rate(0), rate(50), rate(100), rate(500)] == [0, 0.5, 1, 1]
    assert rate(750) == pytest.approx(0.5)
    assert rate(1000) == pytest.approx(0)
    assert learning_rate(10**9, 1000) == 1  # As published: constant.


def test_snapshots_are_log_spaced_whole_batches() -> None:
    times = snapshot_times(60_000, 128, 500, 5)
    assert times[0] == 0
    assert times[1] == 512
    assert times[-1] == 60_032
    assert all(t % 128 == 0 for t in times)
    assert times == sorted(set(times))
    ratios = [b / a for a, b in itertools.pairwise(times[4:-1])]
    assert all(r == pytest.approx(10**0.2, rel=0.05) for r in ratios)


def test_bound_on_the_distance_holds_to_the_end() -> None:
    """512 kimg apart, as published: the best of FFHQ is at 498,176 of 500,000 kimg."""
    times = snapshot_times(500_000_000, 512, 10_000, 10, 512_000)
    assert max(b - a for a, b in itertools.pairwise(times)) == 512_000
    assert {453_120_000, 498_176_000} < set(times)
    assert len([t for t in times if 100_000 <= t <= 1_000_000]) >= 10


@pytest.mark.parametrize("total", [1, 100, 128, 500, 501, 549])
def test_short_runs_have_a_start_and_an_end(total: int) -> None:
    times = snapshot_times(total, 128, 500, 5)
    assert times[0] == 0
    assert times[-1] >= total
    assert times == sorted(set(times))


def test_legs_are_short_early_and_then_even() -> None:
    times = snapshot_times(500_000_000, 256, 10_000, 10, 512_000)
    ends = leg_ends(times, 25_600_000)
    assert [end // 1000 for end in ends[:6]] == [3_584, 6_656, 12_800, 25_600, 51_200, 76_800]
    assert ends[-1] == times[-1]
    assert set(ends) < set(times)
    assert {b - a for a, b in itertools.pairwise(ends[3:-1])} == {25_600_000}


def test_a_longer_run_has_the_legs_of_a_shorter_one() -> None:
    for total in (30_000_000, 100_000_000, 123_456_789):
        short, long = (
            leg_ends(snapshot_times(end, 256, 10_000, 10, 512_000), 25_600_000)
            for end in (total, 500_000_000)
        )
        assert short[:-1] == long[: len(short) - 1]


def test_runs_shorter_than_a_leg_have_few() -> None:
    times = snapshot_times(1_000, 32, 100, 10)
    assert leg_ends(times, None) == [times[-1]]
    assert leg_ends(times, 10**9) == [times[-1]]
    assert leg_ends(times, 1) == times[1:]
    assert leg_ends([0, 32], 10) == [32]


def test_half_life_halves() -> None:
    """After half_life images, half of the start is left."""
    average, network = nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False)
    nn.init.ones_(average.weight)
    nn.init.zeros_(network.weight)
    decay = ema_decay(10**6, 10, half_life=1000, rampup=1.0)
    for _ in range(100):
        ema_update(average, network, decay)
    assert float(average.weight.detach()) == pytest.approx(0.5, rel=1e-4)


def test_first_update_copies() -> None:
    average, network = nn.Linear(3, 3), nn.Linear(3, 3)
    ema_update(average, network, ema_decay(0, 128, 1000, 0.05))
    assert torch.equal(average.weight, network.weight)


def test_rampup_bounds_the_half_life() -> None:
    assert ema_decay(1000, 50, 10**6, 0.05) == pytest.approx(0.5)


def test_thinned_times_are_some_of_them_with_the_first_and_the_last() -> None:
    """Of ten for each factor of ten about three stay: 1, 2 and 5."""
    times = snapshot_times(500_000_000, 256, 10_000, 10)
    found = thinned(times, 10_000)
    assert set(found) < set(times)
    assert (found[:2], found[-1]) == ([0, 10_240], times[-1])
    rounded = [float(f"{images:.1g}") for images in found[1:]]
    assert rounded[3:9] == [1e5, 2e5, 5e5, 1e6, 2e6, 5e6]
    assert len(found) == 16
    coarse = snapshot_times(1_000_000, 100, 1000, 2)
    assert thinned(coarse, 1000) == coarse
    assert thinned([0, 256], 10_000) == [0, 256]


def test_groups_are_of_one_leg_each_and_leave_nothing_out() -> None:
    times, ends = [0, 10, 20, 30, 40, 50, 60], [30, 60]
    assert groups(times, ends, None) == [(0, 30), (31, 60)]
    assert groups(times, ends, 3) == [(0, 20), (21, 30), (31, 60)]
    assert groups(times, ends, 2) == [(0, 10), (11, 30), (31, 50), (51, 60)]
