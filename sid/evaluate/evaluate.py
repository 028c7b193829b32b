"""Networks, teachers and sets of images in, records out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from sid.data.images import ImageSet
from sid.errors import UserError
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.records import Record
from sid.evaluate.samplers import sample_teacher, sampler_for
from sid.files import sha256
from sid.networks import EDMPrecond, load_network
from sid.teacher.sampler import PUBLISHED_SAMPLERS, Churn

TEACHER_STEPS = (1, 3, 5, 9, 18)  # 1, 5, 9, 17 and 35 network evaluations; EDM's CIFAR-10 uses 35.


def load_network_of(
    path: Path, keys: Sequence[str], shape: tuple[int, ...], device: torch.device
) -> tuple[EDMPrecond, dict[str, Any]]:
    """A network of the reference's image shape, and what its metadata says of it.

    Raises:
        UserError: the file is damaged, lacks a key, or makes images of another shape.
    """
    network, about = load_network(path, device)
    missing = [key for key in keys if key not in about]
    if missing:
        raise UserError(
            f"{path}: its metadata has no `{missing[0]}`; is it a generator's snapshot?"
        )
    made = network.architecture.image_shape
    if shape and made != shape:
        raise UserError(f"{path}: makes images {made} (C, H, W), but the reference's are {shape}")
    return network, about


def origin(about: dict[str, Any], path: Path) -> dict[str, Any]:
    """The fields of the records that a network's metadata tell, with what imported ones lack."""
    trained = {"recipe": "", "method": "", "images": 0, "iterations": 0}
    told = {key: about.get(key, default) for key, default in trained.items()}
    return {
        **told,
        "weights_sha256": about.get("source_sha256") or sha256(path),
        "run_seed": about.get("seed", -1),
        "generated": str(path),
        "generated_sha256": about["sha256"],
    }


def evaluate_network(
    evaluator: Evaluator,
    path: Path,
    n: int,
    *,
    draws: Sequence[int],
    device: torch.device,
    seed: int = 0,
    steps: int | None = None,
    sampler: str | None = None,
    about: Mapping[str, Any] | None = None,
) -> list[Record]:
    """A generator, or a teacher with its sampler: sets of fresh images.

    Args:
        evaluator: the implementations and the reference.
        path: weights.
        n: images of each draw.
        draws: their numbers; draw k is of `seed` + k.
        device: of the network.
        seed: of draw 0.
        steps: as of `sampler_for`.
        sampler: as of `sampler_for`.
        about: fields of the records, over those that the weights tell.

    Raises:
        UserError: the weights are damaged, of another shape, or the options do not fit them.
    """
    network, found = load_network_of(path, (), evaluator.shape, device)
    make, nfe = sampler_for(network, found, path, steps, sampler, evaluator.counts)
    about = {**origin(found, path), "role": "sample", "nfe": nfe, **(about or {})}
    records = []
    for draw in draws:
        records += evaluator.sampled(make(seed + draw), n, about, draw=draw, seed=seed + draw)
    return records


def evaluate_images(
    evaluator: Evaluator,
    sets: Sequence[tuple[str, ImageSet]],
    about: Mapping[str, Any],
    first: int,
    seed: int,
) -> list[Record]:
    """Sets of images that are there, each a draw of one generator.

    Args:
        evaluator: the implementations and the reference.
        sets: each with what the user calls it; of one size, if they are several.
        about: fields of the records.
        first: number of the first draw.
        seed: of subsets and shuffles of draw 0.

    Raises:
        UserError: they are of different sizes, or two are the same images.
    """
    (name, one), *others = sets
    for other, images in others:
        if len(images) != len(one):
            raise UserError(f"{other}: {len(images)} images, but {name} has {len(one)}")
    if len({images.sha256 for _, images in sets}) < len(sets):
        raise UserError(f"{name}: draws with the same images; they would count twice")
    records = []
    for draw, (name, images) in enumerate(sets, start=first):
        given = {**about, "generated": name}
        records += evaluator.given(images, given, draw=draw, seed=seed + draw)
    return records


def teacher_steps(dataset: str) -> dict[int, Churn]:
    """Steps of the sampler and their churn: few to 18, and what is published for the data set."""
    steps, churn = PUBLISHED_SAMPLERS.get(dataset, (TEACHER_STEPS[-1], Churn()))
    return dict.fromkeys(TEACHER_STEPS, Churn()) | {steps: churn}


def evaluate_teacher(
    evaluator: Evaluator,
    snapshot: Path,
    *,
    n_curve: int = 5000,
    n_final: int = 20000,
    draws: int = 3,
    device: torch.device,
) -> list[Record]:
    """The teacher at few and at all evaluations on the curves' noise, then on fresh noise.

    Draws 1 .. `draws` at its full number of evaluations start from the latents of the same draws
    of a generator, so that neither side is known better than the other.

    Args:
        evaluator: the implementations and the reference; its progress is advanced by
            `teacher_passes`.
        snapshot: weights of a diffusion network.
        n_curve: images at each of `teacher_steps`, on draw 0.
        n_final: images per fresh draw at the most steps.
        draws: how many of these.
        device: of the network.

    Raises:
        UserError: the weights are damaged, or its images have another shape.
    """
    network, found = load_network_of(snapshot, ("kind",), evaluator.shape, device)
    if found["kind"] != "denoiser":
        raise UserError(f"{snapshot}: a {found['kind']}, not a teacher; see `sid evaluate run`")
    about = {**origin(found, snapshot), "role": "teacher", "method": "teacher"}
    about["recipe"] = about["recipe"] or snapshot.stem  # Imported weights name none.
    steps = teacher_steps(evaluator.reference.name)

    def measure(count: int, n: int, draw: int) -> list[Record]:
        sampler = sample_teacher(network, draw, count, steps[count], evaluator.counts)
        return evaluator.sampled(sampler, n, {**about, "nfe": 2 * count - 1}, draw=draw, seed=draw)

    records = [record for count in steps for record in measure(count, n_curve, 0)]
    for draw in range(1, draws + 1):
        records += measure(max(steps), n_final, draw)
    return records


def teacher_passes(evaluator: Evaluator, *, n_curve: int, n_final: int, draws: int) -> int:
    """Progress that `evaluate_teacher` is worth."""
    steps = len(teacher_steps(evaluator.reference.name))
    return steps * evaluator.passes(n_curve) + draws * evaluator.passes(n_final)
