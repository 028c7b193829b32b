"""The stage: snapshots, teachers and real images in, records out."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from sid import provenance
from sid.data.zips import ImageSet
from sid.errors import UserError
from sid.evaluate.clean import Clean
from sid.evaluate.extractor import Extractor
from sid.evaluate.fidelity import Fidelity
from sid.evaluate.implementation import Implementation
from sid.evaluate.ours import Ours
from sid.evaluate.records import Record
from sid.evaluate.sampling import sample_generator, sample_teacher
from sid.files import read_json, sha256
from sid.networks import EDMPrecond, load_network
from sid.progress import Progress
from sid.runs.folder import RunFolder
from sid.streams import Stream
from sid.teacher.sampler import PUBLISHED, Churn

TEACHER_STEPS = (1, 3, 5, 9, 18)  # 1, 5, 9, 17 and 35 network evaluations; EDM's CIFAR-10 uses 35.


class Bench:
    """All implementations against one reference and one extractor.

    Args:
        reference: real images.
        extractor: that every implementation is given.
        device: what the records name, and where the networks run.
    """

    def __init__(self, reference: ImageSet, extractor: Extractor, device: torch.device) -> None:
        extractor.check(reference.images.shape[1:])
        self.reference, self.extractor, self.device = reference, extractor, device
        self.implementations: Sequence[Implementation] = (Ours(), Fidelity(), Clean())
        machine = provenance.describe(device)
        self._common = {
            "dataset": reference.name,
            "extractor": extractor.name,
            "extractor_sha256": extractor.sha256,
            "extractor_accuracy": extractor.accuracy,
            "n_reference": len(reference.images),
            "reference_sha256": reference.sha256,
            **{key: machine[key] for key in ("device", "torch", "git")},
        }

    def records(
        self, images: NDArray[np.uint8], about: Mapping[str, Any], draw: int, progress: Progress
    ) -> list[Record]:
        """Every metric of every implementation on one draw of images.

        Args:
            images: uint8, [N, C, H, W]; all implementations see these.
            about: role, method, recipe, seed, images, iterations and nfe of the records.
            draw: the draw, which is the seed of its samples and of subsets and shuffles.
            progress: advanced by N.
        """
        records = []
        for implementation in self.implementations:
            start = time.perf_counter()
            values = implementation.evaluate(images, self.reference, self.extractor, draw)
            row = {
                **self._common,
                **about,
                "kimg": about["images"] / 1000,
                "implementation": implementation.name,
                "implementation_version": implementation.version,
                "n_images": len(images),
                "draw": draw,
                "sample_seed": draw,
                "seconds": round(time.perf_counter() - start, 3),
            }
            records += [Record.model_validate({**row, **value._asdict()}) for value in values]
        progress.advance(len(images), **{records[0].metric: records[0].value})
        return records


def evaluated_images(run: Path, *, n_curve: int, n_final: int, draws: int) -> int:
    """Images that `evaluate_run` will report as progress."""
    return len(snapshots_of(run)) * n_curve + 2 * draws * n_final


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


def _load(
    path: Path, keys: Sequence[str], device: torch.device
) -> tuple[EDMPrecond, dict[str, Any]]:
    network, about = load_network(path, device)
    missing = [key for key in keys if key not in about]
    if missing:
        raise UserError(
            f"{path}: its metadata has no `{missing[0]}`; is it a generator's snapshot?"
        )
    return network, about


def _frechet(records: Sequence[Record]) -> float:
    """Our Frechet distance, by which the best snapshot is chosen."""
    return next(
        record.value
        for record in records
        if (record.implementation, record.metric) == (Ours.name, "frechet_distance")
    )


def evaluate_run(
    run: Path,
    reference: ImageSet,
    extractor: Extractor,
    *,
    n_curve: int = 5000,
    n_final: int = 20000,
    draws: int = 3,
    device: torch.device,
    progress: Progress,
) -> list[Record]:
    """Every snapshot on one fixed noise, then the last and the best on fresh noise.

    The best is chosen on draw 0 and measured on draws 1 .. `draws`, so that its value is not
    flattered by having been chosen.

    Args:
        run: folder of a finished distillation.
        reference: real images.
        extractor: of their shape.
        n_curve: images per snapshot.
        n_final: images per draw of the two selected snapshots.
        draws: how many.
        device: of the networks.
        progress: advanced by `evaluated_images` in all.

    Raises:
        UserError: the run is unfinished or damaged, or its images have another shape.
    """
    bench = Bench(reference, extractor, device)
    hashes = snapshots_of(run)
    paths = list(hashes)

    def measure(path: Path, n: int, draw: int, role: str, selection: str) -> list[Record]:
        if not path.exists() or sha256(path) != hashes[path]:
            raise UserError(
                f"{path}: missing or changed since the run finished; "
                f"delete {run} and train the run again"
            )
        keys = ("recipe", "method", "seed", "images", "iterations", "sigma_init")
        network, found = _load(path, keys, device)
        extractor.check(network.architecture.image_shape)
        about = {key: found[key] for key in keys if key != "sigma_init"}
        about |= {"role": role, "selection": selection, "nfe": 1}
        images = sample_generator(network, n, draw, found["sigma_init"])
        return bench.records(images, about, draw, progress)

    curve = [measure(path, n_curve, 0, "curve", "") for path in paths]
    best, last = paths[int(np.argmin([_frechet(part) for part in curve]))], paths[-1]
    final = []
    for draw in range(1, draws + 1):
        records = measure(last, n_final, draw, "final", "last")
        final += records
        if best == last:
            final += [record.model_copy(update={"selection": "best"}) for record in records]
            progress.advance(n_final)
        else:
            final += measure(best, n_final, draw, "final", "best")
    return [record for part in curve for record in part] + final


def teacher_steps(dataset: str) -> dict[int, Churn]:
    """Steps of the sampler and their churn: few to 18, and what is published for the data set."""
    steps, churn = PUBLISHED.get(dataset, (TEACHER_STEPS[-1], Churn()))
    return dict.fromkeys(TEACHER_STEPS, Churn()) | {steps: churn}


def teacher_images(dataset: str, *, n_curve: int, n_final: int) -> int:
    """Images that `evaluate_teacher` will report as progress."""
    return len(teacher_steps(dataset)) * n_curve + (n_final if n_final != n_curve else 0)


def evaluate_teacher(
    snapshot: Path,
    reference: ImageSet,
    extractor: Extractor,
    *,
    n_curve: int = 5000,
    n_final: int = 20000,
    device: torch.device,
    progress: Progress,
) -> list[Record]:
    """The teacher on the noise of the curves, at few evaluations and at its full number.

    Args:
        snapshot: weights of a diffusion network.
        reference: real images.
        extractor: of their shape.
        n_curve: images at each of `teacher_steps`.
        n_final: images at the most steps; the first `n_curve` of them serve it there.
        device: of the network.
        progress: advanced by `teacher_images` in all.

    Raises:
        UserError: the weights are damaged, or its images have another shape.
    """
    bench = Bench(reference, extractor, device)
    network, found = _load(snapshot, ("kind",), device)
    if found["kind"] != "denoiser":
        raise UserError(f"{snapshot}: a {found['kind']}, not a teacher; see `sid evaluate run`")
    extractor.check(network.architecture.image_shape)
    # Imported weights have no training of ours to tell of.
    defaults = {"recipe": snapshot.stem, "seed": -1, "images": 0, "iterations": 0}
    about: dict[str, Any] = {"role": "teacher", "method": "teacher"}
    about |= {key: found.get(key, default) for key, default in defaults.items()}
    records, steps = [], teacher_steps(reference.name)
    for count, churn in steps.items():
        about["nfe"] = 2 * count - 1
        whole = count == max(steps)
        n = max(n_curve, n_final) if whole else n_curve
        images = sample_teacher(network, n, 0, count, churn)
        records += bench.records(images[:n_curve], about, 0, progress)
        if whole and n_final != n_curve:
            records += bench.records(images[:n_final], about, 0, progress)
    return records


def evaluate_floor(
    reference: ImageSet,
    extractor: Extractor,
    *,
    n_curve: int = 5000,
    n_final: int = 20000,
    draws: int = 3,
    device: torch.device,
    progress: Progress,
) -> list[Record]:
    """Real against real at the same n: the reference drawn again, with replacement.

    A generator that had learnt these images by heart would get this. The drawn images are among
    the reference, so the kernel distance, which takes the two sides for independent, comes out
    slightly below zero.

    Args:
        reference: real images.
        extractor: of their shape.
        n_curve: images per draw, as in the curves.
        n_final: images per draw, as in the final values.
        draws: how many of each.
        device: that the records name.
        progress: advanced by draws * (n_curve + n_final).
    """
    bench = Bench(reference, extractor, device)
    about = {"role": "floor", "method": "real", "recipe": "real", "seed": -1}
    about |= {"images": 0, "iterations": 0, "nfe": 0}
    records = []
    for n in sorted({n_curve, n_final}):
        for draw in range(1, draws + 1):
            picked = Stream(draw, "floor").integers(0, n, len(reference.images)).numpy()
            records += bench.records(reference.images[picked], about, draw, progress)
    return records
