"""The classes that images are drawn of, by either rule of the official code.

`sid_generate.py` draws each class as often as any other. `sid_metrics.py`, which made the published
values, takes the class of a random item of the data set. Where all classes are equally frequent, as
in CIFAR-10, both are one law, and it is drawn in one way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sid.data.arrays import DAMAGED, listed, npz_keys
from sid.data.images import CLASSES, check_classes
from sid.data.zips import read_zip
from sid.errors import UserError, reason
from sid.streams import Stream

Counts = tuple[int, ...]  # Items of each class of a data set.
# Published data sets whose classes are equally frequent, which is so known without their labels.
EQUAL: Mapping[str, Counts] = {"cifar10-32x32": (5_000,) * 10}


@dataclass(frozen=True)
class LabelRule:
    """How often each class is drawn.

    Attributes:
        classes: K; 0 where a network takes none.
        counts: items of each class in the data set; empty for the uniform rule.
    """

    classes: int
    counts: Counts = ()

    def __post_init__(self) -> None:
        if self.counts and self.classes and len(self.counts) != self.classes:
            raise UserError(
                f"--frequencies: of {len(self.counts)} classes, but the network takes "
                f"{self.classes}; give those of its own data set"
            )

    @property
    def text(self) -> str:
        """What the records say of it; empty without classes."""
        if not self.classes:
            return ""
        if self.counts and not self._equal:
            return f"data set's frequencies of {self.classes} classes"
        same = ", the data set's frequencies" if self.counts else ""
        return f"uniform over {self.classes} classes{same}"

    @property
    def _equal(self) -> bool:
        return len(set(self.counts)) <= 1

    def draw(self, stream: Stream, start: int, stop: int) -> Tensor:
        """Classes of samples `start` to `stop`, int64 [stop - start]."""
        if self._equal:
            return stream.integers(start, stop, self.classes)
        ends = torch.tensor(self.counts).cumsum(0)  # Items sorted by class: where each class ends.
        items = stream.integers(start, stop, int(ends[-1]))
        return torch.searchsorted(ends, items, right=True)


def read_counts(path: Path) -> Counts:
    """How many items of each class a data set has.

    Args:
        path: a zip in EDM's layout, or an npz with the labels of all items, int [N], under
            `labels`.

    Raises:
        UserError: the file is missing, damaged or without labels, or a class has no item.
    """
    if path.suffix.lower() == ".zip":
        labels = read_zip(path).labels
        if labels is None:
            raise UserError(f"{path}: has no labels; give the data set of a conditional network")
    else:
        labels = _labels_in_npz(path)
    check_classes(labels, path)
    return tuple(np.bincount(labels).tolist())


def _labels_in_npz(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    try:
        keys = npz_keys(path)
        if "labels" not in keys:
            raise UserError(f"{path}: holds {listed(keys)}; wanted `labels`, int [N]")
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            labels = np.asarray(arrays["labels"])
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason(error)})") from error
    except (*DAMAGED, ValueError) as error:
        raise UserError(f"{path}: damaged ({error}); make it again") from error
    if labels.ndim != 1 or not len(labels) or not np.issubdtype(labels.dtype, np.integer):
        raise UserError(f"{path}: `labels` is {labels.dtype} {labels.shape}; wanted int [N]")
    if labels.min() < 0 or labels.max() >= CLASSES:
        raise UserError(f"{path}: `labels` holds {labels.min()} to {labels.max()}, no classes")
    return labels.astype(np.int64)
