"""Whatever a user has, beside a reference: folders, zips, arrays, generators, teachers."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sid.data.images import ImageSet
from sid.errors import UserError, warn
from sid.evaluate.bench import Bench
from sid.evaluate.evaluate import fields, load
from sid.evaluate.extractors import load_extractor
from sid.evaluate.implementations.ours import indexed
from sid.evaluate.memorisation import Memorisation, memorisation, write_pairs
from sid.evaluate.neighbours import Manifold
from sid.evaluate.records import Record
from sid.evaluate.reference import check_shapes
from sid.evaluate.sampling import Sampler, sample_generator, sample_teacher
from sid.evaluate.seen import CAP, Seen
from sid.evaluate.setup import Setup
from sid.runs.folder import RunFolder, snapshot_at
from sid.teacher.sampler import PUBLISHED, Churn


def weights_at(path: Path) -> Path | None:
    """The weights file that `path` is or whose run it is; None where it holds images."""
    if path.is_dir() and RunFolder(path).manifest.exists():
        return snapshot_at(path)
    return path if path.suffix == ".safetensors" else None


def sampler_for(
    network: Any, about: dict[str, Any], path: Path, steps: int | None, sampler: str | None
) -> tuple[Callable[[int], Sampler], int]:
    """What draws images of a network for a seed, and its network evaluations per image.

    Args:
        network: a generator or a teacher.
        about: its metadata.
        path: where it came from.
        steps: of a teacher's sampler; 18 if not given.
        sampler: a key of `PUBLISHED`, in place of steps.

    Raises:
        UserError: options of a teacher for a generator, both of them, or an unknown one.
    """
    if sampler is not None and sampler not in PUBLISHED:
        raise UserError(f"--sampler {sampler}: unknown; known are {', '.join(PUBLISHED)}")
    if sampler and steps:
        raise UserError("--steps: --sampler says how many; drop one of them")
    if about.get("kind") == "generator":
        if sampler or steps:
            raise UserError(f"{path}: a generator takes one step; drop --sampler and --steps")
        sigma = about.get("sigma_init")
        if not isinstance(sigma, int | float) or not 0 < sigma < math.inf:
            raise UserError(f"{path}: its metadata has no `sigma_init`, a noise level above zero")
        return lambda seed: sample_generator(network, seed, sigma), 1
    count, churn = PUBLISHED[sampler] if sampler else (steps or 18, Churn())
    return lambda seed: sample_teacher(network, seed, count, churn), 2 * count - 1


def evaluate_images(bench: Bench, images: ImageSet, named: str, seed: int) -> list[Record]:
    """Images that are there, once; `seed` is that of subsets and shuffles."""
    return bench.given(images, {"role": "sample", "generated": named}, draw=0, seed=seed)


def evaluate_network(
    bench: Bench,
    path: Path,
    n: int,
    *,
    seed: int,
    draws: int,
    steps: int | None,
    sampler: str | None,
    device: torch.device,
) -> list[Record]:
    """A generator, or a teacher with its sampler: `draws` sets of fresh images.

    Args:
        bench: the implementations and the reference.
        path: weights.
        n: images of each draw.
        seed: of the first draw; the next are of `seed` + 1 and so on.
        draws: how many.
        steps: as of `sampler_for`.
        sampler: as of `sampler_for`.
        device: of the network.

    Raises:
        UserError: the weights are damaged, of another shape, or the options do not fit them.
    """
    network, found = load(path, (), bench.shape, device)
    make, nfe = sampler_for(network, found, path, steps, sampler)
    about = {**fields(found, path), "role": "sample", "nfe": nfe}
    records = []
    for draw in range(draws):
        records += bench.sampled(make(seed + draw), [n], about, draw=draw, seed=seed + draw)
    return records


def look_for_copies(
    setup: Setup, images: ImageSet, training: ImageSet, extractor: str, out: Path, pairs: int
) -> Memorisation:
    """Find the generated images that are nearest to training images, and draw them.

    Args:
        setup: of the command.
        images: generated.
        training: all that the generator was trained on.
        extractor: name or file.
        out: the PNG.
        pairs: how many to draw.

    Raises:
        UserError: images of different shapes, or too few of them.
    """
    check_shapes(images, training)
    network = load_extractor(extractor, setup.device)
    setup.progress.expect(len(images) + len(training))
    seen, real = (
        Seen(one, network, setup.work.place(name), setup.progress)
        for one, name in ((images, "generated"), (training, "reference"))
    )
    for side in (seen, real):
        if side.count > CAP:
            warn(f"{side.images.name}: the first {CAP:,} of {side.count:,} images are compared")
    found = memorisation(indexed(seen.features), Manifold(indexed(real.features)))
    write_pairs(out, images.images, training.images, found, pairs)
    return found
