"""From what the command line says to a bench."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from sid.data.images import ImageSet
from sid.errors import UserError
from sid.evaluate.bench import METRICS, MOMENTS, USUAL, Bench
from sid.evaluate.extractors import load_extractor
from sid.evaluate.implementations import IMPLEMENTATIONS, usual
from sid.evaluate.statistics import Statistics, read_statistics
from sid.evaluate.work import Work
from sid.fetch import locate
from sid.options import prepare
from sid.progress import Progress
from sid.runs.world import join

SHORT = {
    "fd": ("frechet_distance",),
    "fid": ("frechet_distance",),
    "kd": ("kernel_distance",),
    "kid": ("kernel_distance",),
    "is": ("inception_score",),
    "pr": ("precision", "recall"),
    "dc": ("density", "coverage"),
    "fd-infinity": ("frechet_distance_infinity",),
    "all": METRICS,
}


def metrics_of(text: str | None, *, moments: bool = False) -> tuple[str, ...]:
    """The metrics of a comma-separated list, without repetition and in its order.

    Args:
        text: the list; the usual ones when None.
        moments: whether the reference has no images, so that the usual ones are fewer.

    Raises:
        UserError: one is unknown.
    """
    if text is None:
        return tuple(name for name in USUAL if name in MOMENTS) if moments else USUAL
    found: list[str] = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        if word not in SHORT and word not in METRICS:
            known = ", ".join([*METRICS, *SHORT])
            raise UserError(f"--metrics: {word} is unknown; known are {known}")
        found += SHORT.get(word, (word,))
    if not found:
        raise UserError(f"--metrics: none given; known are {', '.join(METRICS)}")
    return tuple(dict.fromkeys(found))


def implementations_of(text: str | None, extractor: str) -> list[str]:
    """The implementations of a comma-separated list, or those usual for an extractor.

    Raises:
        UserError: one is unknown.
    """
    if text is None:
        return usual(extractor)
    names = list(dict.fromkeys(filter(None, (part.strip() for part in text.split(",")))))
    for name in names:
        if name not in IMPLEMENTATIONS:
            known = ", ".join(IMPLEMENTATIONS)
            raise UserError(f"--implementations: {name} is unknown; known are {known}")
    return names or usual(extractor)


def located(name: str) -> Path:
    """A file, or what `sid fetch` has got under that name.

    Raises:
        UserError: neither is there.
    """
    return Path(name) if Path(name).exists() else locate(name)


class Setup(AbstractContextManager["Setup"]):
    """Device, processes, work folder and progress of one command, closed in order.

    Args:
        title: of the progress.
        json: where the records will be written, if anywhere.
        device: as of `sid.options.prepare`.
        threads: of CPU work.
        quiet: no progress.
    """

    def __init__(
        self, title: str, json: Path | None, *, device: str, threads: int, quiet: bool
    ) -> None:
        self._title, self._json, self._threads, self._quiet = title, json, threads, quiet
        self.world, self.device = join(prepare(device, threads))
        self._stack = ExitStack()

    def __enter__(self) -> "Setup":
        self._stack.enter_context(threadpool_limits(self._threads))
        self.work = self._stack.enter_context(Work(self._json, self.world))
        quiet = self._quiet or not self.world.main
        self.progress = self._stack.enter_context(Progress(self._title, 1, quiet=quiet))
        return self

    def __exit__(self, *what: object) -> bool | None:
        return self._stack.__exit__(*what)  # type: ignore[arg-type]

    def bench(
        self,
        reference: ImageSet | Statistics,
        extractor: str,
        *,
        total: Callable[[Bench], int],
        metrics: Sequence[str] = USUAL,
        implementations: str | None = None,
        chunk: int,
        statistics: str | None = None,
    ) -> Bench:
        """A bench on this machine.

        Args:
            reference: real images or their moments.
            extractor: name or file.
            total: progress of all that will be measured.
            metrics: which.
            implementations: a comma-separated list.
            chunk: images per forward.
            statistics: published moments of the reference, a file or the name of a fetched one.

        Raises:
            UserError: one of these is unknown, or they do not go together.
        """
        found = load_extractor(extractor, self.device)
        names = implementations_of(implementations, found.name)
        bench = Bench(
            reference,
            found,
            [IMPLEMENTATIONS[name]() for name in names],
            metrics,
            work=self.work,
            device=self.device,
            progress=self.progress,
            chunk=chunk,
            statistics=read_statistics(located(statistics)) if statistics else None,
        )
        self.progress.expect(total(bench))
        return bench
