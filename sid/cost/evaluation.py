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
# Seconds of one core for a Frechet distance at 2048 features, in which the GPU waits: measured, by
# our factors and by SciPy's root (docs/evaluation.md), and by NumPy's eigenvalues.
DISTANCE_S = {"ours": 1.1, "nvidia": 1.1, "nvidia-n": 1.1, "torch-fidelity": 2.6}
ROOT_S = 13.2


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
    """What an evaluation does.

    Attributes:
        network: images through a generator, or through a teacher times its evaluations.
        extractor: images through the extractor.
        seconds: of a core, for Frechet distances.
    """

    network: int
    extractor: int
    seconds: float


@dataclass(frozen=True)
class Hours:
    """GPU-hours of some passes on one kind of GPU.

    Attributes:
        network: those of the generator.
        extractor: those of the extractor.
        distances: those in which the GPU waits for distances.
        rates: of generator and extractor, with their evidence.
    """

    network: float
    extractor: float
    distances: float
    rates: tuple[Rate, Rate]

    @property
    def total(self) -> float:
        """All of them."""
        return self.network + self.extractor + self.distances


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


def waiting(implementations: Sequence[str]) -> float:
    """Seconds of a core for the distances of one set of images by these."""
    return sum(DISTANCE_S.get(name, ROOT_S) for name in implementations)


def run_passes(given: Asked, snapshots: int) -> Passes:
    """Those of a run: each snapshot on one noise, then the last and the best on fresh noise."""
    finals = SELECTIONS * given.draws
    curve, final = snapshots * given.n_curve, finals * given.n_final
    return Passes(
        curve + final,
        curve * seen(given.curve) + final * seen(given.final),
        snapshots * waiting(given.curve) + finals * waiting(given.final),
    )


def teacher_passes(given: Asked, dataset: str) -> Passes:
    """Those of a teacher: few and all steps on one noise, then all on fresh noise."""
    steps = teacher_steps(dataset)
    drawn = len(steps) * given.n_curve + given.draws * given.n_final
    evaluations = sum(2 * count - 1 for count in steps) * given.n_curve
    evaluations += (2 * max(steps) - 1) * given.draws * given.n_final
    seconds = (len(steps) + given.draws) * waiting(given.final)
    return Passes(evaluations, drawn * seen(given.final), seconds)


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
    return Hours(made, looked, passes.seconds / 3600, rates)
