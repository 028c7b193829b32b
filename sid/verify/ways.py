"""How a published checkpoint is measured: the passes of its protocols, with their references."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from sid.data.images import ImageSet
from sid.data.sources import read_images
from sid.data.zips import read_zip
from sid.errors import UserError, warn
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.extractors.inception import NAME as INCEPTION
from sid.evaluate.extractors.published import PROGRAM, STATE
from sid.evaluate.features.statistics import Statistics, read_statistics
from sid.evaluate.labels import EQUAL, LabelRule, read_counts
from sid.evaluate.records import Record
from sid.evaluate.samplers import CHUNK
from sid.evaluate.session import Chunk, Measurement, Session
from sid.options import Device, Quiet, Threads
from sid.verify.files import Source
from sid.verify.passes import Pass


@dataclass(frozen=True)
class How:
    """How checkpoints are measured; the options of both commands."""

    draws: Annotated[
        int | None, typer.Option(help="For a quick look; the protocol's 10 if not given.", min=1)
    ] = None
    n: Annotated[
        int | None,
        typer.Option(help="Images of a draw, for a quick look, which decides nothing.", min=20),
    ] = None
    data: Annotated[
        Path | None,
        typer.Option(help="The data set, a zip in EDM's layout: asks the libraries as well."),
    ] = None
    frequencies: Annotated[
        Path | None,
        typer.Option(help="Labels of the data set (zip, npz of `labels`); --data if not given."),
    ] = None
    folder: Annotated[
        Path | None,
        typer.Option("--from", help="Folder with files under the names of `sid fetch`."),
    ] = None
    chunk: Chunk = CHUNK
    threads: Threads = 1
    device: Device = "auto"
    quiet: Quiet = False

    def measurement(self, **more: Any) -> Measurement:
        """The options of an evaluation."""
        machine = {key: getattr(self, key) for key in ("chunk", "threads", "device", "quiet")}
        return Measurement(**machine, **more)


class Way(NamedTuple):
    """One pass, ready to measure.

    Attributes:
        evaluator: against its reference.
        n: images of each draw.
        draws: how many.
        labels: how classes are drawn, as the records say it.
    """

    evaluator: Evaluator
    n: int
    draws: int
    labels: str

    def fits(self, record: Record, fields: dict[str, Any]) -> bool:
        """Whether a record with these fields is measured so, by whatever path it was given."""
        wanted = {
            **{key: value for key, value in fields.items() if key != "generated"},
            "dataset": self.evaluator.reference.name,
            "n_images": self.n,
            "labels": self.labels,
            "extractor": self.evaluator.extractor.name,
        }
        return record.reference_sha256 in self.evaluator.references and all(
            getattr(record, key) == value for key, value in wanted.items()
        )


def ways_of(
    session: Session, source: Source, one: Pass, how: How, dataset: str, classes: int
) -> list[Way]:
    """What measures one pass: one way, and two where classes are drawn by two rules.

    Args:
        session: of the subject.
        source: of Inception, moments and images.
        one: the pass.
        how: options.
        dataset: name of the subject's data set.
        classes: that the network takes, 0 for none.

    Raises:
        UserError: a file cannot be had, or is not of this data set.
    """
    try:
        reference, moments = _reference(source, one, how, dataset)
    except UserError as error:
        if not one.needs_images:
            raise
        warn(f"{', '.join(one.metrics)}: not measured, for want of the real images: {error}")
        return []
    extractor, names = one.extractor, one.implementations(data=bool(moments))
    if extractor == INCEPTION:
        extractor = str(source.get(PROGRAM))
        names = _with_own_weights(source, names)
    options = {
        "extractor": extractor,
        "metrics": ",".join(one.metrics),
        "implementations": ",".join(names),
        "statistics": str(moments) if moments else None,
    }
    ways = []
    for path in _rules(one, how, dataset, classes):
        evaluator = session.evaluator(reference, how.measurement(frequencies=path, **options))
        if evaluator.extractor.name != one.extractor:
            raise UserError(
                f"{extractor}: is not the published {one.extractor}; `sid fetch {PROGRAM}`"
            )
        labels = evaluator.labels(LabelRule(classes, evaluator.counts))
        ways.append(Way(evaluator, how.n or one.n_images, how.draws or one.draws, labels))
    return ways


def _with_own_weights(source: Source, names: list[str]) -> list[str]:
    """The implementations that can be asked: torch-fidelity reads a file of its own."""
    if "torch-fidelity" not in names:
        return names
    try:
        source.get(STATE)
    except UserError as error:
        warn(f"torch-fidelity is not asked: {error}")
        return [name for name in names if name != "torch-fidelity"]
    return names


def _reference(
    source: Source, one: Pass, how: How, dataset: str
) -> tuple[ImageSet | Statistics, Path | None]:
    """What images are compared with, and published moments that go with images of the data set."""
    name = Path(one.reference).stem
    if one.needs_images:
        path = how.data if how.data and name == dataset else source.get(one.reference)
        return replace(read_images(path), name=name), None
    moments = source.get(one.reference)
    if how.data and name == dataset:
        data = read_zip(how.data) if how.data.suffix.lower() == ".zip" else read_images(how.data)
        return replace(data, name=name), moments
    return replace(read_statistics(moments), name=name), None


def _rules(one: Pass, how: How, dataset: str, classes: int) -> list[Path | None]:
    """Where the frequencies of classes come from, the publisher's rule first; None: uniform.

    Where the classes are equally frequent both rules are one law, and one set is drawn.
    """
    if not classes or one.labels == "uniform":
        return [None]
    zipped = how.data and how.data.suffix.lower() == ".zip"
    path = how.frequencies or (how.data if zipped else None)
    if path:
        return [path] if len(set(read_counts(path))) == 1 else [path, None]
    if one.labels and len(EQUAL.get(dataset, ())) != classes:
        warn(
            f"{dataset}: classes are drawn uniformly, those of the published values as often as in "
            "the data set, so that nothing is decided; give its labels with --frequencies"
        )
    return [None]
