"""What a metric is: its names, what it needs and depends on, and the function that computes it."""

import math
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from sid.data.rows import Rows
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.features.statistics import Statistics

Reference = ImageFeatures | Statistics
T = TypeVar("T")


class Value(NamedTuple):
    """One value of one metric.

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


class PerReference:
    """What is computed of a reference once, for the many sets of images compared with it."""

    def __init__(self) -> None:
        self._reference: Reference | None = None
        self._found: dict[Hashable, object] = {}

    def get(self, reference: Reference, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` made for this key, or makes now; another reference forgets everything."""
        if self._reference is not reference:
            self._reference, self._found = reference, {}  # Two are never in memory at once.
        if key not in self._found:
            self._found[key] = make()
        return cast(T, self._found[key])


class Comparison(NamedTuple):
    """What a metric is asked for.

    Attributes:
        generated: images, with the extractor that both sides are seen by.
        reference: real images, or their moments for metrics that need no images.
        metrics: the names that are asked for, since metrics may share one function.
        seed: of subsets and shuffles.
        made: what was made of the reference before.
    """

    generated: ImageFeatures
    reference: Reference
    metrics: Collection[str]
    seed: int
    made: PerReference

    @property
    def real(self) -> ImageFeatures:
        """The reference's images, for metrics that need them."""
        assert isinstance(self.reference, ImageFeatures)
        return self.reference


Compute = Callable[[Comparison], list[Value]]


@dataclass(frozen=True)
class Metric:
    """All that the suite knows of a metric; it stands in the file that computes it.

    Attributes:
        name: in the records; a distance is named after its extractor as well.
        compute: gives our values of generated images against a reference.
        title: for people; the name with blanks if empty.
        inception_title: the field's name for it with the features of the 2015 Inception.
        short: what it is called on the command line, alone or with others.
        usual: whether it is measured where nobody says which.
        least: images of either side that it needs.
        needs_images: whether the moments of the reference do not suffice.
        from_moments: whether the value is of the moments of all images, so that only its error
            is of those whose features are kept.
        depends_on: what it depends on beside the images: `reference`, and what implementations
            choose differently, `subsets`, `splits`, and the `divisor` of a covariance.
        limits: where no interval goes beyond.
        higher: whether higher values are better.
        tenths: whether its error is taken between ten groups or splits, and so has nine degrees of
            freedom; others have as many as images.
    """

    name: str
    compute: Compute
    title: str = ""
    inception_title: str = ""
    short: tuple[str, ...] = ()
    usual: bool = False
    least: int = 2
    needs_images: bool = True
    from_moments: bool = False
    depends_on: frozenset[str] = frozenset({"reference"})
    limits: tuple[float, float] = (-math.inf, math.inf)
    higher: bool = False
    tenths: bool = False


def indexed(rows: Rows) -> NDArray[np.floating]:
    """Rows in a file as an array: the metrics do no more with one than index it."""
    return cast(NDArray[np.floating], rows)
