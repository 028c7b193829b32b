"""The training loop: resume, step, log, snapshot, checkpoint. It knows no method by name."""

import json
import math
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

from torch import Tensor

from sid.errors import UserError
from sid.files import write_json
from sid.networks import EDMPrecond
from sid.progress import Progress
from sid.runs.folder import RunFolder, Standing
from sid.runs.legs import finish, over
from sid.runs.signals import DeferredSignals
from sid.runs.state import State, load_newest, load_state, save_state
from sid.runs.world import World

STATE_EVERY_S = 10.0
STATE_SHARE = 0.02  # Of the time goes to checkpoints at most; those of large networks take long.
LOG_EVERY_STEPS = 8


class Problem(NamedTuple):
    """Why a run should stop.

    Attributes:
        key: of the bound that was passed, in the recipe.
        reason: what was found and what the bound is.
    """

    key: str
    reason: str


class StoppedError(UserError):
    """A run was stopped for a problem; its checkpoint is written."""

    def __init__(self, path: Path, images: int, problem: Problem) -> None:
        super().__init__(
            f"{path}: stopped after {images} images, its checkpoint is kept: {problem.reason}"
        )
        self.images, self.problem = images, problem


class Training(Protocol):
    """What the loop trains.

    Attributes:
        batch: images per step.
        average: the network that snapshots hold.
        metadata: what a snapshot says of itself, beside images and iterations.
    """

    batch: int
    average: EDMPrecond
    metadata: Mapping[str, Any]

    def step(self, images: int) -> dict[str, float]:
        """Train on places images .. images + batch of the training order; numbers to log."""
        ...

    def problem(self, images: int, at_snapshot: bool) -> Problem | None:
        """Why the run should stop after `images` images, if it should."""
        ...

    def pack(self) -> dict[str, Tensor]:
        """Everything that changes in training, as named tensors."""
        ...

    def unpack(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `pack` gave."""
        ...


def train(
    folder: RunFolder,
    training: Training,
    times: Sequence[int],
    *,
    title: str,
    quiet: bool,
    world: World,
    leg: int | None = None,
) -> None:
    """Train until the end of the run or of a leg, from the newest whole checkpoint on.

    A killed and resumed run writes the same log and snapshots, byte for byte, as an undisturbed
    one: all randomness is a function of seed and image index, and the log holds no clock. A signal
    that announces the end of the job makes it write one more checkpoint before it obeys.

    Args:
        folder: of the run, locked and claimed by the caller.
        training: in its initial state.
        times: images at which snapshots are taken; the last ends the run.
        title: for the progress bar.
        quiet: print nothing.
        world: the processes of the run. The main one writes, the others take part in the steps.
        leg: images of the snapshot at which the leg ends; None for the end of the run.

    Raises:
        UserError: no checkpoint is whole, a loss is no longer finite, a snapshot is missing, or
            another process of the run is gone.
        StoppedError: the training has a problem.
        OSError: the disk is full or forbidden; the last checkpoint is whole.
    """
    if world.maximum(world.main and over(folder, times, leg)):
        return
    state = resume(folder, training, world)
    end = leg or times[-1]
    until = [*(images for images in times if images < end), end]
    if world.main:
        with DeferredSignals() as signals:
            seconds = lead(folder, training, until, state, signals, world, title=title, quiet=quiet)
        finish(folder, times, leg, Standing(end, seconds))
    else:
        with DeferredSignals() as signals:
            follow(training, state.images, end, signals, world)


def resume(folder: RunFolder, training: Training, world: World) -> State:
    """Bring the training to the newest whole checkpoint, the same in every process.

    Returns:
        Where it stands, without its tensors; at 0 images where there is no checkpoint.

    Raises:
        UserError: no checkpoint is whole, or the log is shorter than at the checkpoint.
    """
    # Files may reach other machines late or not at all: the main process decides.
    state = load_newest(folder.state) if world.main else None
    images = world.maximum(state.images if state else -1)
    if images < 0:
        return State(0, 0, 0.0, {})
    state = state or load_state(folder.state, images)
    if world.main and (not folder.log.exists() or folder.log.stat().st_size < state.log_bytes):
        raise UserError(f"{folder.log}: cut; delete {folder.path} to train the run again")
    training.unpack(state.tensors)
    state.tensors.clear()  # Else they would be held, once a process, to the end of the run.
    return state


def follow(
    training: Training, images: int, last: int, signals: DeferredSignals, world: World
) -> None:
    """Take part in the steps from `images` to `last`, and write nothing."""
    while images < last:
        training.step(images)
        images += training.batch
        if called := world.maximum(signals.level):
            world.wait()
            signals.act(called)


def lead(
    folder: RunFolder,
    training: Training,
    times: Sequence[int],
    state: State,
    signals: DeferredSignals,
    world: World,
    *,
    title: str,
    quiet: bool,
) -> float:
    """Take part in the steps, and write log, snapshots and checkpoints.

    Returns:
        Seconds of training, of this and of earlier processes.
    """
    images = state.images
    if images:
        # What stopped the run stops it again, unless its gates were changed.
        stop_for(training.problem(images, images in times), folder, images)
    folder.stopped.unlink(missing_ok=True)
    started = time.monotonic() - state.seconds
    due = time.monotonic() + STATE_EVERY_S

    def snapshot(images: int) -> None:
        counts = {"images": images, "iterations": images // training.batch}
        folder.write_snapshot(training.average, {**training.metadata, **counts}, images)

    with (
        folder.log.open("ab") as log,
        Progress(title, times[-1], done=images, quiet=quiet) as progress,
    ):
        log.truncate(state.log_bytes)
        log.seek(0, os.SEEK_END)
        if images == 0:
            snapshot(0)
        while images < times[-1]:
            numbers = training.step(images)
            images += training.batch
            called = world.maximum(signals.level)
            refuse_nonfinite(numbers, folder, images)
            if (images // training.batch) % LOG_EVERY_STEPS == 0:
                line = {"images": images, "iterations": images // training.batch, **numbers}
                log.write(json.dumps(line).encode() + b"\n")
            if images in times:
                snapshot(images)
            problem = training.problem(images, images in times)
            if problem or called or time.monotonic() > due or images == times[-1]:
                due = checkpoint(folder, training, log, images, started)
            stop_for(problem, folder, images)
            if called:
                if not quiet:
                    print(f"{title}: told to end; checkpoint at {images} images", file=sys.stderr)
                world.wait()
                signals.act(called)
            progress.advance(training.batch, **numbers)
    return time.monotonic() - started


def refuse_nonfinite(numbers: Mapping[str, float], folder: RunFolder, images: int) -> None:
    """Check the numbers of a step.

    Raises:
        UserError: one is not finite.
    """
    bad = [name for name, value in numbers.items() if not math.isfinite(value)]
    if bad:
        raise UserError(
            f"{folder.path}: {bad[0]} is not finite after {images} images; look at the recipe's "
            "learning rates and weights (checkpoints written before are kept)"
        )


def checkpoint(
    folder: RunFolder, training: Training, log: BinaryIO, images: int, started: float
) -> float:
    """Write a checkpoint, after the log up to it is on disk.

    Returns:
        When the next one is due, on the clock of `started`.
    """
    now = time.monotonic()
    log.flush()
    os.fsync(log.fileno())
    save_state(folder.state, State(images, log.tell(), now - started, training.pack()))
    after = time.monotonic()
    return after + max(STATE_EVERY_S, (after - now) / STATE_SHARE)


def stop_for(problem: Problem | None, folder: RunFolder, images: int) -> None:
    """Stop the run if there is a problem, and leave its reason in `stopped.json`.

    Raises:
        StoppedError: there is.
    """
    if problem:
        write_json(folder.stopped, {"images": images, **problem._asdict()})
        raise StoppedError(folder.path, images, problem)
