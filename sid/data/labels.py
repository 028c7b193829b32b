"""Class labels as `dataset.json` holds them: `{"labels": [["00000/img00000000.png", 6], ...]}`."""

import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sid.errors import UserError

CLASSES = 2**20  # More than any data set has; a network has weights for each.


def parse_labels(content: bytes) -> dict[str, int] | None:
    """The class of each file by its name, in any order, or None where `labels` is null.

    Raises:
        ValueError: this is not such a file, it labels a file twice, or a label is no class (a
            vector, say).
    """
    try:
        pairs = json.loads(content, object_pairs_hook=_once)["labels"]
        known = None if pairs is None else _once(pairs)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"dataset.json: not EDM's labels ({error})") from error
    for name, label in (known or {}).items():
        if type(label) is not int or not 0 <= label < CLASSES:
            raise ValueError(
                f"dataset.json: the label of {name} is {str(label)[:60]}, "
                f"not a class 0, 1, ... {CLASSES - 1}"
            )
    return known


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A dictionary of pairs; Python's own would take the last of two that differ."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name} stands there twice; leave one")
        found[name] = value
    return found


def check_classes(labels: NDArray[np.int64], source: object) -> None:
    """See that every class below the highest has an image: a network would have weights for each.

    Args:
        labels: of all images.
        source: names them in errors.

    Raises:
        UserError: a class has none.
    """
    counts = np.bincount(labels)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        raise UserError(
            f"{source}: {len(empty)} of the classes 0 to {len(counts) - 1} have no image, first "
            f"{empty[0]}; number the classes in dataset.json without gaps"
        )
