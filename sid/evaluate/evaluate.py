"""The stage: snapshots, teachers and real images in, records out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sid.data.images import ImageSet
from sid.errors import UserError
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.records import Record
from sid.evaluate.samplers import sample_generator, sample_teacher, sampler_for
from sid.files import read_json, sha256
from sid.networks import EDMPrecond, load_network
from sid.runs.folder import RunFolder
from sid.teacher.sampler import PUBLISHED_SAMPLERS, Churn

TEACHER_STEPS = (1, 3, 5, 9, 18)  # 1, 5, 9, 17 and 35 network evaluations; EDM's CIFAR-10 uses 35.


def snapshots_of(run: Path) -> dict[Path, str]:
    """The snapshots of a finished run, by images seen, and their checksums, as in `done.json`.

    Raises:
        UserError: no such run, or it is not finished.
    """
    folder = RunFolder(run)
    if not folder.manifest.exists():
        raise UserError(f"{run}: not a run (no manifest.json); make one with `sid distill`")
    if not folder.done.exists():
        raise UserError(f"{run}: not finished (no done.json); run the same `sid distill` again")
    done = read_json(folder.done)
    hashes = done.get("snapshots") if isinstance(done, dict) else None
    if not isinstance(hashes, dict) or not hashes:
        raise UserError(f"{folder.done}: lists no snapshots; delete it and finish the run again")
    return {folder.snapshots / name: hashes[name] for name in sorted(hashes)}


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


def frechet(records: Iterable[Record]) -> float:
    """The Frechet distance by which the best snapshot is chosen: ours, or the first there is."""
    found = {r.implementation: r.value for r in records if r.metric == "frechet_distance"}
    if not found:
        raise UserError(
            "--metrics: no frechet_distance, by which the best snapshot is chosen; add fd, and ours"
        )
    return found.get("ours", next(iter(found.values())))


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


def evaluate_run(
    evaluator: Evaluator,
    run: Path,
    *,
    n_curve: int = 5000,
    n_final: int = 20000,
    draws: int = 3,
    device: torch.device,
) -> list[Record]:
    """Every snapshot on one fixed noise, then the last and the best on fresh noise.

    The best is chosen on draw 0 and measured on draws 1 .. `draws`, so that its value is not
    flattered by having been chosen.

    Args:
        evaluator: the implementations and the reference; its progress is advanced by `run_passes`.
        run: folder of a finished distillation.
        n_curve: images per snapshot.
        n_final: images per draw of the two selected snapshots.
        draws: how many.
        device: of the networks.

    Raises:
        UserError: the run is unfinished or damaged, or its images have another shape.
    """
    hashes = snapshots_of(run)
    paths = list(hashes)

    def measure(path: Path, n: int, draw: int, role: str, selection: str) -> list[Record]:
        if not path.exists() or sha256(path) != hashes[path]:
            raise UserError(
                f"{path}: missing or changed since the run finished; "
                f"delete {run} and train the run again"
            )
        keys = ("recipe", "method", "seed", "images", "iterations", "sigma_init")
        network, found = load_network_of(path, keys, evaluator.shape, device)
        about = {**origin(found, path), "role": role, "selection": selection, "nfe": 1}
        sampler = sample_generator(network, draw, found["sigma_init"], evaluator.counts)
        return evaluator.sampled(sampler, n, about, draw=draw, seed=draw)

    curve = [measure(path, n_curve, 0, "curve", "") for path in paths]
    best, last = paths[int(np.argmin([frechet(part) for part in curve]))], paths[-1]
    final = []
    for draw in range(1, draws + 1):
        records = measure(last, n_final, draw, "final", "last")
        final += records
        if best == last:
            final += [record.model_copy(update={"selection": "best"}) for record in records]
        else:
            final += measure(best, n_final, draw, "final", "best")
    return [record for part in curve for record in part] + final


def run_passes(evaluator: Evaluator, run: Path, *, n_curve: int, n_final: int, draws: int) -> int:
    """Progress that `evaluate_run` is worth, at most."""
    return len(snapshots_of(run)) * evaluator.passes(n_curve) + 2 * draws * evaluator.passes(
        n_final
    )


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
