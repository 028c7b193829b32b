"""Our implementation: the metrics of `sid.evaluate.metrics`, with errors of every value."""

from collections.abc import Collection

import sid
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.implementations.implementation import OfExtractor, check_enough
from sid.evaluate.metrics import METRICS, Comparison, PerReference, Reference, Value


class Ours(OfExtractor):
    """All metrics (an `Implementation`)."""

    name = "ours"
    version = sid.__version__
    metrics = frozenset(METRICS)
    statistics = True
    divisor = "N-1"

    def __init__(self) -> None:
        self._made = PerReference()

    def evaluate(
        self, generated: ImageFeatures, reference: Reference, metrics: Collection[str], seed: int
    ) -> list[Value]:
        """Those of `metrics` that can be had (see `Implementation.evaluate`)."""
        check_enough(generated, reference, metrics)
        moments = not isinstance(reference, ImageFeatures)
        asked = [
            metric
            for metric in METRICS.values()
            if metric.name in metrics and not (moments and metric.needs_images)
        ]
        return [
            value
            for compute in dict.fromkeys(metric.compute for metric in asked)
            for value in compute(
                Comparison(
                    generated,
                    reference,
                    [metric.name for metric in asked if metric.compute is compute],
                    seed,
                    self._made,
                )
            )
        ]
