"""Distil a teacher into a one-step generator."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sid.data.zips import ImageSet, read_zip
from sid.distill.method import Draw
from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.files import sha256
from sid.networks import EDMPrecond, load_network
from sid.networks.precond import one_step
from sid.runs.ema import ema_decay, ema_update
from sid.runs.folder import RunFolder, snapshot_at
from sid.runs.loop import train
from sid.runs.schedule import learning_rate, snapshot_times
from sid.runs.state import pack, unpack
from sid.streams import Stream, epoch_order, seed_torch
from sid.teacher.loss import log_normal_sigma
from sid.teacher.train import to_unit

SIGMA_MIN, SIGMA_MAX, RHO = 0.002, 80.0, 7.0


def generator_sigma(t: Tensor) -> Tensor:
    """The noise level at t in [0, 1], from sigma_min at 0 to sigma_max at 1 (EDM, eq. 5)."""
    low, high = SIGMA_MIN ** (1 / RHO), SIGMA_MAX ** (1 / RHO)
    sigma: Tensor = (high + (1 - t) * (low - high)) ** RHO
    return sigma


class Distillation:
    """One distillation in progress (see `sid.runs.loop.Trainee`).

    Args:
        recipe: what to do.
        teacher: the diffusion model; its copies are the fake score and, unless `start` is given,
            the generator.
        start: the generator to start from, or None.
        data: labels of conditional teachers and real images of adversarial methods.
        seed: of all randomness.
        device: where to train.
    """

    def __init__(
        self,
        recipe: Recipe,
        teacher: EDMPrecond,
        start: EDMPrecond | None,
        data: ImageSet,
        seed: int,
        device: torch.device,
    ) -> None:
        self.recipe, self.seed, self.device = recipe, seed, device
        self.method = recipe.build_method()
        self.batch = recipe.batch
        self.teacher = teacher
        self.fake = copy.deepcopy(teacher)
        self.generator = copy.deepcopy(start or teacher)
        self.average: EDMPrecond = copy.deepcopy(self.generator)

        def adam(network: EDMPrecond, lr: float) -> torch.optim.Adam:
            network.train().requires_grad_(True)
            return torch.optim.Adam(
                network.parameters(), lr=lr, betas=recipe.betas, eps=recipe.eps, fused=True
            )

        self.fake_adam = adam(self.fake, recipe.lr_fake)
        self.generator_adam = adam(self.generator, recipe.lr_generator)
        self.images = torch.from_numpy(np.asarray(data.images)).to(device)
        self.labels = None
        if teacher.architecture.label_dim and data.labels is not None:
            self.labels = one_hot(torch.from_numpy(data.labels), data.n_classes).float().to(device)
        self.metadata: Mapping[str, Any] = {
            "kind": "generator",
            "recipe": recipe.name,
            "method": recipe.method["name"],
            "seed": seed,
            "sigma_init": recipe.sigma_init,
        }

    def step(self, images: int) -> dict[str, float]:
        """One update of the fake score, then one of the generator."""
        recipe, total = self.recipe, int(self.recipe.kimg * 1000)
        seed_torch(self.seed, images)
        factor = learning_rate(images, total, decay=recipe.lr_decay)
        numbers = self._update_fake(images, factor)
        if self.method.trains_generator(images):
            numbers |= self._update_generator(images, factor)
        half_life = recipe.ema_kimg * 1000
        decay = ema_decay(images, self.batch, half_life, recipe.ema_rampup)
        ema_update(self.average, self.generator, decay)
        return numbers

    def _update_fake(self, images: int, factor: float) -> dict[str, float]:
        latents, labels, index = self._draw("fake", images)
        normal = self._stream("fake sigma").normal(images, images + self.batch).to(self.device)
        sigma = log_normal_sigma(normal, self.recipe.p_mean, self.recipe.p_std)
        draw = Draw(sigma, self._normal("fake noise", images), labels)
        with torch.no_grad():
            generated = one_step(self.generator, latents, self.recipe.sigma_init, labels)
        real = to_unit(self.images[index]) if self.method.needs_data else None
        loss = self.method.fake_loss(self.fake, generated, real, draw)
        _descend(
            self.fake_adam, loss.per_image, self.recipe.lr_fake * factor, self.method.fake_grad_clip
        )
        return {"fake_loss": loss.per_image.mean().item(), **_items(loss.numbers)}

    def _update_generator(self, images: int, factor: float) -> dict[str, float]:
        latents, labels, _ = self._draw("generator", images)
        t = self._stream("generator time").uniform(images, images + self.batch)
        sigma = generator_sigma(t * self.recipe.t_max / 1000).float().to(self.device)
        draw = Draw(sigma, self._normal("generator noise", images), labels)
        # The gradient passes through the fake score but must not stop at its weights.
        self.fake.requires_grad_(False)
        generated = one_step(self.generator, latents, self.recipe.sigma_init, labels)
        loss = self.method.generator_loss(self.teacher, self.fake, generated, draw, images)
        _descend(self.generator_adam, loss.per_image, self.recipe.lr_generator * factor, None)
        self.fake.requires_grad_(True)
        return {"generator_loss": loss.per_image.mean().item(), **_items(loss.numbers)}

    def _stream(self, name: str) -> Stream:
        return Stream(self.seed, name)

    def _normal(self, name: str, images: int) -> Tensor:
        shape = self.teacher.architecture.image_shape
        return self._stream(name).normal(images, images + self.batch, shape).to(self.device)

    def _draw(self, player: str, images: int) -> tuple[Tensor, Tensor | None, Tensor]:
        # Labels follow the data, so that classes come as often as they do there.
        index = epoch_order(self.seed, images, images + self.batch, len(self.images))
        index = index.to(self.device)
        labels = None if self.labels is None else self.labels[index]
        return self._normal(f"{player} latents", images), labels, index

    def pack(self) -> dict[str, Tensor]:
        """Weights, average and Adam moments."""
        return pack(self._modules(), self._optimizers())

    def unpack(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `pack` gave."""
        unpack(tensors, self._modules(), self._optimizers())

    def _modules(self) -> dict[str, EDMPrecond]:
        return {"fake": self.fake, "generator": self.generator, "average": self.average}

    def _optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"fake_adam": self.fake_adam, "generator_adam": self.generator_adam}


def _items(numbers: Mapping[str, Tensor]) -> dict[str, float]:
    return {name: value.item() for name, value in numbers.items()}


def _descend(adam: torch.optim.Adam, per_image: Tensor, lr: float, clip: float | None) -> None:
    adam.zero_grad(set_to_none=True)
    per_image.mean().backward()  # type: ignore[no-untyped-call]
    for group in adam.param_groups:
        group["lr"] = lr
        if clip is not None:
            torch.nn.utils.clip_grad_value_(group["params"], clip)
    adam.step()


def distill(
    recipe: Recipe,
    data: Path,
    teacher: Path,
    start: Path | None,
    out: Path,
    *,
    seed: int,
    device: torch.device,
    restart: bool,
    quiet: bool,
) -> None:
    """Distil into the run folder `out`, or go on where it stopped.

    Args:
        recipe: what to do.
        data: the data set's zip.
        teacher: a teacher's run folder (its last snapshot) or weights file.
        start: run folder or weights file of the generator to start from; needed when, and only
            when, the recipe has a `start`.
        out: the run folder.
        seed: of all randomness.
        device: where to train.
        restart: set aside another run found in `out`.
        quiet: print nothing.

    Raises:
        UserError: an input is missing or damaged, or `out` holds another run.
    """
    if bool(recipe.start) != bool(start):
        needs = f"starts from recipe {recipe.start}; give" if recipe.start else "starts from the "
        mend = f"{needs} its run with --start" if recipe.start else f"{needs}teacher; drop --start"
        raise UserError(f"recipe {recipe.name} {mend}")
    images = read_zip(data)
    weights = {"teacher": snapshot_at(teacher)}
    if start:
        weights["start"] = snapshot_at(start)
    networks = {}
    for name, path in weights.items():
        networks[name], about = load_network(path, device)
        kind = {"teacher": "denoiser", "start": "generator"}[name]
        if about.get("kind") != kind:
            raise UserError(f"{path}: --{name} needs a {kind}, and this is a {about.get('kind')}")
    if networks["teacher"].architecture.image_shape != images.images.shape[1:]:
        raise UserError(
            f"{data}: images are {images.images.shape[1:]}, but the teacher {teacher} makes "
            f"{networks['teacher'].architecture.image_shape}"
        )
    folder = RunFolder(out)
    with folder.lock():
        hashes = {name: sha256(path) for name, path in weights.items()}
        identity = {
            "stage": "distill",
            "recipe": recipe.model_dump(mode="json"),
            "seed": seed,
            "inputs": {"data": images.sha256, **hashes},
        }
        folder.claim(identity, device, restart=restart)
        total, first = int(recipe.kimg * 1000), int(recipe.first_kimg * 1000)
        times = snapshot_times(total, recipe.batch, first, recipe.per_decade)
        trainee = Distillation(
            recipe, networks["teacher"], networks.get("start"), images, seed, device
        )
        train(folder, trainee, times, title=f"{recipe.name} seed {seed}", quiet=quiet)
