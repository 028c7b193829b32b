"""GPU-hours of measuring what was trained, from counted passes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sid.cost.count import Counted
from sid.cost.rates import Rate, extractor_rate, rate
from sid.evaluate.evaluate import teacher_steps
from sid.evaluate.implementations import curve_of, names_of
from sid.experiment import Evaluation

# Implementations that read the features of one pass; every other takes a pass of its own.
SHARE = ("ours", "nvidia", "nvidia-n", "clean-fid")
SELECTIONS = 2  # The last snapshot and the best.


@dataclass(frozen=True)
class Asked:
    """What is measured of a run.

    Attributes:
        n_curve: images of each snapshot.
        n_final: images of each draw of the two selected snapshots.
        draws: how many of these.
        extractor: its name.
        curve: implementations that measure every snapshot.
        final: implementations that measure the final draws.
    """

    n_curve: int
    n_final: int
    draws: int
    extractor: str
    curve: tuple[str, ...]
    final: tuple[str, ...]

    def whole(self) -> "Asked":
        """The same with every implementation on every snapshot."""
        return replace(self, curve=self.final)


@dataclass(frozen=True)
class Passes:
    """Images through a generator (or a teacher, times its evaluations) and through an extractor."""

    network: int
    extractor: int

    def __add__(self, other: "Passes") -> "Passes":
        return Passes(self.network + other.network, self.extractor + other.extractor)


@dataclass(frozen=True)
class Hours:
    """GPU-hours of some passes on one kind of GPU.

    Attributes:
        network: those of the generator.
        extractor: those of the extractor.
        rates: of both, with their evidence.
    """

    network: float
    extractor: float
    rates: tuple[Rate, Rate]

    @property
    def total(self) -> float:
        """Of both."""
        return self.network + self.extractor


def asked(evaluation: Evaluation, extractor: str) -> Asked:
    """What an experiment's evaluation comes to, with the usual implementations named."""
    final = tuple(names_of(evaluation.implementations, extractor))
    curve = tuple(curve_of(evaluation.curve, final, "evaluation.curve"))
    sizes = {key: getattr(evaluation, key) for key in ("n_curve", "n_final", "draws")}
    return Asked(**sizes, extractor=extractor, curve=curve, final=final)


def seen(implementations: Sequence[str]) -> int:
    """How often these put an image through the 2015 Inception."""
    own = set(implementations) - set(SHARE)
    return len(own) + (len(own) < len(set(implementations)))


def run_passes(given: Asked, snapshots: int) -> Passes:
    """Those of a run: each snapshot on one noise, then the last and the best on fresh noise."""
    curve, final = snapshots * given.n_curve, SELECTIONS * given.draws * given.n_final
    return Passes(curve + final, curve * seen(given.curve) + final * seen(given.final))


def teacher_passes(given: Asked, dataset: str) -> Passes:
    """Those of a teacher: few and all steps on one noise, then all on fresh noise."""
    steps = teacher_steps(dataset)
    drawn = len(steps) * given.n_curve + given.draws * given.n_final
    evaluations = sum(2 * count - 1 for count in steps) * given.n_curve
    evaluations += (2 * max(steps) - 1) * given.draws * given.n_final
    return Passes(evaluations, drawn * seen(given.final))


def hours(
    passes: Passes, gpu: str, network: str, precision: str, counted: Counted, extractor: str
) -> Hours:
    """GPU-hours of passes.

    Args:
        passes: how many.
        gpu: name in `gpus.csv`.
        network: name of the teacher's recipe.
        precision: of the generator; the extractor is in float32.
        counted: that network.
        extractor: its name.
    """
    rates = rate(gpu, "forward", network, precision, counted), extractor_rate(gpu, extractor)
    made, looked = (
        n / each.images_per_second / 3600
        for n, each in zip((passes.network, passes.extractor), rates, strict=True)
    )
    return Hours(made, looked, rates)
