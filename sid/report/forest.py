"""The forest plot: each claim's difference and intervals, all on one scale of per cent."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sid.evaluate.metrics import METRICS

# Kinds of claims whose value is a ratio of distances, with 1 where both sides are equal.
COMPARED = ("checkpoint", "retraining", "ranking")
# How far a scale may reach above equality, as a share, with its ticks; below it reaches as far in
# the logarithm.
REACHES = {
    0.05: (-0.04, -0.02, 0.0, 0.02, 0.04),
    0.1: (-0.08, -0.04, 0.0, 0.04, 0.08),
    0.2: (-0.15, -0.05, 0.0, 0.05, 0.15),
    0.5: (-0.3, -0.15, 0.0, 0.2, 0.4),
    1.0: (-0.45, -0.25, 0.0, 0.4, 0.9),
    3.0: (-0.7, -0.4, 0.0, 1.0, 2.5),
    9.0: (-0.85, -0.6, 0.0, 2.0, 7.0),
}
TIMES = 10  # The scale takes in what lies within so many margins.
MORE = range(4)  # Further digits to try, until the ends of an interval look different.
WIDTH, EDGE = 240.0, 12.0  # Of the drawing, and what is left free for arrows at each side.


class Tick(NamedTuple):
    """A tick: its place, and its label in per cent."""

    x: float
    text: str


class Mark(NamedTuple):
    """One row of the plot, in the units of the drawing.

    Attributes:
        band: where the claim is kept, left and right end.
        interval: the interval that decides, left and right end; empty where there is none.
        new: the same of the prediction interval.
        point: the value; none where it lies beyond the scale.
        left, right: whether something goes on beyond the scale there.
        text: all of it in words.
    """

    band: tuple[float, float]
    interval: tuple[float, ...]
    new: tuple[float, ...]
    point: float | None
    left: bool
    right: bool
    text: str


def percent(ratio: float, more: int = 0) -> str:
    """The difference of a ratio from 1, such as `+0.42 %`; of 2 and more the ratio itself.

    From a doubling on, per cent are harder to read than `3.1 times`.

    Args:
        ratio: the ratio.
        more: further digits.
    """
    if ratio >= 2:
        return f"{ratio:.{3 + more}g} times"
    share = round(100 * (ratio - 1), 9)
    decimals = 2 if abs(share) < 1 else 1 if abs(share) < 10 else 0
    return f"{share:+.{decimals + more}f} %".replace("-", "\N{MINUS SIGN}")


def apart(low: float, high: float) -> tuple[str, str]:
    """Two ratios as of `percent`, with further digits where they would look the same."""
    for more in MORE:
        pair = percent(low, more), percent(high, more)
        if pair[0] != pair[1]:
            return pair
    return percent(low), percent(high)


def compared(row: Mapping[str, Any]) -> bool:
    """Whether a verdict has a place on the scale of per cent."""
    return row["kind"] in COMPARED and math.isfinite(row["value"]) and row["value"] > 0


def band_of(row: Mapping[str, Any], bound: float) -> tuple[float, float]:
    """The ratios at which a claim is kept.

    Args:
        row: the verdict.
        bound: of its criterion: a margin as a share, of a ranking the greatest ratio.

    Returns:
        The least and the greatest ratio; 0 and infinity where there is none.
    """
    if row["kind"] == "ranking":
        return 0.0, bound
    if row["kind"] == "checkpoint":
        return 1 / (1 + bound), 1 + bound
    higher = row["metric"] in METRICS and METRICS[row["metric"]].higher
    return (1 / (1 + bound), math.inf) if higher else (0.0, 1 + bound)


class Scale:
    """Ratios on a logarithmic axis about 1, labelled in per cent.

    Args:
        ratios: the values to be shown. Those further off than ten margins end in an arrow, so that
            the margins are still seen.
        bounds: ends of the bands, which must fit.

    Attributes:
        reach: the greatest ratio; the least is its inverse.
    """

    def __init__(self, ratios: Sequence[float], bounds: Sequence[float]) -> None:
        ends = [abs(math.log(bound)) for bound in bounds if 0 < bound < math.inf]
        margin = max(ends, default=0.0)
        most = TIMES * margin if margin else math.inf
        near = [far for far in (abs(math.log(ratio)) for ratio in ratios) if far <= most]
        needed = max([*(1.2 * far for far in near), 1.05 * margin])
        fits = [reach for reach in REACHES if math.log1p(reach) >= needed]
        self._above = fits[0] if fits else max(REACHES)
        self.reach = 1 + self._above

    def x(self, ratio: float) -> float:
        """The place of a ratio; one beyond the scale is put on its end."""
        share = math.log(ratio) / math.log(self.reach) if 0 < ratio < math.inf else ratio - 1
        half = WIDTH / 2 - EDGE
        return round(WIDTH / 2 + half * min(1.0, max(-1.0, share)), 1)

    def ticks(self) -> list[Tick]:
        """Zero, and two at either side."""
        return [Tick(self.x(1 + share), _tick(share)) for share in REACHES[self._above]]

    def mark(self, row: Mapping[str, Any], bound: float) -> Mark:
        """One verdict on this scale; `compared` must be true of it."""
        band = band_of(row, bound)
        limits = [(row["low"], row["high"]), (row["new_low"], row["new_high"])]
        known = [pair if all(map(math.isfinite, pair)) else () for pair in limits]
        ends = [row["value"], *known[0], *known[1]]
        inside = 1 / self.reach <= row["value"] <= self.reach
        interval, new = (tuple(self.x(ratio) for ratio in pair) for pair in known)
        return Mark(
            band=(self.x(band[0]), self.x(band[1])),
            interval=interval,
            new=new,
            point=self.x(row["value"]) if inside else None,
            left=min(ends) < 1 / self.reach,
            right=max(ends) > self.reach,
            text=_in_words(row, band),
        )


def _in_words(row: Mapping[str, Any], band: tuple[float, float]) -> str:
    """The text alternative of a row's drawing."""
    parts = [f"Difference {percent(row['value'])}"]
    if math.isfinite(row["low"]):
        low, high = apart(row["low"], row["high"])
        parts.append(f"{100 * row['level']:g} % interval from {low} to {high}")
    if math.isfinite(row["new_low"]):
        low, high = apart(row["new_low"], row["new_high"])
        parts.append(f"prediction interval from {low} to {high}")
    least, most = band
    if least > 0 and most < math.inf:
        parts.append(f"kept from {percent(least)} to {percent(most)}")
    elif most < math.inf:
        parts.append(f"kept below {percent(most)}")
    else:
        parts.append(f"kept above {percent(least)}")
    return "; ".join(parts)


def _tick(share: float) -> str:
    if share >= 1:
        return f"\N{MULTIPLICATION SIGN}{1 + share:g}"
    return f"{100 * share:+.0f} %".replace("-", "\N{MINUS SIGN}") if share else "0"
