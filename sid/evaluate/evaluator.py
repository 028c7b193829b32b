"""Every implementation against one reference, on one set of images after another."""

import copy
import math
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch

from sid import provenance
from sid.data.images import ImageSet
from sid.errors import UserError, warn
from sid.evaluate.classes import class_mismatch, equal_counts
from sid.evaluate.extractors import Extractor
from sid.evaluate.features.image_features import ImageFeatures
from sid.evaluate.features.statistics import Statistics
from sid.evaluate.features.statistics_cache import cached_statistics
from sid.evaluate.implementations.implementation import Implementation, OfExtractor
from sid.evaluate.labels import Counts, LabelRule
from sid.evaluate.metrics import METRICS, Reference, Value
from sid.evaluate.records import Record
from sid.evaluate.samplers import CHUNK, Sampler
from sid.evaluate.workspace import Workspace
from sid.progress import Progress


class Evaluator:
    """Measures sets of images by all implementations, against one reference with one extractor.

    Args:
        reference: real images, or the moments of their features.
        extractor: that every implementation is given.
        implementations: those to ask.
        metrics: names; each implementation gives those that it has.
        workspace: where images and records are kept until the end.
        device: where the networks run.
        progress: advanced by passes: the images drawn, and the images of each implementation.
        chunk: images per forward of a generator.
        statistics: published moments of the same real images, which NVIDIA's protocol takes.
        counts: of a conditional network's data set, as of `LabelRule`; empty: uniform classes.

    Raises:
        UserError: the images have a shape that the extractor does not take, nothing can be
            measured, or a metric needs images where the reference has moments only.
    """

    def __init__(
        self,
        reference: ImageSet | Statistics,
        extractor: Extractor,
        implementations: Sequence[Implementation],
        metrics: Sequence[str],
        *,
        workspace: Workspace,
        device: torch.device,
        progress: Progress,
        chunk: int = CHUNK,
        statistics: Statistics | None = None,
        counts: Counts = (),
    ) -> None:
        self.reference, self.extractor, self.metrics = reference, extractor, tuple(metrics)
        self.counts = counts
        self.workspace, self.progress, self._chunk = workspace, progress, chunk
        self._real: ImageFeatures | None = None
        self._moments: Statistics | None = None
        self._mismatches: set[str] = set()
        if isinstance(reference, ImageSet):
            kept = workspace.subfolder(f"reference-{reference.sha256[:12]}")
            self._real = ImageFeatures(reference, extractor, kept)
        for given in (statistics, reference):
            if isinstance(given, Statistics):
                given.check(extractor.width, extractor.name, extractor.sha256)
        self._published = statistics
        self._of_moments = not any(METRICS[name].needs_images for name in metrics)
        if not self._real:
            needy = [name for name in metrics if METRICS[name].needs_images]
            if needy:
                able = sorted(set(metrics) - set(needy))
                raise UserError(
                    f"{reference.name}: holds moments only, and {needy[0]} needs the images; "
                    f"ask for --metrics {','.join(able) or 'fd'}"
                )
            if not any(one.statistics for one in implementations):
                raise UserError(
                    f"{reference.name}: holds moments only, and {implementations[0].name} needs "
                    "the images; `ours` and `nvidia` do not"
                )
        self.implementations = [
            one
            for one in implementations
            if (self._real or one.statistics) and one.metrics & set(metrics)
        ]
        if not self.implementations:
            raise UserError("--implementations: none of these has any of these metrics")
        machine = provenance.describe(device)
        self._machine = {key: machine[key] for key in ("device", "torch", "git", "threads")}
        self._common = {
            "dataset": reference.name,
            "extractor": extractor.name,
            "extractor_accuracy": None if math.isnan(extractor.accuracy) else extractor.accuracy,
            **self._machine,
        }

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W) of the reference, () where only its moments are known."""
        return self._real.images.shape[1:] if self._real else ()

    @property
    def references(self) -> set[str]:
        """Checksums of the reference and of its published moments, one of which each record has."""
        return {one.sha256 for one in (self.reference, self._published) if one}

    def by(self, names: Sequence[str]) -> "Evaluator":
        """The same by some of its implementations, which share what is made of the reference.

        Args:
            names: of those that it asks, in the order in which the new one asks them.
        """
        by_name = {one.name: one for one in self.implementations}
        other = copy.copy(self)
        other.implementations = [by_name[name] for name in names]
        return other

    def asked(self, weights: str, n: int, draw: int, labels: str) -> dict[str, Any]:
        """What the records of a set of drawn images depend on, but for rounding.

        Device, versions, threads and images per forward are in the records, and not in here.

        Args:
            weights: checksum of the network's file.
            n: images.
            draw: number of the draw, which is its seed too.
            labels: as of `labels`.
        """
        return {
            "weights_sha256": weights,
            "n_images": n,
            "draw": draw,
            "labels": labels,
            "dataset": self.reference.name,
            "extractor": self.extractor.name,
            "metrics": sorted(self.metrics),
            "implementations": [one.name for one in self.implementations],
            "extractor_sha256": [self._weights[one.name] for one in self.implementations],
            "reference_sha256": [self._of(one).sha256 for one in self.implementations],
        }

    @cached_property
    def _weights(self) -> dict[str, str]:
        """Checksums of the weights that the features of each implementation come from."""
        return {
            one.name: one.weights(self._real) if self._real else self.extractor.sha256
            for one in self.implementations
        }

    def passes(self, n: int, *, drawn: bool = True) -> int:
        """Progress that a set of `n` images is worth: drawing it, and each implementation."""
        return n * (len(self.implementations) + drawn)

    def sampled(
        self, sampler: Sampler, n: int, about: Mapping[str, Any], *, draw: int, seed: int
    ) -> list[Record]:
        """Measure the first `n` images of a network.

        Args:
            sampler: of the network at `seed`.
            n: how many.
            about: the fields of the records that say what the network is; `generated_sha256` is
                of its weights here, and of its images in the records.
            draw: number of the draw.
            seed: of the sampler, and of subsets and shuffles.
        """
        about = {**about, "labels": self.labels(sampler.rule)}
        drawn_from = {**about, "seed": seed, "counts": sampler.rule.counts, **self._machine}
        images = self.workspace.images(
            str(about["generated"]), sampler, n, drawn_from, self.progress, self._chunk
        )
        return self._records(images, drawn_from, about, draw, seed)

    def labels(self, rule: LabelRule) -> str:
        """How the classes of the images are drawn, and in what the real images' differ."""
        mismatch = class_mismatch(rule, self.reference)
        if mismatch and mismatch not in self._mismatches:
            warn(f"images are drawn {rule.text}, and {mismatch}")
        self._mismatches.add(mismatch)
        equal = rule if rule.counts else LabelRule(rule.classes, equal_counts(rule, self.reference))
        return "; ".join(filter(None, (equal.text, mismatch)))

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
            generated = ImageFeatures(images, self.extractor, self.workspace.subfolder("generated"))
            row = {**where, **about, "generated_sha256": images.sha256, "n_images": len(images)}
            row |= {"kimg": about.get("images", 0) / 1000, "draw": draw, "seed": seed}
            asked = [self._ask(one, generated, row) for one in self.implementations]
            records = [record for part in asked for record in part]
            if not records:
                raise UserError(f"{images.name}: no metric has a value; add `ours`")
            return with_errors(records)

        records = self.workspace.records({**origin, **about, **asked, **where}, make)
        self.progress.advance(
            len(images) * len(self.implementations), **{records[0].metric: records[0].value}
        )
        return records

    def _ask(
        self, one: Implementation, generated: ImageFeatures, row: Mapping[str, Any]
    ) -> list[Record]:
        start = time.perf_counter()
        reference = self._reference_for(one)
        found = one.evaluate(generated, reference, self.metrics, row["seed"])
        values = finite(found, one.name, generated.images.name)
        said = {
            **row,
            "n_reference": reference.count,
            "reference_sha256": (
                reference if isinstance(reference, Statistics) else reference.images
            ).sha256,
            "implementation": one.name,
            "implementation_version": one.version,
            "divisor": one.divisor,
            "extractor_sha256": one.weights(generated),
            "preprocessing": one.preprocessing(generated),
            "seconds": round(time.perf_counter() - start, 3),
        }
        if isinstance(one, OfExtractor):
            values = [one.noted(value, generated, reference) for value in values]
        for value in values:
            if value.note:
                warn(f"{one.name}, {value.metric} of {generated.images.name}: {value.note}")
        return [Record.model_validate({**said, **value._asdict()}) for value in values]

    def _reference_for(self, one: Implementation) -> Reference:
        """The reference as an implementation takes it: as cached moments where these suffice."""
        found = self._of(one)
        if isinstance(found, Statistics):
            return found
        assert self._real
        if not (one.statistics and self._of_moments):
            return self._real
        if self._moments is None:
            self._moments = cached_statistics(self._real)
        return self._moments

    def _of(self, one: Implementation) -> ImageSet | Statistics:
        """What an implementation compares with: published moments, or the reference."""
        published = self._published if one.name.startswith("nvidia") else None
        return published or self.reference


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
