"""Learning rates and snapshot times, as functions of the images seen."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence


def learning_rate(images: int, total: int, *, rampup: float = 0.0, decay: float = 0.0) -> float:
    """The factor on the learning rate at `images` of `total`.

    Args:
        images: images seen so far.
        total: images of the whole run.
        rampup: images over which the rate rises linearly from 0 (EDM: 10 Mimg), 0 for none.
        decay: last share of the run over which the rate falls to 0 along a cosine, 0 for none
            (as published).
    """
    rise = min(images / rampup, 1.0) if rampup else 1.0
    if not decay:
        return rise
    progress = max((images / total - (1 - decay)) / decay, 0.0)
    return rise * 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))


def snapshot_times(
    total: int, batch: int, first: int, per_decade: int, every: int | None = None
) -> list[int]:
    """Images at which snapshots are taken: 0, then evenly on a log scale, then the end.

    Args:
        total: images of the whole run.
        batch: every time is rounded up to whole batches.
        first: images of the first snapshot after 0.
        per_decade: snapshots per factor of ten.
        every: no two are farther apart than this: multiples of it where the log scale is coarser.

    Returns:
        Increasing image counts; the last is `total` rounded up to whole batches.
    """
    steps = max(math.ceil(math.log10(total / first) * per_decade), 0) if total > first else 0
    wanted = [first * 10 ** (k / per_decade) for k in range(steps)]
    # A snapshot that falls just before the end would be the end twice on a logarithmic plot.
    wanted = [w for w in wanted if w < 0.9 * total]
    if every:
        wanted += range(every, total, every)
    last = math.ceil(total / batch) * batch
    times = {math.ceil(w / batch) * batch for w in wanted}
    return [0, *sorted(times - {last}), last]


def leg_ends(times: Sequence[int], leg: int | None) -> list[int]:
    """Images at which the legs of a run end: early ones double, later ones are evenly long.

    They do not depend on the end of the run, so that a longer run has the legs of a shorter one.

    Args:
        times: of the run's snapshots; a leg ends at one of them.
        leg: images of the later legs; None for one leg, the whole run.

    Returns:
        The first snapshot from 1/8, 1/4, 1/2 and each multiple of `leg` on; the last of all ends
        the run.
    """
    if leg is None:
        return [times[-1]]
    wanted = [leg // 8, leg // 4, leg // 2, *range(leg, times[-1], leg)]
    ends = {times[bisect_left(times, w)] for w in wanted if 0 < w < times[-1]}
    return sorted(ends | {times[-1]})


def groups(times: Sequence[int], ends: Sequence[int], size: int | None) -> list[tuple[int, int]]:
    """First and last images of the snapshots that one job measures, each group within a leg.

    Together they cover all images, also those of snapshots that an earlier, shorter budget took
    between two times.

    Args:
        times: of the run's snapshots.
        ends: of its legs.
        size: snapshots of a group at most; None for those of a whole leg.
    """
    found, begun = [], 0
    for end in ends:
        leg = times[bisect_left(times, begun) : bisect_right(times, end)]
        some = size or len(leg)
        for last in [*leg[some - 1 :: some], *([end] if len(leg) % some else [])]:
            found.append((begun, last))
            begun = last + 1
    return found


def thinned(times: Sequence[int], first: int, per_decade: int = 3) -> list[int]:
    """About so many of each factor of ten of log-spaced times, with the first and the last.

    Args:
        times: of log-spaced snapshots, from 0 on.
        first: images of the first after 0.
        per_decade: how many are wanted; all stay where there are fewer.
    """
    later = [time for time in times if time > 0]
    steps = math.ceil(math.log10(max(later[-1] / first, 1)) * per_decade)
    found = {times[0], times[-1]}
    for k in range(steps):
        wanted = math.log(first) + k / per_decade * math.log(10)
        found.add(min(later, key=lambda time: abs(math.log(time) - wanted)))
    return sorted(found)
