"""GPU-hours, memory and days of a recipe."""

from collections.abc import Sequence
from dataclasses import dataclass

from sid.cost.count import Counted, built, count, shapes_alone
from sid.cost.rates import Rate, network_of, operations, rate, sized
from sid.distill.player import Player
from sid.distill.recipe import Recipe
from sid.networks import Architecture
from sid.teacher.recipe import TeacherRecipe

# Float32 numbers held for each weight that is trained: itself, its gradient, Adam's two; and for
# each of the network that samples are drawn from, its average.
TRAINED, AVERAGE = 4, 1
GIB = 2**30


@dataclass(frozen=True)
class Cost:
    """What a recipe costs on one kind of GPU.

    Attributes:
        recipe: its name.
        gpu: the kind of GPU.
        kimg: the budget, thousands of images.
        precision: of the training.
        micro: images of a pass on one GPU.
        most: GPUs that the batch can be dealt to.
        operations: floating-point operations of one image.
        held: bytes of weights, gradients, Adam and average on each GPU.
        activations: bytes that the passes of a micro-batch keep.
        rate: images per second of one GPU, with its evidence.
    """

    recipe: str
    gpu: str
    kimg: float
    precision: str
    micro: int
    most: int
    operations: int
    held: int
    activations: int
    rate: Rate

    @property
    def gpu_hours(self) -> float:
        """Hours of one GPU."""
        return self.kimg * 1000 / self.rate.images_per_second / 3600

    @property
    def memory(self) -> int:
        """Bytes on each GPU, without the libraries' own."""
        return self.held + self.activations

    def days(self, gpus: int) -> float:
        """Days on so many GPUs that lose nothing by being many."""
        return self.gpu_hours / 24 / gpus


def number(value: float) -> str:
    """A number to two significant digits, because no rate here is known better."""
    return f"{float(f'{value:.2g}'):,.12g}"


def cost(recipe: Recipe | TeacherRecipe, gpu: str, teacher: TeacherRecipe | None = None) -> Cost:
    """The cost of training by a recipe.

    Args:
        recipe: of a distillation, or of a teacher whose network gives its size.
        gpu: name in `gpus.csv`.
        teacher: of the distillation, where it is not to be found by its name.

    Raises:
        UserError: the teacher's recipe is not found, or leaves its size to the data.
    """
    if isinstance(recipe, TeacherRecipe):
        name = recipe.name
        precision = "fp16" if recipe.network.get("use_fp16") else "fp32"
        counted = count(sized(recipe))
        held, graphs = (TRAINED + AVERAGE) * counted.weights, 1
        needed, speed = (
            operations("teacher", counted),
            rate(gpu, "teacher", name, precision, counted),
        )
    else:
        name, precision = recipe.teacher, recipe.precision
        changes = {"dropout": recipe.dropout, "use_fp16": precision in ("fp16", "bf16")}
        whole = sized(teacher) if teacher else network_of(name)
        architecture = whole.model_copy(update=changes)
        counted, players = count(architecture), recipe.method.players(recipe)
        trained = counted.weights + others(recipe, architecture)
        held = TRAINED * trained + (AVERAGE + 1) * counted.weights  # And the teacher.
        graphs = max(player.graphs for player in players)
        needed = step_operations(players, counted)
        speed = rate_of(recipe, gpu, needed, counted)
    return Cost(
        recipe.name,
        gpu,
        recipe.kimg,
        precision,
        recipe.micro,
        recipe.batch // recipe.micro,
        needed,
        4 * held,
        graphs * (counted.casts + recipe.micro * counted.saved),
        speed,
    )


def others(recipe: Recipe, architecture: Architecture) -> int:
    """Weights that the method trains beside the generator's."""
    with shapes_alone():
        made = recipe.method.networks(lambda: built(architecture))
        return sum(p.numel() for network in made.values() for p in network.parameters())


def step_passes(players: Sequence[Player]) -> tuple[float, float]:
    """Passes of a step, of one image, of all players on average: as of `Player.passes`."""
    whole, encoder = (
        sum(player.passes[part] / player.every for player in players) for part in (0, 1)
    )
    return whole, encoder


def step_operations(players: Sequence[Player], counted: Counted) -> int:
    """Floating-point operations of a step, of one image, of all players on average."""
    whole, encoder = step_passes(players)
    return round(whole * counted.forward + encoder * counted.encoder)


def rate_of(recipe: Recipe, gpu: str, needed: int, counted: Counted) -> Rate:
    """The rate of a distillation: that of SiD or SiDA where its passes are theirs.

    Otherwise it is SiD's, by the operations.
    """
    same = [work for work in ("sid", "sida") if operations(work, counted) == needed]
    work = same[0] if same else "sid"
    found = rate(gpu, work, recipe.teacher, recipe.precision, counted)
    if same:
        return found
    speed = found.images_per_second * operations("sid", counted) / needed
    return Rate(speed, "estimated", f"operations of {recipe.method.name} at SiD's: {found.basis}")
