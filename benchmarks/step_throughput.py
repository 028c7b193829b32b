"""Images per second of SiD's and SiDA's updates: ours, and the official code's beside it.

    python -m benchmarks.step_throughput --official-sid SID --official-edm EDM
    python -m benchmarks.step_throughput --size cifar10 --precision fp32 --precision tf32

SID is a checkout of mingyuanzhou/SiD on its branch sida (on main it has SiD alone), EDM one of
NVlabs/edm. One update of the fake score and one of the generator, Adam and average, are a step.
Rounds of both sides take turns, because other work on the machine changes its speed.
"""

import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, get_args

import numpy as np
import torch
import typer

from benchmarks.official import Official
from sid.data.images import ImageSet
from sid.distill.distillation import Distillation
from sid.distill.recipe import Recipe
from sid.errors import UserError
from sid.networks import Architecture, EDMPrecond
from sid.options import Device, Threads, set_up_device
from sid.provenance import describe
from sid.runs.precision import Precision
from sid.runs.world import World

SIZES: dict[str, dict[str, Any]] = {
    "tiny": {"img_resolution": 8, "model_channels": 8, "channel_mult": (1,), "num_blocks": 1},
    "small": {"img_resolution": 16, "model_channels": 32, "channel_mult": (1, 2), "num_blocks": 2},
    "cifar10": {"img_resolution": 32, "model_channels": 128, "channel_mult": (2, 2, 2)},
}
METHODS = {
    "sid": {"name": "sid", "alpha": 1.2},
    "sida": {"name": "sida", "alpha": 1.0, "generator_from_kimg": 0, "adversarial_from_kimg": 0},
}
IMAGES = 512


def network(size: str) -> EDMPrecond:
    """A teacher without classes and with random weights, DDPM++."""
    torch.manual_seed(0)
    return Architecture(img_channels=3, augment_dim=9, **SIZES[size]).build()


def data(size: str) -> ImageSet:
    """Images of noise."""
    side = SIZES[size]["img_resolution"]
    images = np.random.default_rng(0).integers(0, 256, (IMAGES, 3, side, side)).astype(np.uint8)
    return ImageSet("noise", images, None, "")


def recipe(method: str, batch: int, micro: int, augment: float, precision: str) -> Recipe:
    """CIFAR-10's in the papers, with that batch."""
    return Recipe(
        name=method,
        data="noise",
        teacher="noise",
        method=METHODS[method],
        batch=batch,
        micro_batch=micro,
        kimg=1e6,
        lr_generator=1e-5,
        lr_fake=1e-5,
        ema_kimg=500,
        dropout=0.13,
        augment=augment,
        precision=precision,
    )


def throughput(
    steps: dict[str, Callable[[int], object]], batch: int, rounds: int, count: int
) -> dict[str, np.ndarray]:
    """Images per second of each side, [rounds], after one step that does not count."""
    speeds: dict[str, list[float]] = {name: [] for name in steps}
    for step in steps.values():
        step(0)
    for turn in range(rounds):
        order = list(steps) if turn % 2 else list(steps)[::-1]
        for name in order:
            begin = clock()
            for k in range(count):
                steps[name]((turn * count + k + 1) * batch)
            speeds[name].append(count * batch / (clock() - begin))
    return {name: np.array(found) for name, found in speeds.items()}


def clock() -> float:
    """Seconds, when the device is done with what it was given.

    Of one thread alone, those that it computed: other work on the machine does not count.
    """
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def spread(values: np.ndarray) -> str:
    """Median and quartiles."""
    low, middle, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{middle:.4g} ({low:.4g} to {high:.4g})"


def check(option: str, given: list[str], known: Iterable[str]) -> None:
    """Refuse what is not known.

    Raises:
        UserError: naming the option and what is known.
    """
    for value in given:
        if value not in known:
            raise UserError(f"{option} {value}: unknown; known are {', '.join(known)}")


def main(
    official_sid: Annotated[Path | None, typer.Option(help="Checkout of SiD, branch sida.")] = None,
    official_edm: Annotated[Path | None, typer.Option(help="Checkout of EDM.")] = None,
    size: Annotated[str, typer.Option(help="tiny, small or cifar10 (the full network).")] = "small",
    batch: Annotated[int, typer.Option(help="Images per update.")] = 16,
    micro: Annotated[int | None, typer.Option(help="Images per forward pass.")] = None,
    rounds: Annotated[int, typer.Option(help="Rounds of each side.")] = 10,
    steps: Annotated[int, typer.Option(help="Steps per round.")] = 2,
    precision: Annotated[
        list[str] | None, typer.Option(help="Ours alone, on a GPU, in this; may be repeated.")
    ] = None,
    device: Device = "auto",
    threads: Threads = 1,
) -> None:
    """Print images per second of both sides, medians and quartiles over rounds, and their ratio."""
    where, micro = set_up_device(device, threads), micro or batch
    check("--size", [size], SIZES)
    check("--precision", precision or [], get_args(Precision))
    if batch % micro:
        raise UserError(f"--batch {batch}: is no multiple of --micro {micro}")
    about, teacher, images = describe(where), network(size), data(size)
    print(
        f"{about['device']}, {threads} thread(s), torch {about['torch']}, commit {about['git']}\n"
        f"{size} network, batch {batch} in micro-batches of {micro}, {rounds} rounds of {steps}; "
        "median (quartiles) in images per second"
    )
    if precision and where.type != "cuda":
        print("no GPU: the precisions are not measured")
        return
    if not official_sid:
        print("no --official-sid: ours alone")
    for method in METHODS:
        rival_at = None if precision else official_sid
        if rival_at and method == "sida" and not (rival_at / "sida_training").is_dir():
            print(f"{rival_at}: is not of the branch sida; ours alone")
            rival_at = None
        for name in precision or ["fp32"]:
            for augment in (0.0, 0.12):
                made = recipe(method, batch, micro, augment, name)
                ours = Distillation(made, teacher, None, images, 0, where, World())
                sides: dict[str, Callable[[int], object]] = {"ours": ours.step}
                if rival_at:
                    tensor = torch.from_numpy(np.asarray(images.images))
                    rival = Official(made, teacher, tensor, where, rival_at, official_edm)
                    sides["official"] = rival.step
                if where.type == "cuda":
                    torch.cuda.reset_peak_memory_stats()
                found = throughput(sides, batch, rounds, steps)
                parts = [f"{side} {spread(speeds)}" for side, speeds in found.items()]
                if "official" in found:
                    parts.append(f"ratio {spread(found['ours'] / found['official'])}")
                if precision:
                    parts.append(f"peak {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")
                print(f"{method:4} {name} augment {augment:<4g}", *parts, sep="  ", flush=True)


if __name__ == "__main__":
    try:
        typer.run(main)
    except UserError as error:
        sys.exit(f"error: {error}")
