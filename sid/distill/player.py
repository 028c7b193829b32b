"""What a method trains: players, each with its networks, its loss, its optimiser and its turns.

**Images seen.** A step of a run is `batch` places of the training order, and in a step each player
moves at most once, on `batch` images. The images seen, in which budgets, snapshots, warm-ups and
averages are counted, are steps times `batch`: what a player has seen that moves in each step. Those
are the images of the generator in SiD, SiDA and Diff-Instruct, where all move in each step, and the
images of the fake score where it moves more often (DMD2), as the papers count them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from sid.data.images import ImageSet, class_batch, image_batch
from sid.distill.noise import NoiseLaw
from sid.networks import EDMPrecond
from sid.networks.precond import one_step
from sid.runs.optimizer import Optimizer
from sid.runs.update import Loss
from sid.streams import Stream, epoch_order, seed_torch
from sid.teacher.augment import augment, draw_parameters

if TYPE_CHECKING:
    from sid.distill.recipe import Recipe


@dataclass(frozen=True)
class Batch:
    """A micro-batch of B images of one player's update: the networks, and all that is drawn for it.

    What is drawn depends on the seed, the player and the places in the training order alone.

    Attributes:
        recipe: of the run.
        teacher: f_phi, without gradients.
        networks: of the method by name; only those of the player have gradients and dropout.
        data: the data set.
        player: whose update it is.
        seed: of the run.
        start, stop: places of the training order.
        images: images seen before this update.
        device: where the networks are.
    """

    recipe: "Recipe"
    teacher: EDMPrecond
    networks: Mapping[str, Any]
    data: ImageSet
    player: str
    seed: int
    start: int
    stop: int
    images: int
    device: torch.device

    @cached_property
    def index(self) -> np.typing.NDArray[np.int64]:
        """Which images of the data stand at these places, [B]."""
        found: np.typing.NDArray[np.int64] = epoch_order(
            self.seed, self.start, self.stop, len(self.data)
        ).numpy()
        return found

    @cached_property
    def labels(self) -> Tensor | None:
        """Their classes, one-hot [B, K]; so classes come as often as in the data."""
        classes = self.teacher.architecture.label_dim
        return class_batch(self.data, self.index, classes, self.device)

    def real(self) -> Tensor:
        """The images of the data themselves in [-1, 1], [B, C, H, W]."""
        return image_batch(self.data, self.index, self.device)

    def normal(self, what: str) -> Tensor:
        """Standard normal numbers in the shape of the images, others for another `what`."""
        shape = self.teacher.architecture.image_shape
        drawn = Stream(self.seed, f"{self.player} {what}").normal(self.start, self.stop, shape)
        return drawn.to(self.device)

    def sigma(self, law: NoiseLaw, what: str = "") -> Tensor:
        """Noise levels, [B], others for another `what`."""
        name = f"{self.player} {what}".rstrip()
        return law.draw(self.seed, name, self.start, self.stop, self.device)

    def generated(self) -> Tensor:
        """What the generator makes, [B, C, H, W], with a gradient in its own turn."""
        latents = self.normal("latents")
        return one_step(self.networks["generator"], latents, self.recipe.sigma_init, self.labels)

    def augmented(self, what: str, images: Tensor) -> tuple[Tensor, Tensor]:
        """Images under EDM's augmentations as the recipe has them, and their labels, [B, 9]."""
        chance = self.recipe.augment
        drawn = draw_parameters(self.seed, f"{what} augment", self.start, self.stop, chance)
        return augment(images, drawn)

    def reseed(self) -> None:
        """Begin dropout's masks anew, so that a second pass has those of the first."""
        seed_torch(self.seed, self.player, self.start)


class Player(NamedTuple):
    """What moves together, and when.

    Attributes:
        name: names its numbers in the log, its random numbers and its moments in checkpoints.
        trains: names of its networks.
        optimizer: how it descends.
        loss: the loss of a micro-batch.
        every: it moves in every so many-th step, and first in the last of these.
        since: it does not move before so many images are seen.
        passes: passes forward through a whole network, and through an encoder alone, that an image
            of an update takes; a pass back counts as two, or one where weights get no gradient.
        graphs: networks whose passes are held at once for the way back.
    """

    name: str
    trains: tuple[str, ...]
    optimizer: Optimizer
    loss: Callable[[Batch], Loss]
    every: int = 1
    since: float = 0.0
    passes: tuple[float, float] = (3, 0)
    graphs: int = 1

    def moves(self, images: int, batch: int) -> bool:
        """Whether it moves in the step that begins after `images` images."""
        return images >= self.since and (images // batch + 1) % self.every == 0
