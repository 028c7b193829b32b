"""Laws of the noise level sigma, which each loss of a method draws for itself."""

from abc import ABC, abstractmethod
from typing import Literal

import torch
from pydantic import Field, PositiveFloat
from torch import Tensor

from sid.config import Strict
from sid.streams import Stream
from sid.teacher.loss import log_normal_sigma

SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 80.0, 7.0
LEVELS = 1000  # Of the grid.


def karras_sigma(t: Tensor) -> Tensor:
    """The noise level at t in [0, 1], from sigma_min at 0 to sigma_max at 1 (EDM, eq. 5)."""
    low, high = SIGMA_MIN ** (1 / RHO), SIGMA_MAX ** (1 / RHO)
    sigma: Tensor = (high + (1 - t) * (low - high)) ** RHO
    return sigma


class NoiseLaw(Strict, ABC):
    """A distribution of sigma."""

    @abstractmethod
    def draw(self, seed: int, player: str, start: int, stop: int, device: torch.device) -> Tensor:
        """The levels of places `start` to `stop` of the training order, float32 [stop - start].

        Args:
            seed: of the run.
            player: whose loss it is; other players draw other numbers.
            start: first place.
            stop: one past the last place.
            device: where the levels are wanted.
        """


class LogNormal(NoiseLaw):
    """ln sigma ~ N(mean, std^2), as in EDM's training."""

    law: Literal["log-normal"] = "log-normal"
    mean: float = -1.2
    std: PositiveFloat = 1.2

    def draw(self, seed: int, player: str, start: int, stop: int, device: torch.device) -> Tensor:
        """See `NoiseLaw`."""
        normal = Stream(seed, f"{player} sigma").normal(start, stop).to(device)
        return log_normal_sigma(normal, self.mean, self.std)


class Karras(NoiseLaw):
    """`karras_sigma` of a uniform t.

    Attributes:
        low, high: ends of t, in thousandths.
        grid: t is a place on a grid of 1000 levels, both ends included (DMD2), else any number.
    """

    law: Literal["karras"] = "karras"
    low: int = Field(0, ge=0, lt=1000)
    high: int = Field(1000, gt=0, le=1000)
    grid: bool = False

    def draw(self, seed: int, player: str, start: int, stop: int, device: torch.device) -> Tensor:
        """See `NoiseLaw`."""
        uniform = Stream(seed, f"{player} time").uniform(start, stop)
        if self.grid:
            last = min(self.high, LEVELS - 1)
            place = (self.low + uniform * (last + 1 - self.low)).floor()
            t = place / (LEVELS - 1)
        else:
            t = (self.low + uniform * (self.high - self.low)) / 1000
        return karras_sigma(t).float().to(device)


class LogLogistic(NoiseLaw):
    """sigma = (1 - t) / t of a uniform t: that of flow matching (ln sigma is logistic)."""

    law: Literal["log-logistic"] = "log-logistic"

    def draw(self, seed: int, player: str, start: int, stop: int, device: torch.device) -> Tensor:
        """See `NoiseLaw`."""
        t = Stream(seed, f"{player} time").uniform(start, stop)
        return ((1 - t) / t).float().to(device)


AnyLaw = LogNormal | Karras | LogLogistic
