"""What defines a distillation, as one row of the papers' tables."""

from typing import Any

from pydantic import Field, PositiveFloat, PositiveInt, field_validator

from sid.config import Batch, Beta, Strict, parse
from sid.distill.method import Method, method_class


class Recipe(Strict):
    """A distillation (SiD, appendix; SiDA, table 6).

    Attributes:
        name: of the recipe.
        data: name of the data set.
        teacher: name of the teacher's recipe.
        start: recipe whose last snapshot the generator starts from, None for the teacher (SiD2A:
            a SiD recipe). The fake score always starts from the teacher.
        method: name and options of the method.
        batch: images per update.
        kimg: budget, thousands of images.
        lr_generator, lr_fake: learning rates of Adam.
        lr_decay: last share of the budget over which the rates fall to 0 (papers: none).
        betas: of Adam.
        eps: of Adam.
        ema_kimg: half-life of the average, thousands of images.
        ema_rampup: early on, half-life as a share of the images seen.
        sigma_init: noise level that the generator is given.
        t_max: upper end of t in the generator's loss, in thousandths.
        p_mean, p_std: of ln(sigma) for the fake score.
        first_kimg: the first snapshot after image 0, thousands of images.
        per_decade: snapshots per factor of ten in images.
    """

    name: str
    data: str
    teacher: str
    start: str | None = None
    method: Any
    batch: Batch
    kimg: PositiveFloat
    lr_generator: PositiveFloat
    lr_fake: PositiveFloat
    lr_decay: float = Field(0.0, ge=0, le=1)
    betas: tuple[Beta, Beta] = (0.0, 0.999)
    eps: PositiveFloat = 1e-8
    ema_kimg: PositiveFloat
    ema_rampup: PositiveFloat = 0.05
    sigma_init: PositiveFloat = 2.5
    t_max: int = Field(800, gt=0, le=1000)
    p_mean: float = -1.2
    p_std: PositiveFloat = 1.2
    first_kimg: float = Field(0.5, ge=0.001)
    per_decade: PositiveInt = 5

    @field_validator("method")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(value.get("name"), str):
            raise ValueError("expected a section with the name of the method and its options")
        return value

    def build_method(self) -> Method:
        """The method with its options.

        Raises:
            UserError: the method is unknown, or an option is unknown or of a wrong type.
        """
        options = {key: value for key, value in self.method.items() if key != "name"}
        source = f"recipe {self.name}: method"
        return parse(options, method_class(self.method["name"]), source)

    def scaled(self, budget: float) -> "Recipe":
        """The same recipe with every duration times `budget`, the method's warm-ups too."""
        method = self.build_method()
        durations = {key: getattr(method, key) * budget for key in method.durations}
        changed = {key: getattr(self, key) * budget for key in ("kimg", "ema_kimg")}
        return self.model_copy(update={**changed, "method": {**self.method, **durations}})
