"""One distillation in progress: whose turn it is, on which images, with which randomness."""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sid.data.images import ImageSet, class_batch, image_batch
from sid.distill.gates import PROBE, WINDOW, Watch
from sid.distill.method import Draw
from sid.distill.recipe import Recipe
from sid.networks import EDMPrecond
from sid.networks.precond import one_step
from sid.runs.ema import ema_decay, ema_update
from sid.runs.loop import Problem
from sid.runs.precision import autocast, set_precision
from sid.runs.schedule import learning_rate
from sid.runs.state import pack, unpack
from sid.runs.update import Loss, Update, update
from sid.runs.world import World
from sid.streams import Stream, epoch_order, seed_torch
from sid.teacher.augment import augment, draw_parameters
from sid.teacher.loss import log_normal_sigma

SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 80.0, 7.0
COUNTS = ("dropped", "sanitised")


def generator_sigma(t: Tensor) -> Tensor:
    """The noise level at t in [0, 1], from sigma_min at 0 to sigma_max at 1 (EDM, eq. 5)."""
    low, high = SIGMA_MIN ** (1 / RHO), SIGMA_MAX ** (1 / RHO)
    sigma: Tensor = (high + (1 - t) * (low - high)) ** RHO
    return sigma


class Distillation:
    """One distillation in progress (see `sid.runs.loop.Training`).

    The fake score begins as a copy of the teacher, and so does the generator without a `start`. Of
    the data it takes labels where the teacher is conditional, and images for adversarial methods.
    """

    def __init__(
        self,
        recipe: Recipe,
        teacher: EDMPrecond,
        start: EDMPrecond | None,
        data: ImageSet,
        seed: int,
        device: torch.device,
        world: World,
    ) -> None:
        self.recipe, self.seed, self.device, self.world = recipe, seed, device, world
        self.method = recipe.method
        set_precision(recipe.precision)
        self.batch, self.total = recipe.batch, int(recipe.kimg * 1000)
        self.teacher = self._copy(teacher)
        self.fake = self._copy(teacher)
        self.generator = self._copy(start or teacher)
        self.average: EDMPrecond = copy.deepcopy(self.generator)
        self.fake_adam = self._adam(self.fake, recipe.lr_fake, recipe.betas_fake)
        self.generator_adam = self._adam(
            self.generator, recipe.lr_generator, recipe.betas_generator
        )
        self.data = data
        some = epoch_order(seed, 0, min(16 * PROBE, len(data)), len(data)).numpy()
        real = image_batch(data, some, torch.device("cpu"))
        self.watch = Watch(recipe.gates, real, self._probe(), self.batch)
        self.metadata: Mapping[str, Any] = {
            "kind": "generator",
            "recipe": recipe.name,
            "method": recipe.method.name,
            "seed": seed,
            "sigma_init": recipe.sigma_init,
        }

    def _copy(self, network: EDMPrecond) -> EDMPrecond:
        """The same weights with the recipe's dropout and precision, in evaluation mode."""
        changes = {"dropout": self.recipe.dropout, "use_fp16": self.recipe.precision == "fp16"}
        copied = network.architecture.model_copy(update=changes).build()
        copied.load_state_dict(network.state_dict())
        return copied.to(self.device).eval().requires_grad_(False)

    def _adam(self, network: EDMPrecond, lr: float, betas: tuple[float, float]) -> torch.optim.Adam:
        network.requires_grad_(True)
        eps = self.recipe.eps
        adam = torch.optim.Adam(network.parameters(), lr=lr, betas=betas, eps=eps, fused=True)
        network.requires_grad_(False)
        return adam

    def step(self, images: int) -> dict[str, float]:
        """One update of the fake score, then one of the generator."""
        recipe, method = self.recipe, self.method
        factor = learning_rate(images, self.total, decay=recipe.lr_decay)
        lr, clip = recipe.lr_fake * factor, method.fake_grad_clip
        done = [self._turn("fake", self.fake, self.fake_adam, images, lr, clip)]
        if method.trains_generator(images):
            lr = recipe.lr_generator * factor
            done.append(self._turn("generator", self.generator, self.generator_adam, images, lr))
        decay = ema_decay(images, self.batch, recipe.ema_kimg * 1000, recipe.ema_rampup)
        ema_update(self.average, self.generator, decay)
        dropped, sanitised = (sum(getattr(turn, key) for turn in done) for key in COUNTS)
        self.watch.count(images + self.batch, dropped, sanitised)
        numbers = {key: value for turn in done for key, value in turn.numbers.items()}
        return {**numbers, "dropped": dropped, "sanitised": sanitised}

    def problem(self, images: int, at_snapshot: bool) -> Problem | None:
        """Why the run should stop at `images`; it looks at the images every 100 updates too."""
        due = (images // self.batch) % WINDOW == 0
        found = self.watch.counts_problem() or (self.watch.memory_problem() if due else None)
        if found or not (due or at_snapshot):
            return found
        return self.watch.images_problem(self._probe())

    def _turn(
        self,
        player: str,
        network: EDMPrecond,
        adam: torch.optim.Adam,
        images: int,
        lr: float,
        clip: float | None = None,
    ) -> Update:
        # Only the network whose turn it is has dropout and gradients.
        network.train().requires_grad_(True)
        compute = {"fake": self._fake_loss, "generator": self._generator_loss}[player]
        losses = (
            (stop - start, partial(compute, start, stop, images))
            for start, stop in self.world.share(images, images + self.batch, self.recipe.micro)
        )
        done = update(adam, losses, self.batch, self.world, name=player, lr=lr, clip=clip)
        network.eval().requires_grad_(False)
        return done

    def _fake_loss(self, start: int, stop: int, images: int) -> Loss:
        seed_torch(self.seed, "fake", start)
        index = epoch_order(self.seed, start, stop, len(self.data)).numpy()
        labels, latents = self._labels(index), self._normal("fake latents", start, stop)
        normal = Stream(self.seed, "fake sigma").normal(start, stop).to(self.device)
        sigma = log_normal_sigma(normal, self.recipe.p_mean, self.recipe.p_std)
        noise = self._normal("fake noise", start, stop)
        with autocast(self.recipe.precision, self.device):
            with torch.no_grad():
                generated = one_step(self.generator, latents, self.recipe.sigma_init, labels)
            real = None
            if self.method.needs_data:
                real = image_batch(self.data, index, self.device)
            draw = Draw(sigma, noise, labels)
            if self.recipe.augment:
                generated, shown = self._augment("fake augment", generated, start, stop)
                draw = draw._replace(augment=shown)
                if real is not None:
                    real, shown = self._augment("real augment", real, start, stop)
                    draw = draw._replace(real_augment=shown)
            return self.method.fake_loss(self.fake, generated, real, draw)

    def _generator_loss(self, start: int, stop: int, images: int) -> Loss:
        seed_torch(self.seed, "generator", start)
        index = epoch_order(self.seed, start, stop, len(self.data)).numpy()
        labels, latents = self._labels(index), self._normal("generator latents", start, stop)
        t = Stream(self.seed, "generator time").uniform(start, stop)
        sigma = generator_sigma(t * self.recipe.t_max / 1000).float().to(self.device)
        draw = Draw(sigma, self._normal("generator noise", start, stop), labels)
        with autocast(self.recipe.precision, self.device):
            generated = one_step(self.generator, latents, self.recipe.sigma_init, labels)
            return self.method.generator_loss(self.teacher, self.fake, generated, draw, images)

    def _normal(self, name: str, start: int, stop: int) -> Tensor:
        shape = self.teacher.architecture.image_shape
        return Stream(self.seed, name).normal(start, stop, shape).to(self.device)

    def _labels(self, index: np.typing.NDArray[np.int64]) -> Tensor | None:
        # Labels follow the data, so that classes come as often as they do there.
        return class_batch(self.data, index, self.teacher.architecture.label_dim, self.device)

    def _augment(self, name: str, images: Tensor, start: int, stop: int) -> tuple[Tensor, Tensor]:
        return augment(images, draw_parameters(self.seed, name, start, stop, self.recipe.augment))

    @torch.no_grad()
    def _probe(self) -> Tensor:
        count = min(PROBE, len(self.data))
        shape = self.teacher.architecture.image_shape
        z = Stream(self.seed, "probe").normal(0, count, shape).to(self.device)
        labels = self._labels(epoch_order(self.seed, 0, count, len(self.data)).numpy())
        micro, made = self.recipe.micro, []
        for start in range(0, count, micro):
            part = slice(start, start + micro)
            shown = None if labels is None else labels[part]
            made.append(one_step(self.average, z[part], self.recipe.sigma_init, shown))
        return torch.cat(made).cpu()

    def pack(self) -> dict[str, Tensor]:
        """Weights, average, Adam moments and the gates' counts."""
        counts = {"gates.dropped": self.watch.dropped, "gates.sanitised": self.watch.sanitised}
        return pack(self._modules(), self._optimizers()) | counts

    def unpack(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `pack` gave."""
        unpack(tensors, self._modules(), self._optimizers())
        self.watch.dropped = tensors["gates.dropped"]
        self.watch.sanitised = tensors["gates.sanitised"]

    def _modules(self) -> dict[str, EDMPrecond]:
        return {"fake": self.fake, "generator": self.generator, "average": self.average}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"fake_adam": self.fake_adam, "generator_adam": self.generator_adam}
