"""One distillation in progress: the networks and players of its method, step by step."""

import copy
from collections.abc import Mapping
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from sid.data.images import ImageSet, class_batch, image_batch
from sid.distill.gates import PROBE, WINDOW, Watch
from sid.distill.player import Batch, Player
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

COUNTS = ("dropped", "sanitised")


class Distillation:
    """One distillation in progress (see `sid.runs.loop.Training`).

    The generator begins as a copy of the teacher where there is no `start`. What else is trained,
    on which losses and in which order, the method says.
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
        set_precision(recipe.precision)
        self.batch, self.total = recipe.batch, int(recipe.kimg * 1000)
        self.teacher = self._copy(teacher)
        self.networks = self._networks(teacher, start)
        self.generator: EDMPrecond = self.networks["generator"]  # type: ignore[assignment]
        self.average: EDMPrecond = copy.deepcopy(self.generator)
        self.players = recipe.method.players(recipe)
        self.optimizers = {player.name: self._optimizer(player) for player in self.players}
        self.data = data
        some = epoch_order(seed, 0, min(16 * PROBE, len(data)), len(data)).numpy()
        real = image_batch(data, some, torch.device("cpu"))
        updates = sum(1 / player.every for player in self.players)
        self.watch = Watch(recipe.gates, real, self._probe(), self.batch, updates)
        self.metadata: Mapping[str, Any] = {
            "kind": "generator",
            "recipe": recipe.name,
            "method": recipe.method.name,
            "seed": seed,
            "sigma_init": recipe.sigma_init,
        }

    def _networks(self, teacher: EDMPrecond, start: EDMPrecond | None) -> dict[str, nn.Module]:
        """Everything that is trained, by name, in evaluation mode."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            made = self.recipe.method.networks(lambda: self._copy(teacher))
        for network in made.values():
            network.to(self.device).eval().requires_grad_(False)
        return {**made, "generator": self._copy(start or teacher)}

    def _copy(self, network: EDMPrecond) -> EDMPrecond:
        """The same weights with the recipe's dropout and precision, in evaluation mode."""
        changes = {"dropout": self.recipe.dropout, "use_fp16": self.recipe.precision == "fp16"}
        copied = network.architecture.model_copy(update=changes).build()
        copied.load_state_dict(network.state_dict())
        return copied.to(self.device).eval().requires_grad_(False)

    def _optimizer(self, player: Player) -> torch.optim.Optimizer:
        networks = [self.networks[name].requires_grad_(True) for name in player.trains]
        made = player.optimizer.build(p for network in networks for p in network.parameters())
        for network in networks:
            network.requires_grad_(False)
        return made

    def step(self, images: int) -> dict[str, float]:
        """One turn of each player that moves, and the average of the generator."""
        turns = [player for player in self.players if player.moves(images, self.batch)]
        done = [self._turn(player, images) for player in turns]
        ema_update(self.average, self.generator, self._decay(images))
        dropped, sanitised = (sum(getattr(turn, key) for turn in done) for key in COUNTS)
        self.watch.count(images + self.batch, dropped, sanitised)
        numbers = {key: value for turn in done for key, value in turn.numbers.items()}
        return {**numbers, "dropped": dropped, "sanitised": sanitised}

    def _decay(self, images: int) -> float:
        recipe = self.recipe
        if recipe.ema_kimg is None:
            return 0.0
        return ema_decay(images, self.batch, recipe.ema_kimg * 1000, recipe.ema_rampup)

    def problem(self, images: int, at_snapshot: bool) -> Problem | None:
        """Why the run should stop at `images`; it looks at the images every 100 steps too."""
        due = (images // self.batch) % WINDOW == 0
        found = self.watch.counts_problem() or (self.watch.memory_problem() if due else None)
        if found or not (due or at_snapshot):
            return found
        return self.watch.images_problem(self._probe())

    def _turn(self, player: Player, images: int) -> Update:
        # Only the networks whose turn it is have dropout and gradients.
        moving, descent = [self.networks[name] for name in player.trains], player.optimizer
        for network in moving:
            network.train().requires_grad_(True)
        factor = learning_rate(
            images, self.total, rampup=descent.warmup, decay=self.recipe.lr_decay
        )
        losses = (
            (stop - start, partial(self.loss, player, start, stop, images))
            for start, stop in self.world.share(images, images + self.batch, self.recipe.micro)
        )
        done = update(
            self.optimizers[player.name],
            losses,
            self.batch,
            self.world,
            name=player.name,
            lr=descent.lr * factor,
            clip=descent.clip_value,
            clip_norm=descent.clip_norm,
        )
        for network in moving:
            network.eval().requires_grad_(False)
        return done

    def loss(self, player: Player, start: int, stop: int, images: int) -> Loss:
        """A player's loss of the places `start` to `stop`, after `images` images."""
        seed_torch(self.seed, player.name, start)
        with autocast(self.recipe.precision, self.device):
            return player.loss(self.drawn(player, start, stop, images))

    def drawn(self, player: Player, start: int, stop: int, images: int) -> Batch:
        """The micro-batch that a player's loss is handed."""
        return Batch(
            self.recipe,
            self.teacher,
            self.networks,
            self.data,
            player.name,
            self.seed,
            start,
            stop,
            images,
            self.device,
        )

    @torch.no_grad()
    def _probe(self) -> Tensor:
        count = min(PROBE, len(self.data))
        shape = self.teacher.architecture.image_shape
        z = Stream(self.seed, "probe").normal(0, count, shape).to(self.device)
        index = epoch_order(self.seed, 0, count, len(self.data)).numpy()
        labels = class_batch(self.data, index, self.teacher.architecture.label_dim, self.device)
        micro, made = self.recipe.micro, []
        for start in range(0, count, micro):
            part = slice(start, start + micro)
            shown = None if labels is None else labels[part]
            made.append(one_step(self.average, z[part], self.recipe.sigma_init, shown))
        return torch.cat(made).cpu()

    def pack(self) -> dict[str, Tensor]:
        """Weights, average, the optimisers' moments and the gates' counts."""
        counts = {"gates.dropped": self.watch.dropped, "gates.sanitised": self.watch.sanitised}
        return pack(self._modules(), self._moments()) | counts

    def unpack(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `pack` gave."""
        unpack(tensors, self._modules(), self._moments())
        self.watch.dropped = tensors["gates.dropped"]
        self.watch.sanitised = tensors["gates.sanitised"]

    def _modules(self) -> dict[str, nn.Module]:
        return {**self.networks, "average": self.average}

    def _moments(self) -> dict[str, torch.optim.Optimizer]:
        return {f"{name}_adam": optimizer for name, optimizer in self.optimizers.items()}
