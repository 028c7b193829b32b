"""Train an EDM teacher on a data set."""

import copy
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sid.data.images import ImageSet, check_classes, class_batch, image_batch
from sid.data.zips import read_zip
from sid.errors import UserError
from sid.networks import Architecture, EDMPrecond
from sid.runs.ema import ema_decay, ema_update
from sid.runs.folder import RunFolder
from sid.runs.loop import train
from sid.runs.schedule import learning_rate, snapshot_times
from sid.runs.state import pack, unpack
from sid.runs.update import Loss, update
from sid.runs.world import World
from sid.streams import Stream, epoch_order, seed_torch
from sid.teacher.augment import augment, draw_parameters
from sid.teacher.loss import denoising_loss, log_normal_sigma
from sid.teacher.recipe import TeacherRecipe


class TeacherTraining:
    """One EDM training in progress (see `sid.runs.loop.Training`)."""

    def __init__(
        self,
        recipe: TeacherRecipe,
        architecture: Architecture,
        data: ImageSet,
        seed: int,
        device: torch.device,
        world: World,
    ) -> None:
        self.recipe, self.data, self.seed = recipe, data, seed
        self.device, self.world, self.batch = device, world, recipe.batch
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.network = architecture.build().to(device).train()
        self.average: EDMPrecond = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.adam = torch.optim.Adam(self.network.parameters(), lr=recipe.lr, fused=True)
        self.metadata: Mapping[str, Any] = {"kind": "denoiser", "recipe": recipe.name, "seed": seed}

    def step(self, images: int) -> dict[str, float]:
        """One Adam step on places images .. images + batch of the training order."""
        recipe, stop = self.recipe, images + self.batch
        rampup, total = recipe.lr_rampup_kimg * 1000, int(recipe.kimg * 1000)
        lr = recipe.lr * learning_rate(images, total, rampup=rampup, decay=recipe.lr_decay)
        parts = self.world.share(images, stop, recipe.micro)
        losses = ((last - first, partial(self._loss, first, last)) for first, last in parts)
        done = update(self.adam, losses, self.batch, self.world, name="teacher", lr=lr, clip=None)
        decay = ema_decay(images, self.batch, recipe.ema_kimg * 1000, recipe.ema_rampup)
        ema_update(self.average, self.network, decay)
        return {**done.numbers, "sanitised": done.sanitised}

    def _loss(self, start: int, stop: int) -> Loss:
        seed_torch(self.seed, "teacher", start)
        index = epoch_order(self.seed, start, stop, len(self.data)).numpy()
        clean = image_batch(self.data, index, self.device)
        told = None
        if self.recipe.augment:
            drawn = draw_parameters(self.seed, "augment", start, stop, self.recipe.augment)
            clean, told = augment(clean, drawn)
        labels = class_batch(self.data, index, self.network.architecture.label_dim, self.device)
        normal = Stream(self.seed, "sigma").normal(start, stop).to(self.device)
        sigma = log_normal_sigma(normal, self.recipe.p_mean, self.recipe.p_std)
        noise = Stream(self.seed, "noise").normal(start, stop, clean.shape[1:]).to(self.device)
        denoised = self.network(clean + sigma[:, None, None, None] * noise, sigma, labels, told)
        sigma_data = self.network.architecture.sigma_data
        return Loss(denoising_loss(denoised, clean, sigma, sigma_data), {})

    def problem(self, images: int, at_snapshot: bool) -> None:
        """None: a denoising loss that goes wrong is not finite, and stops the run."""

    def pack(self) -> dict[str, Tensor]:
        """Weights, average and Adam moments."""
        return pack(self._modules(), {"adam": self.adam})

    def unpack(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `pack` gave."""
        unpack(tensors, self._modules(), {"adam": self.adam})

    def _modules(self) -> dict[str, EDMPrecond]:
        return {"network": self.network, "average": self.average}


def train_teacher(
    recipe: TeacherRecipe,
    data: Path,
    out: Path,
    *,
    seed: int,
    device: torch.device,
    world: World | None = None,
    restart: bool,
    quiet: bool,
) -> None:
    """Train a teacher into the run folder `out`, or go on where it stopped.

    Args:
        recipe: what to train.
        data: the data set's zip.
        out: the run folder.
        seed: of the weights and of all randomness.
        device: where to train.
        world: the processes that train this run, None for this one alone.
        restart: set aside another run found in `out`.
        quiet: print nothing.

    Raises:
        UserError: the data is damaged or lacks labels, the network is impossible, or `out` holds
            another run.
    """
    world = world or World()
    images = read_zip(data)
    if recipe.conditional and images.labels is None:
        raise UserError(f"{data}: has no labels, and recipe {recipe.name} is conditional")
    if recipe.conditional and images.labels is not None:
        check_classes(images.labels, data)
    architecture = recipe.architecture(images.shape[1:], images.n_classes)
    world.share(0, recipe.batch, recipe.micro)
    folder = RunFolder(out)
    identity = {
        "stage": "teacher",
        "recipe": recipe.model_dump(mode="json", exclude={"weights", "sha256"}),
        "seed": seed,
        "inputs": {"data": images.sha256},
    }
    with folder.held(identity, device, world, restart=restart):
        times = snapshot_times(int(recipe.kimg * 1000), recipe.batch, 1000, recipe.per_decade)
        training = TeacherTraining(recipe, architecture, images, seed, device, world)
        title = f"teacher {recipe.name}"
        train(folder, training, times, title=title, quiet=quiet, world=world)
