"""What an implementation of the metrics is: the same images in, its own numbers out."""

from collections.abc import Callable, Collection
from typing import Generic, NamedTuple, Protocol, TypeVar

from sid.errors import UserError
from sid.evaluate.order import sorted_by_class
from sid.evaluate.seen import CAP, Seen
from sid.evaluate.statistics import Statistics

# Twenty subsets of 1,000, not the customary 100: the error of the mean over subsets is then still
# well below the difference between two draws, at a fifth of the time.
KERNEL_SUBSETS = 20
KERNEL_SUBSET_SIZE = 1000
SCORE_SPLITS = 10
# Images of either side that a metric needs: an image for each split, five neighbours, two images
# for each of five covariances.
LEAST = {
    "inception_score": SCORE_SPLITS,
    "frechet_distance_infinity": 20,
    **dict.fromkeys(("precision", "recall", "density", "coverage", "authenticity"), 6),
}


# Metrics that look at the real images one by one.
OF_REAL_FEATURES = frozenset(
    {"kernel_distance", "precision", "recall", "density", "coverage", "authenticity"}
)


class Value(NamedTuple):
    """One metric.

    Attributes:
        metric: name, as in the records.
        value: the value.
        stderr: its standard error, or None where the implementation gives none.
        stderr_of: what the error is taken over: `images` (what other images of the same
            generator would change), or only `subsets` or `splits` of these.
        note: what the implementation takes for granted of the images and does not find.
    """

    metric: str
    value: float
    stderr: float | None = None
    stderr_of: str = ""
    note: str = ""


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

    def weights(self, seen: Seen) -> str:
        """SHA-256 of the weights that its features come from."""
        ...

    def preprocessing(self, seen: Seen) -> str:
        """What is done to the images before the network: resizing, and by whom."""
        ...

    def evaluate(
        self, generated: Seen, reference: Seen | Statistics, metrics: Collection[str], seed: int
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

    def weights(self, seen: Seen) -> str:
        """Those of the extractor."""
        return seen.extractor.sha256

    def preprocessing(self, seen: Seen) -> str:
        """That of the extractor."""
        return seen.extractor.preprocessing

    def noted(self, value: Value, generated: Seen, reference: Seen | Statistics) -> Value:
        """A value with a note where it is not of all images: features are kept of the first `CAP`.

        A Frechet distance is of all, by their moments, and its error of those kept.
        """
        of_error = value.metric == "frechet_distance"
        if of_error and value.stderr is None:
            return value
        sides = {"generated": generated}
        if isinstance(reference, Seen) and value.metric in OF_REAL_FEATURES:
            sides["real"] = reference
        told = [
            f"{CAP:,} of {side.count:,} {name} images"
            + (", which are sorted by class" if sorted_by_class(side.logits) else "")
            for name, side in sides.items()
            if side.count > CAP
        ]
        if not told:
            return value
        note = f"{'its error is ' if of_error else ''}of the first {' and '.join(told)}"
        return value._replace(note="; ".join(filter(None, (value.note, note))))


def enough(generated: Seen, reference: Seen | Statistics, metrics: Collection[str]) -> None:
    """See that the images are enough for the metrics.

    Raises:
        UserError: they are too few.
    """
    sides = [generated, reference] if isinstance(reference, Seen) else [generated]
    for metric in metrics:
        few = [side for side in sides if side.count < LEAST.get(metric, 2)]
        if few and (metric != "inception_score" or few[0] is generated):
            raise UserError(
                f"{few[0].images.name}: {few[0].count} images, and the metric {metric} needs "
                f"{LEAST.get(metric, 2)}; give more, or leave it out of --metrics"
            )


def subset_size(n_images: int, n_reference: int) -> int:
    """Images per subset of the kernel distance: 1,000, or all where there are fewer."""
    return min(KERNEL_SUBSET_SIZE, n_images, n_reference)


T = TypeVar("T")


class Kept(Generic[T]):
    """What was made last for a reference, for many snapshots in a row."""

    def __init__(self) -> None:
        self._last: tuple[Seen | Statistics, T] | None = None

    def get(self, reference: Seen | Statistics, make: Callable[[], T]) -> T:
        """The kept result, or that of `make` where the reference is another object than before."""
        if self._last is None or self._last[0] is not reference:
            self._last = None  # Two are never in memory at once.
            self._last = (reference, make())
        return self._last[1]
