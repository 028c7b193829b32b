"""What an implementation of the metrics is: the same images in, its own numbers out."""

from collections.abc import Collection
from typing import Protocol

from sid.errors import UserError
from sid.evaluate.classes import sorted_by_class
from sid.evaluate.features.image_features import CAP, ImageFeatures
from sid.evaluate.metrics import METRICS, Reference, Value


class Implementation(Protocol):
    """A way to compute metrics from images.

    Attributes:
        name: as in the records.
        version: of the library.
        metrics: those that it has.
        statistics: whether moments alone will do for a reference of the Frechet distances.
        divisor: of the generated images' covariance, `N-1` or `N`.
    """

    name: str
    version: str
    metrics: frozenset[str]
    statistics: bool
    divisor: str

    def weights(self, features: ImageFeatures) -> str:
        """SHA-256 of the weights that its features come from."""
        ...

    def preprocessing(self, features: ImageFeatures) -> str:
        """What is done to the images before the network: resizing, and by whom."""
        ...

    def evaluate(
        self, generated: ImageFeatures, reference: Reference, metrics: Collection[str], seed: int
    ) -> list[Value]:
        """Those of `metrics` that this implementation has.

        Args:
            generated: images, with the extractor that both sides are seen by.
            reference: real images, or their moments where `statistics` says so.
            metrics: names.
            seed: of subsets and shuffles.
        """
        ...


class OfExtractor:
    """What an implementation says that computes on the extractor's own features."""

    def weights(self, features: ImageFeatures) -> str:
        """Those of the extractor."""
        return features.extractor.sha256

    def preprocessing(self, features: ImageFeatures) -> str:
        """That of the extractor."""
        return features.extractor.preprocessing

    def noted(self, value: Value, generated: ImageFeatures, reference: Reference) -> Value:
        """A value with a note where it is not of all images: features are kept of the first `CAP`.

        A value by moments is of all images, and its error of those kept.
        """
        metric = METRICS[value.metric]
        if metric.from_moments and value.stderr is None:
            return value
        sides = {"generated": generated}
        if isinstance(reference, ImageFeatures) and metric.needs_images:
            sides["real"] = reference
        told = [
            f"{CAP:,} of {side.count:,} {name} images"
            + (", which are sorted by class" if sorted_by_class(side.logits) else "")
            for name, side in sides.items()
            if side.count > CAP
        ]
        if not told:
            return value
        note = f"{'its error is ' if metric.from_moments else ''}of the first {' and '.join(told)}"
        return value._replace(note="; ".join(filter(None, (value.note, note))))


def check_enough(generated: ImageFeatures, reference: Reference, metrics: Collection[str]) -> None:
    """See that the images are enough for the metrics.

    Raises:
        UserError: they are too few.
    """
    sides = [generated, reference] if isinstance(reference, ImageFeatures) else [generated]
    for name in metrics:
        metric = METRICS[name]
        few = [side for side in sides if side.count < metric.least]
        if few and ("reference" in metric.depends_on or few[0] is generated):
            raise UserError(
                f"{few[0].images.name}: {few[0].count} images, and the metric {name} needs "
                f"{metric.least}; give more, or leave it out of --metrics"
            )
