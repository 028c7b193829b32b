"""The options that evaluations share, and what they set up: device, processes, workspace."""

from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sid.data.images import ImageSet
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.extractors import EXTRACTORS, load_extractor
from sid.evaluate.features.statistics import Statistics, read_statistics
from sid.evaluate.implementations import IMPLEMENTATIONS, implementations_of
from sid.evaluate.labels import read_counts
from sid.evaluate.metrics import metric_names, short_names
from sid.evaluate.records import Record, write_records
from sid.evaluate.samplers import CHUNK
from sid.evaluate.workspace import Workspace
from sid.fetch import locate
from sid.options import Device, Quiet, Threads, set_up_device
from sid.progress import Progress
from sid.runs.world import join

Extractor = Annotated[
    str, typer.Option(help=f"{', '.join(EXTRACTORS)}; or the file of another extractor.")
]
Chunk = Annotated[
    int, typer.Option(help="Images per forward of a network; another rounds otherwise.", min=1)
]

# Two images for each of the ten splits of the inception score are the least.
NCurve = Annotated[int, typer.Option(help="Images per snapshot of a curve.", min=20)]


@dataclass(frozen=True)
class Measurement:
    """What is measured, by whom, and on what machine; the options of every evaluation."""

    extractor: Extractor = "efficientnet-lite0"
    metrics: Annotated[
        str | None, typer.Option(help=f"Of {', '.join(short_names())}; with commas.")
    ] = None
    implementations: Annotated[
        str | None, typer.Option(help=f"Of {', '.join(IMPLEMENTATIONS)}; with commas.")
    ] = None
    statistics: Annotated[
        str | None,
        typer.Option(help="Published moments of the same images, for nvidia; npz or name."),
    ] = None
    frequencies: Annotated[
        Path | None,
        typer.Option(
            help="Draw classes as often as this data set has them (zip, npz of `labels`), as "
            "sid_metrics.py does; uniformly if not given."
        ),
    ] = None
    chunk: Chunk = CHUNK
    threads: Threads = 1
    device: Device = "auto"
    quiet: Quiet = False


@dataclass(frozen=True)
class Sizes:
    """Numbers of images, of the evaluations of runs, teachers and real images."""

    n_curve: NCurve = 5000
    n_final: Annotated[int, typer.Option(help="Images per draw of a final value.", min=20)] = 20000
    draws: Annotated[int, typer.Option(help="Draws, each with a seed of its own.", min=1)] = 3


def statistics_path(name: str) -> Path:
    """A file, or what `sid fetch` has got under that name.

    Raises:
        UserError: neither is there.
    """
    return Path(name) if Path(name).exists() else locate(name)


class Session(AbstractContextManager["Session"]):
    """Device, processes, workspace and progress of one command, closed in order.

    Args:
        title: of the progress.
        json: where the records will be written, if anywhere.
        options: of the command.
        dealt: whether processes have whole sets of images each, in place of parts of one.

    Raises:
        UserError: a metric is unknown, or no file can be at `json`.
    """

    def __init__(
        self, title: str, json: Path | None, options: Measurement, *, dealt: bool = False
    ) -> None:
        metric_names(options.metrics)  # Before any image is read.
        self._title, self._json, self._options, self._dealt = title, json, options, dealt
        self.world, self.device = join(set_up_device(options.device, options.threads))
        self._stack = ExitStack()

    def __enter__(self) -> "Session":
        self._stack.enter_context(threadpool_limits(self._options.threads))
        self.workspace = self._stack.enter_context(
            Workspace(self._json, self.world, dealt=self._dealt)
        )
        quiet = self._options.quiet or not self.world.main
        self.progress = self._stack.enter_context(Progress(self._title, 1, "passes", quiet=quiet))
        return self

    def __exit__(self, *what: object) -> bool | None:
        return self._stack.__exit__(*what)  # type: ignore[arg-type]

    def evaluator(
        self, reference: ImageSet | Statistics, options: Measurement | None = None
    ) -> Evaluator:
        """What measures images against a reference, as the options say.

        Args:
            reference: real images, or their moments.
            options: in place of the command's, for commands that measure in several ways.

        Raises:
            UserError: an option names what is not known, or they do not go together.
        """
        asked = options or self._options
        extractor = load_extractor(asked.extractor, self.device)
        published = read_statistics(statistics_path(asked.statistics)) if asked.statistics else None
        return Evaluator(
            reference,
            extractor,
            implementations_of(asked.implementations, extractor.name),
            metric_names(asked.metrics, moments=not isinstance(reference, ImageSet)),
            workspace=self.workspace,
            device=self.device,
            progress=self.progress,
            chunk=asked.chunk,
            statistics=published,
            counts=read_counts(asked.frequencies) if asked.frequencies else (),
        )

    def write(self, records: list[Record]) -> None:
        """Write the records and say so; of several processes, the first does."""
        if self._json and self.world.main:
            write_records(self._json, records)
            print(f"{self._json}: {len(records)} values")
