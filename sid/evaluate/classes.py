"""Of which classes images are drawn, and whether the real images have them as often."""

import numpy as np

from sid.data.images import ImageSet
from sid.evaluate.statistics import Statistics

APART = (
    0.1  # Shares of classes that differ by more are told; ImageNet's differ from uniform by 0.02.
)


def unlike(classes: int, reference: ImageSet | Statistics) -> str:
    """How classes drawn uniformly differ from those of the real images; empty where they do not.

    Args:
        classes: how many are drawn from.
        reference: the real images; without labels, as of moments, nothing is known.
    """
    if not classes or not isinstance(reference, ImageSet) or reference.labels is None:
        return ""
    counts = np.bincount(reference.labels, minlength=classes)
    absent = int((counts[:classes] == 0).sum())
    if absent:
        return f"{reference.name} has no images of {absent} of these"
    uniform = np.where(np.arange(len(counts)) < classes, 1 / classes, 0)
    apart = float(np.abs(counts / counts.sum() - uniform).sum()) / 2
    return f"{apart:.0%} of {reference.name} would need another class" if apart > APART else ""
