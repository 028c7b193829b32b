"""Samples of every method along its iterations, all from one fixed noise."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

from sid.errors import UserError
from sid.evaluate.samplers import sample_generator, sample_teacher
from sid.files import write_atomic
from sid.networks import EDMPrecond, load_network
from sid.report.labels import SIZE, width_of
from sid.report.naming import start, title, titles
from sid.report.style import DPI, INK, MUTED, style
from sid.verdict.entries import Subject

Image = NDArray[np.uint8]

ROWS, COLUMNS = 2, 5  # Latents of one cell: the same ten everywhere.
NOISE = 0  # Seed of the fixed noise.
CELLS = 6  # Snapshots shown of a run.
LADDER = 4  # Numbers of steps that the teacher is shown at, each about half of the next.
SAMPLE_WIDTH = 36  # Pixels at least.
BETWEEN, GAP, NAME, CAPTION, MARGIN = 3, 20, 158, 24, 14  # Pixels; NAME at least.
TITLE = 7.5  # Points.


class Cell(NamedTuple):
    """Ten samples in one image, [H, W, 3], and what stands above them."""

    image: Image
    caption: str


class Strip(NamedTuple):
    """One method: its name and its cells from left to right."""

    name: str
    cells: list[Cell]


def choose(images: list[int], count: int = CELLS) -> list[int]:
    """At most `count` of a run's snapshots: the first, the last, others even in log images.

    Args:
        images: images seen at each snapshot, rising.
        count: how many, >= 2.
    """
    if len(images) <= count:
        return images
    logs = np.log1p(images)
    inner = np.linspace(np.log1p(images[1]), logs[-1], count - 1)
    # Nearest snapshots; one that is nearest twice leaves a place for the next still free.
    chosen = {0}
    for target in inner:
        free = [index for index in range(len(images)) if index not in chosen]
        chosen.add(min(free, key=lambda index: abs(float(logs[index]) - float(target))))
    return [images[index] for index in sorted(chosen)]


def tile(samples: Image) -> Image:
    """Ten samples, uint8 [10, C, H, W], as one image [H', W', 3], enlarged by whole pixels."""
    colours = samples.repeat(3, axis=1) if samples.shape[1] == 1 else samples
    factor = max(1, -(-SAMPLE_WIDTH // samples.shape[3]))
    large = colours.repeat(factor, axis=2).repeat(factor, axis=3)
    # White between samples, or the strokes of neighbours run into each other.
    edges = ((0, 0), (0, 0), (0, BETWEEN), (0, BETWEEN))
    framed = np.pad(large, edges, constant_values=255).transpose(0, 2, 3, 1)
    rows = [
        np.concatenate(list(row), axis=1)
        for row in framed.reshape(ROWS, COLUMNS, *framed.shape[1:])
    ]
    tiled: Image = np.concatenate(rows)[:-BETWEEN, :-BETWEEN]
    return tiled


def snapshots(run: Path) -> dict[int, Path]:
    """A run's snapshots by images seen, rising."""
    found = {int(path.stem): path for path in (run / "snapshots").glob("*.safetensors")}
    return dict(sorted(found.items()))


def nearest(run: Path, images: int) -> tuple[int, EDMPrecond, dict[str, Any]]:
    """The snapshot nearest to a number of images that is there, with what its file says of it.

    While a run is in training, its evaluation may remove one that was there a moment ago.

    Raises:
        UserError: none is there, or it is damaged.
    """
    while paths := snapshots(run):
        near = min(paths, key=lambda one: abs(one - images))
        try:
            return near, *load_network(paths[near], torch.device("cpu"))
        except (FileNotFoundError, UserError):
            if paths[near].exists():
                raise
    raise UserError(f"{run}: holds no snapshots; train it first")


def _kimg(images: int) -> str:
    return "undistilled" if images == 0 else f"{images / 1000:.3g} kimg"


def ladder(nfe: int) -> list[int]:
    """Steps of the teacher up to those of so many evaluations, two a step but the last.

    Args:
        nfe: evaluations, such as 35, which gives 3, 5, 9 and 18 steps.
    """
    steps = (nfe + 1) // 2
    return sorted({max(1, -(-steps // 2**power)) for power in range(LADDER)})


def strips(
    runs: Path, teacher: Path | None, subjects: Mapping[str, Subject], nfe: int
) -> list[Strip]:
    """Cells of every method's first seed that has snapshots, then the teacher's.

    Args:
        runs: folder of `<recipe>/seed<k>/snapshots/<images>.safetensors`.
        teacher: the teacher's snapshot; none leaves its row out.
        subjects: of the claims, that name recipes and have their order.
        nfe: the teacher's evaluations.

    Raises:
        UserError: a file is damaged, or there is no snapshot at all.
    """
    n = ROWS * COLUMNS
    found = []
    for recipe, name in titles(subjects, (path.name for path in runs.glob("*/"))).items():
        # Only `seed0`, `seed1` ...: a run that was set aside has a longer name.
        folders = sorted(p for p in (runs / recipe).glob("seed*") if p.name[4:].isdigit())
        run = next((folder for folder in folders if snapshots(folder)), None)
        if run is None:
            continue
        cells, begun, shown = [], start(subjects, recipe), set[int]()
        for wanted in choose(list(snapshots(run))):
            images, network, metadata = nearest(run, wanted)
            if images in shown:
                continue
            shown.add(images)
            samples = sample_generator(network, NOISE, float(metadata["sigma_init"])).first(n)
            caption = _kimg(images)
            if begun:
                first = title(subjects, begun)
                caption = f"{first} + {images / 1000:.3g} kimg" if images else first
            cells.append(Cell(tile(samples), caption))
        found.append(Strip(name, cells))
    if not found:
        raise UserError(f"{runs}: has no <recipe>/seed<k>/snapshots/<images>.safetensors")
    if teacher is None:
        return found
    network, _ = load_network(teacher, torch.device("cpu"))
    cells = [
        Cell(tile(sample_teacher(network, NOISE, steps).first(n)), f"{2 * steps - 1} evaluations")
        for steps in ladder(nfe)
    ]
    return [*found, Strip("Teacher", cells)]


def write_grid(strips: list[Strip], path: Path) -> None:
    """Write one PNG: a row a method, its snapshots from left to right, whole pixels throughout.

    Args:
        strips: rows; all cells of one size.
        path: the PNG.
    """
    height, width, _ = strips[0].cells[0].image.shape
    columns = max(len(strip.cells) for strip in strips)
    step = CAPTION + height + GAP
    longest = max(width_of(strip.name) for strip in strips) * TITLE / SIZE * DPI / 72
    names = max(NAME, MARGIN + math.ceil(longest) + GAP)
    full = (names + columns * (width + GAP) + MARGIN, len(strips) * step + MARGIN)
    with style():
        figure = Figure(figsize=(full[0] / DPI, full[1] / DPI), dpi=DPI)
        for row, strip in enumerate(strips):
            top = full[1] - MARGIN // 2 - row * step
            middle = top - CAPTION - height / 2
            place = (MARGIN / full[0], middle / full[1])
            figure.text(*place, strip.name, va="center", fontsize=TITLE, weight="bold", color=INK)
            for column, cell in enumerate(strip.cells):
                left = names + column * (width + GAP)
                # Placed by pixels, without resampling.
                figure.figimage(cell.image, left, top - CAPTION - height, origin="upper")
                place = (left / full[0], (top - CAPTION + 5) / full[1])
                figure.text(*place, cell.caption, va="bottom", fontsize=6, color=MUTED)
        write_atomic(path, lambda temporary: figure.savefig(temporary, format="png", dpi=DPI))
