"""Distil a teacher into a one-step generator."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from sid.data.images import ImageSet
from sid.data.zips import read_zip
from sid.distill.distillation import Distillation
from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.files import sha256
from sid.networks import Architecture, EDMPrecond, load_network
from sid.runs.folder import RunFolder, snapshot_at
from sid.runs.loop import train
from sid.runs.world import World
from sid.teacher.augment import LABELS

KINDS = {"teacher": "denoiser", "start": "generator"}


def distill(
    recipe: Recipe,
    data: Path,
    teacher: Path,
    start: Path | None,
    out: Path,
    *,
    seed: int,
    device: torch.device,
    world: World | None = None,
    restart: bool,
    quiet: bool,
    leg: int | None = None,
) -> None:
    """Distil into the run folder `out`, or go on where it stopped.

    With `leg` it ends at that snapshot, and the next call goes on from there. A recipe without
    `lr_decay` goes on, too, in the folder of a run that differs by its `kimg` alone.

    `teacher` is a run folder, of which the last snapshot is taken, or a weights file; `start`, the
    generator to start from, is likewise, and needed when, and only when, the recipe has a `start`.
    The rest is as of `train_teacher`.

    Raises:
        UserError: an input is missing or damaged, inputs do not fit together, `out` holds another
            run, or `leg` is not at a snapshot.
    """
    world = world or World()
    planned = recipe.times()
    check_leg(leg, planned)
    weights = weights_of(recipe, teacher, start)
    world.share(0, recipe.batch, recipe.micro)
    images = read_zip(data)
    networks = {name: load_as(KINDS[name], path) for name, path in weights.items()}
    known = networks["teacher"][0].architecture
    check_data(recipe, data, images, known, teacher)
    if "start" in networks:
        check_start(recipe, *networks["start"], known, weights["start"])
    folder = RunFolder(out)
    hashes = {name: sha256(path) for name, path in weights.items()}
    identity = {
        "stage": "distill",
        # Gates stop a run and change nothing in it.
        "recipe": recipe.model_dump(mode="json", exclude={"gates"}),
        "seed": seed,
        "inputs": {"data": images.sha256, **hashes},
    }
    end = None if recipe.lr_decay else planned[-1]
    with folder.held(identity, device, world, restart=restart, end=end):
        # The others take no snapshots, and end where the main process does.
        times = recipe.times(folder.budgets()) if world.main else planned
        # Taken out of the dictionary, so that they go when the training has its copies.
        begin = networks.pop("start", (None, {}))[0]
        pair = networks.pop("teacher")[0], begin
        training = Distillation(recipe, *pair, images, seed, device, world)
        del begin, pair
        title = f"{recipe.name} seed {seed}"
        train(folder, training, times, title=title, quiet=quiet, world=world, leg=leg)


def check_leg(leg: int | None, times: Sequence[int]) -> None:
    """Check that a leg ends at a snapshot.

    Raises:
        UserError: it does not.
    """
    if leg is not None and leg not in times[1:]:
        there = min((images for images in times if images > leg), default=times[-1])
        raise UserError(f"--leg {leg}: no snapshot is taken there; the nearest is {there}")


def weights_of(recipe: Recipe, teacher: Path, start: Path | None) -> dict[str, Path]:
    """The weights files that a run begins with, by name: `teacher`, and `start` if there is one.

    Raises:
        UserError: a file is missing, or `start` is given where the recipe has none, or the reverse.
    """
    if recipe.start and not start:
        needs = f"starts from recipe {recipe.start}; give its run with --start"
        raise UserError(f"recipe {recipe.name} {needs}")
    if start and not recipe.start:
        raise UserError(f"recipe {recipe.name} starts from the teacher; drop --start")
    found = {"teacher": snapshot_at(teacher)}
    return {**found, "start": snapshot_at(start)} if start else found


def load_as(kind: str, path: Path) -> tuple[EDMPrecond, dict[str, Any]]:
    """The network in `path`, on the CPU, and its metadata.

    Raises:
        UserError: it is damaged or is not of that kind (`denoiser` or `generator`).
    """
    network, about = load_network(path, torch.device("cpu"))
    if about.get("kind") != kind:
        raise UserError(f"{path}: a {kind} is needed, and this is a {about.get('kind')}")
    return network, about


def check_start(
    recipe: Recipe, start: EDMPrecond, about: Mapping[str, Any], teacher: Architecture, path: Path
) -> None:
    """Check that a generator can be gone on with.

    Raises:
        UserError: it makes other images than the teacher, or was distilled at another noise level.
    """
    found = start.architecture
    pairs = {
        "images": (found.image_shape, teacher.image_shape),
        "classes": (found.label_dim, teacher.label_dim),
        "sigma_init": (about.get("sigma_init"), recipe.sigma_init),
    }
    for name, (has, needs) in pairs.items():
        if has != needs:
            raise UserError(f"{path}: --start has {name} {has}, and {needs} is needed")


def check_data(
    recipe: Recipe, path: Path, data: ImageSet, architecture: Architecture, source: Path
) -> None:
    """Check that the data is the recipe's and fits the teacher.

    Raises:
        UserError: another name, shape or number of classes, no labels for a conditional teacher, or
            a teacher that cannot be told of augmentation.
    """
    if data.name != recipe.data:
        raise UserError(
            f"{path}: recipe {recipe.name} is for another data set; give {recipe.data}.zip"
        )
    if tuple(data.shape[1:]) != architecture.image_shape:
        raise UserError(
            f"{path}: images are {tuple(data.shape[1:])}, but the teacher {source} makes "
            f"{architecture.image_shape}"
        )
    if architecture.label_dim and data.n_classes != architecture.label_dim:
        raise UserError(
            f"{path}: has {data.n_classes} classes, but the teacher {source} "
            f"knows {architecture.label_dim}"
        )
    if recipe.augment and architecture.augment_dim != LABELS:
        raise UserError(
            f"{source}: takes {architecture.augment_dim} augmentation labels and not {LABELS}, so "
            f"that augmentation would leak; set augment: 0 in recipe {recipe.name}"
        )
