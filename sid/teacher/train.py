"""Train an EDM teacher on a data set."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from sid.data.zips import ImageSet, read_zip
from sid.networks import Architecture, EDMPrecond, parse_architecture
from sid.runs.ema import ema_decay, ema_update
from sid.runs.folder import RunFolder
from sid.runs.loop import train
from sid.runs.schedule import learning_rate, snapshot_times
from sid.runs.state import pack, unpack
from sid.streams import Stream, epoch_order, seed_torch
from sid.teacher.loss import denoising_loss, log_normal_sigma
from sid.teacher.recipe import TeacherRecipe


def to_unit(images: Tensor) -> Tensor:
    """Images 0 .. 255, uint8 -> float32 in [-1, 1]."""
    return images.float() / 127.5 - 1


def architecture_for(recipe: TeacherRecipe, data: ImageSet) -> Architecture:
    """The network of a recipe, for the resolution, colours and classes of the data.

    Raises:
        UserError: it cannot be built.
    """
    channels, resolution = data.images.shape[1:3]
    values = {
        "img_resolution": resolution,
        "img_channels": channels,
        "label_dim": data.n_classes if recipe.conditional else 0,
        **recipe.network.model_dump(),
    }
    return parse_architecture(values, f"recipe {recipe.name}: network")


class TeacherTraining:
    """One EDM training in progress (see `sid.runs.loop.Trainee`).

    Args:
        recipe: what to train.
        data: the images.
        seed: of the weights and of all randomness.
        device: where to train.
    """

    def __init__(
        self, recipe: TeacherRecipe, data: ImageSet, seed: int, device: torch.device
    ) -> None:
        self.recipe, self.seed, self.device = recipe, seed, device
        self.batch = recipe.batch
        architecture = architecture_for(recipe, data)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            self.network = architecture.build().to(device).train()
        self.average: EDMPrecond = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=recipe.lr, fused=True)
        self.images = torch.from_numpy(np.asarray(data.images)).to(device)
        self.labels = None
        if recipe.conditional and data.labels is not None:
            self.labels = one_hot(torch.from_numpy(data.labels), data.n_classes).float().to(device)
        self.metadata: Mapping[str, Any] = {"kind": "denoiser", "recipe": recipe.name, "seed": seed}

    def step(self, images: int) -> dict[str, float]:
        """One Adam step on places images .. images + batch of the training order."""
        recipe, start, stop = self.recipe, images, images + self.batch
        seed_torch(self.seed, start)
        index = epoch_order(self.seed, start, stop, len(self.images)).to(self.device)
        clean = to_unit(self.images[index])
        labels = None if self.labels is None else self.labels[index]
        normal = Stream(self.seed, "sigma").normal(start, stop).to(self.device)
        sigma = log_normal_sigma(normal, recipe.p_mean, recipe.p_std)
        noise = Stream(self.seed, "noise").normal(start, stop, clean.shape[1:]).to(self.device)
        denoised = self.network(clean + sigma[:, None, None, None] * noise, sigma, labels)
        loss = denoising_loss(denoised, clean, sigma, recipe.network.sigma_data).mean()

        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        for group in self.optimizer.param_groups:
            rampup = recipe.lr_rampup_kimg * 1000
            factor = learning_rate(
                images, int(recipe.kimg * 1000), rampup=rampup, decay=recipe.lr_decay
            )
            group["lr"] = recipe.lr * factor
        self.optimizer.step()
        decay = ema_decay(images, self.batch, recipe.ema_kimg * 1000, recipe.ema_rampup)
        ema_update(self.average, self.network, decay)
        return {"loss": loss.item()}

    def pack(self) -> dict[str, Tensor]:
        """Weights, average and Adam moments."""
        return pack(self._modules(), {"adam": self.optimizer})

    def unpack(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `pack` gave."""
        unpack(tensors, self._modules(), {"adam": self.optimizer})

    def _modules(self) -> dict[str, EDMPrecond]:
        return {"network": self.network, "average": self.average}


def train_teacher(
    recipe: TeacherRecipe,
    data: Path,
    out: Path,
    *,
    seed: int,
    device: torch.device,
    restart: bool,
    quiet: bool,
) -> None:
    """Train a teacher into the run folder `out`, or go on where it stopped.

    Raises:
        UserError: the data is damaged, the network impossible, or `out` holds another run.
    """
    images = read_zip(data)
    architecture_for(recipe, images)  # Refused before anything is written.
    folder = RunFolder(out)
    with folder.lock():
        identity = {
            "stage": "teacher",
            "recipe": recipe.model_dump(mode="json"),
            "seed": seed,
            "inputs": {"data": images.sha256},
        }
        folder.claim(identity, device, restart=restart)
        times = snapshot_times(int(recipe.kimg * 1000), recipe.batch, 1000, recipe.per_decade)
        trainee = TeacherTraining(recipe, images, seed, device)
        train(folder, trainee, times, title=f"teacher {recipe.name}", quiet=quiet)
