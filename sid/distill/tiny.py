"""`--tiny`: a recipe with every switch as it is, shrunk until a CPU does it in seconds."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from sid.config import recipe_path
from sid.data.zips import write_zip
from sid.distill.gates import Gates
from sid.distill.recipe import Recipe
from sid.networks import Architecture, EDMPrecond, parse_architecture, save_network
from sid.streams import Stream
from sid.teacher.recipe import load_teacher

UPDATES, BATCH, IMAGES = 12, 4, 16
RESOLUTION, CHANNELS = 16, 16


class Inputs(NamedTuple):
    """What a tiny run is made from."""

    data: Path
    teacher: Path
    start: Path | None


def tiny_recipe(recipe: Recipe) -> Recipe:
    """The recipe with small batches and a budget of 12 updates, its durations scaled with it.

    The gates that look at the images are off: a teacher that knows nothing makes noise.
    """
    scaled = recipe.scaled(UPDATES * BATCH / 1000 / recipe.kimg)
    accumulates = recipe.micro_batch is not None and recipe.micro_batch < recipe.batch
    blind = {"min_spread": None, "max_noise": None, "max_distance": None}
    changes = {
        "batch": BATCH,
        "micro_batch": BATCH // 2 if accumulates else None,
        "first_kimg": BATCH / 1000,
        "per_decade": 2,
        "every_kimg": 4 * BATCH / 1000 if recipe.every_kimg else None,
        "gates": Gates.model_validate({**recipe.gates.model_dump(), **blind}),
    }
    return scaled.model_copy(update=changes)


def tiny_architecture(full: Architecture) -> Architecture:
    """The same kind of network with few channels, one block a level, at 16 x 16."""
    shrink = max(full.img_resolution // RESOLUTION, 1)
    values = full.model_dump()
    resolutions = [r // shrink for r in values["attn_resolutions"] if r // shrink]
    values |= {
        "img_resolution": full.img_resolution // shrink,
        "model_channels": CHANNELS,
        "num_blocks": 1,
        "attn_resolutions": resolutions,
    }
    return parse_architecture(values, "tiny network")


def tiny_inputs(recipe: Recipe, seed: int, folder: Path) -> Inputs:
    """Write a data set of noise and a teacher of random weights for the recipe into a folder.

    Raises:
        UserError: the teacher's recipe is missing.
    """
    teacher = load_teacher(recipe_path(recipe.teacher))
    unsaid = {"img_resolution": RESOLUTION, "img_channels": 1, "label_dim": 0}
    whole = teacher.model_copy(update={"network": {**unsaid, **teacher.network}})
    architecture = tiny_architecture(whole.architecture())
    shape, classes = architecture.image_shape, architecture.label_dim
    noise = Stream(0, "tiny data").normal(0, IMAGES, shape).numpy()
    images = np.clip(noise * 64 + 128, 0, 255).astype(np.uint8)
    labels = np.linspace(0, classes - 1, IMAGES).astype(np.int64) if classes else None
    inputs = Inputs(
        folder / f"{recipe.data}.zip",
        folder / "teacher.safetensors",
        folder / "start.safetensors" if recipe.start else None,
    )
    write_zip(inputs.data, images, labels)
    save_network(inputs.teacher, _random(architecture, seed), {"kind": "denoiser"})
    if inputs.start:
        about = {"kind": "generator", "sigma_init": recipe.sigma_init}
        save_network(inputs.start, _random(architecture, seed + 1), about)
    return inputs


def _random(architecture: Architecture, seed: int) -> EDMPrecond:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = architecture.build()
        for parameter in network.parameters():  # Layers that begin at zero would hide switches.
            parameter.data += 0.03 * torch.randn_like(parameter)
    return network.eval().requires_grad_(False)
