"""Metrics: each file computes one, or a few at once, and says all that is known of them."""

from sid.errors import UserError
from sid.evaluate.metrics import (
    frechet_distance,
    inception_score,
    kernel,
    memorisation,
    precision_recall,
)
from sid.evaluate.metrics.metric import Comparison, Metric, PerReference, Reference, Value
from sid.plugins import plugins

__all__ = [
    "METRICS",
    "Comparison",
    "Metric",
    "PerReference",
    "Reference",
    "Value",
    "label",
    "metric_names",
]

FILES = (frechet_distance, kernel, inception_score, precision_recall, memorisation)
# By name, in the order of all tables; packages bring others as `Metric` in group `sid.metrics`.
METRICS: dict[str, Metric] = {metric.name: metric for file in FILES for metric in file.METRICS}
METRICS |= {metric.name: metric for metric in plugins("sid.metrics", Metric).values()}
INCEPTION = "inception-2015"


def label(metric: str, extractor: str) -> str:
    """A metric's name with its extractor: only the 2015 Inception makes an FID or a KID."""
    known = METRICS.get(metric)
    if extractor == INCEPTION and known and known.inception_title:
        return known.inception_title
    title = known.title if known else ""
    return f"{title or metric.replace('_', ' ').capitalize()} ({extractor})"


def short_names() -> dict[str, tuple[str, ...]]:
    """What the command line calls metrics, with `all` for every one."""
    found: dict[str, tuple[str, ...]] = {}
    for metric in METRICS.values():
        for short in metric.short or (metric.name,):
            found[short] = (*found.get(short, ()), metric.name)
    return {**found, "all": tuple(METRICS)}


def metric_names(text: str | None, *, moments: bool = False) -> tuple[str, ...]:
    """The metrics of a comma-separated list, without repetition and in its order.

    Args:
        text: the list; the usual metrics when None.
        moments: whether the reference has no images, so that the usual ones are fewer.

    Raises:
        UserError: one is unknown.
    """
    if text is None:
        return tuple(
            name
            for name, one in METRICS.items()
            if one.usual and not (moments and one.needs_images)
        )
    found: list[str] = []
    short = short_names()
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word not in short and word not in METRICS:
            known = ", ".join(dict.fromkeys([*METRICS, *short]))
            raise UserError(f"--metrics: {word} is unknown; known are {known}")
        found += [word] if word in METRICS else short[word]
    if not found:
        raise UserError(f"--metrics: none given; known are {', '.join(METRICS)}")
    return tuple(dict.fromkeys(found))
