"""Runs in, records out: each snapshot on one noise, the last and the best on fresh ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np
import torch

from sid.errors import UserError
from sid.evaluate.evaluate import load_network_of, origin
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.labels import LabelRule
from sid.evaluate.measured import Piece, deal, distance_of
from sid.evaluate.records import Record
from sid.evaluate.samplers import sample_generator
from sid.files import read_json, sha256
from sid.networks.architecture import parse_architecture
from sid.networks.weights import read_metadata
from sid.runs.folder import RunFolder
from sid.runs.legs import ends

KEYS = ("recipe", "method", "seed", "images", "iterations", "sigma_init")


def snapshots_of(run: Path, *, finished: bool = True) -> dict[Path, str]:
    """The snapshots of a run, by images seen, and their checksums, as in `done.json`.

    Those that were removed after they were measured are among them.

    Args:
        run: its folder.
        finished: whether it has to be; of a run in training the snapshots of its legs that ended.

    Raises:
        UserError: no such run, or it is not finished, or has not come to the end of a leg.
    """
    folder = RunFolder(run)
    if not folder.manifest.exists():
        raise UserError(f"{run}: not a run (no manifest.json); make one with `sid distill`")
    ended = [folder.done] if folder.done.exists() else []
    if not ended and not finished:
        ended = [folder.leg_path(end) for end in ends(folder)]
    if not ended:
        what = "no done.json" if finished else "no done.json, and no leg of it is"
        raise UserError(f"{run}: not finished ({what}); run the same `sid distill` again")
    hashes: dict[str, str] = {}
    for path in ended:
        about = read_json(path)
        found = about.get("snapshots") if isinstance(about, dict) else None
        if not isinstance(found, dict) or (not found and path == folder.done):
            raise UserError(f"{path}: lists no snapshots; delete it and finish the run again")
        hashes |= found
    return {folder.snapshots / name: hashes[name] for name in sorted(hashes)}


def part_of(run: Path, first: int, last: int | None) -> dict[Path, str]:
    """Those of `snapshots_of`, of a run that may be in training, that lie between two images.

    Args:
        run: its folder.
        first: images of the first.
        last: images of the last; None for all that there are.

    Raises:
        UserError: see `snapshots_of`; or the training has not come so far.
    """
    folder, found = RunFolder(run), snapshots_of(run, finished=False)
    if last is not None and not folder.done.exists():
        come = max(ends(folder), default=0)
        if come < last:
            raise UserError(f"--to {last}: {run} has come to {come} images; train it on first")
    return {
        path: value
        for path, value in found.items()
        if first <= int(path.stem) and (last is None or int(path.stem) <= last)
    }


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one run, and what draws their images.

    Attributes:
        run: its folder.
        hashes: checksums, as of `snapshots_of`.
        device: of the networks.
    """

    run: RunFolder
    hashes: dict[Path, str]
    device: torch.device

    @cached_property
    def classes(self) -> int:
        """Classes that the generators take, 0 for none.

        Raises:
            UserError: no snapshot is there, or the last of them is damaged.
        """
        # The last one stays where others are removed, by another job perhaps.
        path = next((path for path in reversed(self.hashes) if path.exists()), None)
        if path is None:
            raise UserError(f"{self.run.snapshots}: no snapshot of the run is left; {self._mend}")
        return parse_architecture(read_metadata(path).get("architecture"), path).label_dim

    @property
    def _mend(self) -> str:
        return f"delete {self.run.path} and train the run again"

    def curve(self, evaluator: Evaluator, path: Path, n: int) -> Piece:
        """A snapshot on the curves' noise; the file of it is the run's."""
        target = self.run.measured_path(int(path.stem))
        return self._piece(target, evaluator, path, n, 0, role="curve", selection="")

    def final(self, evaluator: Evaluator, path: Path, n: int, draw: int, selection: str) -> Piece:
        """A fresh draw of a selected snapshot; the file of it goes with the workspace."""
        target = evaluator.workspace.folder / f"final-{selection}-{draw}.json"
        return self._piece(target, evaluator, path, n, draw, role="final", selection=selection)

    def _piece(
        self, target: Path, evaluator: Evaluator, path: Path, n: int, draw: int, **fields: str
    ) -> Piece:
        labels = evaluator.labels(LabelRule(self.classes, evaluator.counts))
        asked = evaluator.asked(self.hashes[path], n, draw, labels)

        def make() -> list[Record]:
            self._check(path, piece)
            network, found = load_network_of(path, KEYS, evaluator.shape, self.device)
            about = {**origin(found, path), **fields, "nfe": 1}
            sampler = sample_generator(network, draw, found["sigma_init"], evaluator.counts)
            return evaluator.sampled(sampler, n, about, draw=draw, seed=draw)

        piece = Piece(target, asked, evaluator.passes(n), make)
        return piece

    def _check(self, path: Path, piece: Piece) -> None:
        """See that a snapshot is there, and is that of the training."""
        if path.exists() and sha256(path) == self.hashes[path]:
            return
        if not path.exists() and piece.path.exists():
            raise UserError(
                f"{path}: was removed, and {piece.path} holds what was measured with another "
                f"{', '.join(piece.unlike())}; ask as it was asked, or {self._mend}"
            )
        raise UserError(f"{path}: missing or changed since it was trained; {self._mend}")


def evaluate_snapshots(
    evaluator: Evaluator,
    run: Path,
    first: int = 0,
    last: int | None = None,
    *,
    n_curve: int = 5000,
    device: torch.device,
) -> list[Record]:
    """Some snapshots of a run, which may be in training, on the fixed noise of curves.

    Each is in the run's folder `measured` as soon as it is measured, and is not measured again.

    Args:
        evaluator: the curve's implementations and the reference; its progress is advanced by
            `evaluator.passes(n_curve)` for each of `part_of`.
        run: its folder.
        first: images of the first snapshot.
        last: images of the last one; None for all that there are.
        n_curve: images per snapshot.
        device: of the networks.

    Raises:
        UserError: the run is damaged, has not come to `last`, or its images have another shape.
    """
    of = Snapshots(RunFolder(run), snapshots_of(run, finished=False), device)
    pieces = [of.curve(evaluator, path, n_curve) for path in part_of(run, first, last)]
    return joined(deal(pieces, evaluator.workspace.folder, evaluator.progress))


def evaluate_run(
    evaluator: Evaluator,
    run: Path,
    *,
    curve: Evaluator | None = None,
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
        curve: what measures the snapshots; by the first implementation if not given.
        n_curve: images per snapshot.
        n_final: images per draw of the two selected snapshots.
        draws: how many.
        device: of the networks.

    Raises:
        UserError: the run is unfinished or damaged, or its images have another shape.
    """
    curve = curve or evaluator.by([evaluator.implementations[0].name])
    of = Snapshots(RunFolder(run), snapshots_of(run), device)
    dealt = partial(deal, locks=evaluator.workspace.folder, progress=evaluator.progress)
    paths, numbers = list(of.hashes), range(1, draws + 1)

    def finals(path: Path, selection: str) -> list[Piece]:
        return [of.final(evaluator, path, n_final, draw, selection) for draw in numbers]

    # Of the last it is known beforehand which it is: nobody waits for the curve to draw it.
    found = dealt([*(of.curve(curve, path, n_curve) for path in paths), *finals(paths[-1], "last")])
    points, last = found[: len(paths)], found[len(paths) :]
    best = paths[int(np.argmin([distance_of(point) for point in points]))]
    if best == paths[-1]:
        chosen = [[r.model_copy(update={"selection": "best"}) for r in part] for part in last]
    else:
        chosen = dealt(finals(best, "best"))
    return joined(points) + joined(
        [part for both in zip(last, chosen, strict=True) for part in both]
    )


def joined(parts: Sequence[Sequence[Record]]) -> list[Record]:
    """All records, in their order."""
    return [record for part in parts for record in part]


def run_passes(
    evaluator: Evaluator, curve: Evaluator, run: Path, *, n_curve: int, n_final: int, draws: int
) -> int:
    """Progress that `evaluate_run` is worth, at most."""
    snapshots = len(snapshots_of(run)) * curve.passes(n_curve)
    return snapshots + 2 * draws * evaluator.passes(n_final)
