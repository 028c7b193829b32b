"""The real images measured against themselves, which tells the bias of the measurement.

Neither reading is a lower bound for a generator, nor what a perfect one would read: that follows
from both (`sid.verdict.bias`).
"""

from collections.abc import Callable

import numpy as np

from sid.data.images import ImageSet, picked
from sid.evaluate.evaluator import Evaluator
from sid.evaluate.records import Record
from sid.streams import Stream

ABOUT = {"method": "real", "recipe": "real"}


def evaluate_redrawn(
    evaluator: Evaluator,
    reference: ImageSet,
    *,
    n_curve: int = 5000,
    n_final: int = 20000,
    draws: int = 3,
) -> list[Record]:
    """The reference drawn again with replacement, n times, against all of it.

    A generator that repeated these images at random would get this. One that made new images would
    get more, since the references are themselves a sample. The drawn images are among the
    reference, so the kernel distance, which takes the two sides for independent, comes out
    slightly below zero.

    Args:
        evaluator: the implementations and the reference.
        reference: the same real images.
        n_curve: images per draw, as in the curves.
        n_final: images per draw, as in the final values.
        draws: how many of each.
    """
    about = {**ABOUT, "role": "redrawn", "generated": reference.name}
    records = []
    for n in sorted({n_curve, n_final}):
        for draw in range(1, draws + 1):
            index = Stream(draw, "floor").integers(0, n, len(reference)).numpy()
            images = picked(reference, index, f"floor {n} {draw}")
            records += evaluator.given(images, about, draw=draw, seed=draw)
    return records


def evaluate_halves(
    evaluator: Callable[[ImageSet], Evaluator], reference: ImageSet, draws: int
) -> list[Record]:
    """One half of the real images against the other, `draws` times.

    Neither half holds an image of the other, so that this is what N / 2 new images of a perfect
    generator would get against N / 2 references: the noise of the measurement, and the bias that
    both sides bring.

    Args:
        evaluator: makes one for a reference.
        reference: the real images.
        draws: how many splits.
    """
    about = {**ABOUT, "role": "halves", "generated": reference.name}
    records = []
    for draw in range(1, draws + 1):
        one, other = halves(reference, draw)
        records += evaluator(other).given(one, about, draw=draw, seed=draw)
    return records


def halves(reference: ImageSet, draw: int) -> tuple[ImageSet, ImageSet]:
    """Two halves of a set, without an image in common, split at random by the draw's number."""
    order = np.argsort(Stream(draw, "halves").uniform(0, len(reference)).numpy(), kind="stable")
    half = len(order) // 2
    parts = order[:half], order[half : 2 * half]  # In random order: NVIDIA's splits ask for it.
    one, other = (picked(reference, part, f"half {draw} {k}") for k, part in enumerate(parts))
    return one, other
