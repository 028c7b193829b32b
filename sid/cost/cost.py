"""GPU-hours, memory and days of a recipe."""

from dataclasses import dataclass

from sid.cost.count import count
from sid.cost.rates import Rate, network_of, operations, rate, sized
from sid.distill.recipe import Recipe
from sid.teacher.recipe import TeacherRecipe

# Float32 numbers held for each weight. Teacher: weight, gradient, Adam's two, average.
# Distillation: these of the generator, all but the average of the fake score, the teacher's weight.
HELD = {"teacher": 5, "distill": 10}
# Networks whose passes are kept at once: in the generator's turn its own and both scores'.
GRAPHS = {"teacher": 1, "distill": 3}
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
        name, stage, work = recipe.name, "teacher", "teacher"
        precision = "fp16" if recipe.network.get("use_fp16") else "fp32"
        architecture = sized(recipe)
    else:
        name, stage, precision = recipe.teacher, "distill", recipe.precision
        work = "sida" if recipe.method.needs_data else "sid"
        changes = {"dropout": recipe.dropout, "use_fp16": precision in ("fp16", "bf16")}
        whole = sized(teacher) if teacher else network_of(name)
        architecture = whole.model_copy(update=changes)
    counted = count(architecture)
    activations = GRAPHS[stage] * (counted.casts + recipe.micro * counted.saved)
    return Cost(
        recipe.name,
        gpu,
        recipe.kimg,
        precision,
        recipe.micro,
        recipe.batch // recipe.micro,
        operations(work, counted),
        4 * HELD[stage] * counted.weights,
        activations,
        rate(gpu, work, name, precision, counted),
    )
