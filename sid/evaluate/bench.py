"""The bench: every implementation against one reference, on one set of images after another."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import torch

from sid import provenance
from sid.data.images import ImageSet, first
from sid.errors import UserError, warn
from sid.evaluate.cache import Key, cached
from sid.evaluate.classes import unlike
from sid.evaluate.extractors import Extractor
from sid.evaluate.implementations.implementation import Implementation, OfExtractor, Value
from sid.evaluate.records import Record
from sid.evaluate.sampling import CHUNK, Sampler
from sid.evaluate.seen import Seen
from sid.evaluate.statistics import Statistics
from sid.evaluate.work import Work
from sid.progress import Progress

MOMENTS = frozenset({"frechet_distance", "frechet_distance_infinity", "inception_score"})
METRICS = (
    *("frechet_distance", "kernel_distance", "inception_score", "precision", "recall"),
    *("density", "coverage", "authenticity", "frechet_distance_infinity"),
)
USUAL = METRICS[:3]


class Bench:
    """All implementations against one reference and one extractor.

    Args:
        reference: real images, or the moments of their features.
        extractor: that every implementation is given.
        implementations: those to ask.
        metrics: of `METRICS`; each implementation gives those that it has.
        work: where images and records are kept until the end.
        device: where the networks run.
        progress: advanced by the images drawn, and by the images of each implementation.
        chunk: images per forward of a generator.
        statistics: published moments of the same real images, which NVIDIA's protocol takes.

    Raises:
        UserError: the images have a shape that the extractor does not take, nothing can be
            measured, or a metric needs images where the reference has moments only.
    """

    def __init__(
        self,
        reference: ImageSet | Statistics,
        extractor: Extractor,
        implementations: Sequence[Implementation],
        metrics: Sequence[str] = USUAL,
        *,
        work: Work,
        device: torch.device,
        progress: Progress,
        chunk: int = CHUNK,
        statistics: Statistics | None = None,
    ) -> None:
        self.reference, self.extractor, self.metrics = reference, extractor, tuple(metrics)
        self._work, self._progress, self._chunk = work, progress, chunk
        self._seen: Seen | None = None
        self._kept: Statistics | None = None
        self._unlike = ""
        if isinstance(reference, ImageSet):
            self._seen = Seen(reference, extractor, work.place("reference"))
        for given in (statistics, reference):
            if isinstance(given, Statistics):
                given.check(extractor.width, extractor.name, extractor.sha256)
        self._published = statistics
        if not self._seen:
            needy = [name for name in metrics if name not in MOMENTS]
            if needy:
                raise UserError(
                    f"{reference.name}: holds moments only, and {needy[0]} needs the images; "
                    f"ask for --metrics {','.join(sorted(MOMENTS & set(metrics))) or 'fd'}"
                )
            if not any(one.statistics for one in implementations):
                raise UserError(
                    f"{reference.name}: holds moments only, and {implementations[0].name} needs "
                    "the images; `ours` and `nvidia` do not"
                )
        able = [one for one in implementations if self._seen or one.statistics]
        self.implementations = [one for one in able if one.metrics & set(metrics)]
        if not self.implementations:
            raise UserError("--implementations: none of these has any of these metrics")
        machine = provenance.describe(device)
        self._common = {
            "dataset": reference.name,
            "extractor": extractor.name,
            "extractor_accuracy": None if math.isnan(extractor.accuracy) else extractor.accuracy,
            **{key: machine[key] for key in ("device", "torch", "git", "threads")},
        }

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of the reference, () where only its moments are known."""
        return self._seen.images.shape[1:] if self._seen else ()

    def passes(self, *sizes: int, drawn: bool = True) -> int:
        """Progress that one set of images is worth, of which the first `sizes` are measured."""
        return sum(sizes) * len(self.implementations) + max(sizes) * drawn

    def sampled(
        self,
        sampler: Sampler,
        sizes: Sequence[int],
        about: Mapping[str, Any],
        *,
        draw: int,
        seed: int,
    ) -> list[Record]:
        """Measure the first images of a network, as many as each of `sizes` says.

        Args:
            sampler: of the network at `seed`.
            sizes: numbers of images; as many as the largest are drawn.
            about: the fields of the records that say what the network is; `generated_sha256` is
                of its weights here, and of its images in the records.
            draw: number of the draw.
            seed: of the sampler, and of subsets and shuffles.
        """
        about = {**about, "labels": self._labels(sampler.classes)}
        drawn_from = {**about, "seed": seed, **self._common}
        images = self._work.images(
            str(about["generated"]), sampler, max(sizes), drawn_from, self._progress, self._chunk
        )
        return [
            record
            for n in sizes
            for record in self._records(first(images, n), drawn_from, about, draw, seed)
        ]

    def _labels(self, classes: int) -> str:
        """How the classes of the images are drawn, and in what the real images' differ."""
        if not classes:
            return ""
        drawn, apart = f"uniform over {classes} classes", unlike(classes, self.reference)
        if apart and not self._unlike:
            warn(f"images are drawn {drawn}, and {apart}")
        self._unlike = apart
        return "; ".join(filter(None, (drawn, apart)))

    def given(
        self, images: ImageSet, about: Mapping[str, Any], *, draw: int, seed: int
    ) -> list[Record]:
        """Measure images that are there (see `sampled`)."""
        return self._records(images, {"images": images.sha256}, about, draw, seed)

    def _records(
        self,
        images: ImageSet,
        origin: Mapping[str, Any],
        about: Mapping[str, Any],
        draw: int,
        seed: int,
    ) -> list[Record]:
        names = [(one.name, one.version) for one in self.implementations]
        asked = {"metrics": self.metrics, "implementations": names, "chunk": self._chunk}
        asked |= {"n": len(images), "draw": draw, "seed": seed}
        asked |= {"reference": self.reference.sha256}
        asked |= {"statistics": self._published.sha256 if self._published else ""}
        where = {**self._common, "extractor_sha256": self.extractor.sha256}

        def make() -> list[Record]:
            seen = Seen(images, self.extractor, self._work.place("generated"))
            row = {**where, **about, "generated_sha256": images.sha256, "n_images": len(images)}
            row |= {"kimg": about.get("images", 0) / 1000, "draw": draw, "seed": seed}
            asked = [self._ask(one, seen, row) for one in self.implementations]
            records = [record for part in asked for record in part]
            if not records:
                raise UserError(f"{images.name}: no metric has a value; add `ours`")
            return with_errors(records)

        records = self._work.records({**origin, **about, **asked, **where}, make)
        self._progress.advance(
            len(images) * len(self.implementations), **{records[0].metric: records[0].value}
        )
        return records

    def _ask(self, one: Implementation, seen: Seen, row: Mapping[str, Any]) -> list[Record]:
        start = time.perf_counter()
        side = self._side(one)
        found = one.evaluate(seen, side, self.metrics, row["seed"])
        values = finite(found, one.name, seen.images.name)
        said = {
            **row,
            "n_reference": side.count,
            "reference_sha256": (side if isinstance(side, Statistics) else side.images).sha256,
            "implementation": one.name,
            "implementation_version": one.version,
            "divisor": one.divisor,
            "extractor_sha256": one.weights(seen),
            "preprocessing": one.preprocessing(seen),
            "seconds": round(time.perf_counter() - start, 3),
        }
        if isinstance(one, OfExtractor):
            values = [one.noted(value, seen, side) for value in values]
        for value in values:
            if value.note:
                warn(f"{one.name}, {value.metric} of {seen.images.name}: {value.note}")
        return [Record.model_validate({**said, **value._asdict()}) for value in values]

    def _side(self, one: Implementation) -> Seen | Statistics:
        """The reference as an implementation may have it: moments made before, where they do."""
        if self._published and one.name.startswith("nvidia"):
            return self._published
        if not self._seen:
            assert isinstance(self.reference, Statistics)
            return self.reference
        if not (one.statistics and MOMENTS.issuperset(self.metrics)):
            return self._seen
        if self._kept is None:
            self._kept = statistics_of(self._seen)
        return self._kept


def finite(values: Sequence[Value], implementation: str, name: str) -> list[Value]:
    """Those that are numbers; of the others it is said that they are none.

    A library's matrix square root may fail where a covariance is singular. NaN is neither a
    measurement nor JSON.
    """
    found = []
    for value in values:
        if math.isfinite(value.value):
            found.append(value)
        else:
            warn(f"{implementation} finds no finite {value.metric} of {name}")
    return found


def with_errors(records: list[Record]) -> list[Record]:
    """Give values the error that ours has: it is of the images, not of the code.

    Those without an error get it, and those whose error is over subsets of the images, which goes
    to zero as the subsets come to hold all of them.
    """
    ours = {r.metric: r.stderr for r in records if r.implementation == "ours"}
    return [
        record
        if (record.stderr is not None and record.stderr_of != "subsets")
        or ours.get(record.metric) is None
        else record.model_copy(
            update={"stderr": ours[record.metric], "stderr_of": "images, by ours"}
        )
        for record in records
    ]


def statistics_of(seen: Seen) -> Statistics:
    """The moments of a set of images, from the cache if any command ever computed them."""
    images, extractor = seen.images, seen.extractor
    key = Key(
        data_sha256=images.sha256,
        resolution="x".join(map(str, images.shape[1:])),
        preprocessing=extractor.preprocessing,
        extractor=extractor.name,
        extractor_sha256=extractor.sha256,
        divisor="N-1",
    )

    def make() -> Statistics:
        return Statistics(images.name, seen.gaussian, len(images), **asdict(key))

    return cached(key, make)
