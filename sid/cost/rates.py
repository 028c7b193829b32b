"""How fast GPUs are at this: rates that were measured or printed, and what follows from them."""

import json
from dataclasses import dataclass
from functools import cache

from sid.config import recipe_path
from sid.cost.count import Counted, count
from sid.errors import UserError
from sid.files import read_table
from sid.networks import Architecture, parse_architecture
from sid.shipped import TABLES
from sid.teacher.recipe import TeacherRecipe, load_teacher

MEND = "it comes with the repository"
EVIDENCE = ("measured", "cited")
# Of the faster modes no rate is known: they count as the published mode that they replace.
SAME = {"tf32": "fp32", "bf16": "fp16"}

# Passes forward that an update takes for each image, and of the encoder alone. A pass back costs
# as much again for the inputs and as much again for the weights.
#   teacher: forward, back.
#   sid: generated without gradient; fake score forward and back; generator forward and back,
#        through teacher and fake score forward and to their inputs.
#   sida: real images through the fake score's encoder, forward and back, besides.
#   forward: a pass in an evaluation.
PASSES = {"teacher": (3, 0), "sid": (1 + 3 + 3 + 2 + 2, 0), "sida": (11, 3), "forward": (1, 0)}
EXTRACTOR = "extractor"  # The work of a rate whose network is an extractor.


@dataclass(frozen=True)
class Gpu:
    """One kind of GPU: GB of memory, GB/s of its bandwidth, and TFLOP/s at most by precision."""

    name: str
    memory_gb: float
    bandwidth: float
    peak: dict[str, float]


@dataclass(frozen=True)
class Rate:
    """Images of a training that one GPU gets through in a second.

    Attributes:
        images_per_second: of one GPU.
        evidence: measured, cited or estimated.
        basis: where it is from.
    """

    images_per_second: float
    evidence: str
    basis: str


@dataclass(frozen=True)
class Row:
    """A measured or cited rate, one row of `rates.csv`."""

    gpu: str
    precision: str
    work: str
    network: str
    images_per_second: float
    evidence: str
    source: str


@dataclass(frozen=True)
class ExtractorSize:
    """An extractor: floating-point operations of an image, and numbers that it gives."""

    operations: int
    width: int


@cache
def gpus() -> dict[str, Gpu]:
    """The GPUs of `gpus.csv` by name, the oldest first."""
    found = {}
    for row in read_table(TABLES / "gpus.csv", MEND, dtype=str).to_dict("records"):
        peak = {key: float(row[f"{key}_tflops"]) for key in ("fp32", "fp16")}
        memory, bandwidth = float(row["memory_gb"]), float(row["bandwidth_gb_s"])
        found[row["gpu"]] = Gpu(row["gpu"], memory, bandwidth, peak)
    return found


@cache
def rates() -> tuple[Row, ...]:
    """The rows of `rates.csv`.

    Raises:
        UserError: one has no source, or is called neither measured nor cited.
    """
    path, rows = TABLES / "rates.csv", []
    table = read_table(path, MEND, dtype=str).to_dict("records")
    for number, row in enumerate(table, start=2):
        if row["evidence"] not in EVIDENCE or not row["source"]:
            raise UserError(f"{path}: line {number}: needs a source and one of {EVIDENCE}")
        given = {key: row[key] for key in ("gpu", "precision", "work", "network", "evidence")}
        speed = float(row["images_per_second"])
        rows.append(Row(**given, images_per_second=speed, source=row["source"]))
    return tuple(rows)


@cache
def extractor_size(name: str) -> ExtractorSize:
    """An extractor of `extractors.csv`.

    Raises:
        UserError: it is not in there.
    """
    path = TABLES / "extractors.csv"
    rows = {row["extractor"]: row for row in read_table(path, MEND, dtype=str).to_dict("records")}
    if name not in rows:
        raise UserError(f"{path}: has no extractor {name}, whose operations are to be counted")
    width = int(rows[name]["features"]) + int(rows[name]["logits"])
    return ExtractorSize(round(float(rows[name]["gflop"]) * 1e9), width)


def sized(teacher: TeacherRecipe) -> Architecture:
    """The network of a teacher's recipe.

    Raises:
        UserError: it leaves the network's size to the data.
    """
    if "img_resolution" not in teacher.network:
        raise UserError(
            f"recipe {teacher.name}: its network has the size of its data; give "
            "network.img_resolution"
        )
    return _architecture(json.dumps(teacher.network, sort_keys=True), teacher.name)


@cache
def _architecture(network: str, name: str) -> Architecture:
    """To look whether a network can be built takes a moment, and sums ask for one many times."""
    return parse_architecture(json.loads(network), f"recipe {name}")


@cache
def network_of(teacher: str) -> Architecture:
    """The network of a teacher's recipe by name, read once.

    Raises:
        UserError: there is no such recipe, or it leaves the network's size to the data.
    """
    return sized(load_teacher(recipe_path(teacher)))


def operations(work: str, counted: Counted) -> int:
    """Floating-point operations of one image of an update."""
    whole, encoder = PASSES[work]
    return whole * counted.forward + encoder * counted.encoder


def growth(old: str, new: str, precision: str) -> float:
    """How many times faster a GPU is at least, from generation to generation.

    The smaller of the ratios of peak and of bandwidth: what a step gains that waits now for the
    one, now for the other. Nobody measured it.
    """
    order = list(gpus().values())
    first, last = sorted((list(gpus()).index(old), list(gpus()).index(new)))
    times = 1.0
    for before, after in zip(order[first:last], order[first + 1 : last + 1], strict=True):
        peak = after.peak[precision] / before.peak[precision]
        times *= min(peak, after.bandwidth / before.bandwidth)
    return times if gpus()[old] is order[first] else 1 / times


def rate(gpu: str, work: str, network: str, precision: str, counted: Counted) -> Rate:
    """The rate of passes of a network on a GPU: a row's own, else the nearest row's by operations.

    Args:
        gpu: its name in `gpus.csv`.
        work: teacher, sid, sida or forward.
        network: name of the teacher's recipe.
        precision: of the recipe.
        counted: that network.
    """
    return _rate(gpu, work, network, precision, operations(work, counted))


def extractor_rate(gpu: str, name: str) -> Rate:
    """Images a second that an extractor sees on a GPU, in float32 (see `rate`)."""
    return _rate(gpu, EXTRACTOR, name, "fp32", extractor_size(name).operations)


def _rate(gpu: str, work: str, network: str, precision: str, needed: int) -> Rate:
    known = SAME.get(precision, precision)
    # An extractor's rate is nobody else's: its layers are of another kind.
    ours = [row for row in rates() if row.work != EXTRACTOR or row.network == network]
    rows = [row for row in ours if row.precision == precision] or [
        row for row in ours if row.precision == known
    ]
    order = list(gpus())

    def distance(row: Row) -> tuple[bool, bool, int, bool]:
        apart = abs(order.index(row.gpu) - order.index(gpu))
        return row.network != network, row.work != work, apart, row.evidence != "measured"

    near = min(rows, key=distance)
    if (near.gpu, near.work, near.network, near.precision) == (gpu, work, network, precision):
        return Rate(near.images_per_second, near.evidence, near.source)
    share = row_operations(near) / needed
    times = growth(near.gpu, gpu, known)
    basis = f"operations at the rate of {near.work} {near.network}, {near.gpu} {near.precision}"
    scale = "" if near.gpu == gpu else f", times {times:.3g} for the GPU"
    return Rate(near.images_per_second * share * times, "estimated", basis + scale)


def row_operations(row: Row) -> int:
    """Floating-point operations of one image of a row's work."""
    if row.work == EXTRACTOR:
        return extractor_size(row.network).operations
    return operations(row.work, count(network_of(row.network)))
