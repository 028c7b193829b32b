"""The classes of images: do drawn ones occur as often as real ones, do sets come sorted by them?"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc

from sid.data.images import ImageSet
from sid.data.rows import Rows
from sid.evaluate.features.moments import CHUNK
from sid.evaluate.features.statistics import Statistics
from sid.evaluate.labels import EQUAL, Counts, LabelRule

# Total variation between the shares of classes from which on a warning is worth it; ImageNet's
# classes differ from uniform ones by 0.02.
DIFFERENT = 0.1
PARTS = 10
CHANCE = 1e-6  # That images in random order are called sorted.


def class_mismatch(rule: LabelRule, reference: ImageSet | Statistics) -> str:
    """How the classes drawn differ from those of the real images; empty where they do not.

    Args:
        rule: how they are drawn.
        reference: the real images; without labels, as of moments, nothing is known.
    """
    classes = rule.classes
    if not classes or not isinstance(reference, ImageSet) or reference.labels is None:
        return ""
    counts = np.bincount(reference.labels, minlength=classes)
    absent = int((counts[:classes] == 0).sum())
    if absent:
        return f"{reference.name} has no images of {absent} of these"
    drawn = np.zeros(len(counts))
    drawn[:classes] = np.array(rule.counts) / sum(rule.counts) if rule.counts else 1 / classes
    apart = float(np.abs(counts / counts.sum() - drawn).sum()) / 2
    return f"{apart:.0%} of {reference.name} would need another class" if apart > DIFFERENT else ""


def equal_counts(rule: LabelRule, reference: ImageSet | Statistics) -> Counts:
    """Images of each class of the reference, where all have as many; empty where not, or not known.

    Args:
        rule: how the classes are drawn.
        reference: the real images, or their moments, which tell by the name of the data set.
    """
    if not isinstance(reference, ImageSet) or reference.labels is None:
        counts = EQUAL.get(reference.name, ())
    else:
        counts = tuple(np.bincount(reference.labels, minlength=rule.classes).tolist())
    return counts if len(counts) == rule.classes and len(set(counts)) == 1 else ()


def sorted_by_class(logits: NDArray[np.floating] | Rows) -> bool:
    """Whether contiguous tenths differ in their predicted classes by more than chance.

    Pearson's chi-square test of tenth against class. Classes that alternate differ by less than
    chance, and are no fault.

    Args:
        logits: [N, K] of the images in their order; a chunk at a time is read into memory.
    """
    n = len(logits)
    if not n or not logits.shape[1]:
        return False
    chunks = [logits[start : start + CHUNK].argmax(axis=1) for start in range(0, n, CHUNK)]
    classes = np.unique(np.concatenate(chunks), return_inverse=True)[1]
    counts = np.zeros((PARTS, classes.max() + 1))
    np.add.at(counts, (np.arange(n) * PARTS // n, classes), 1)
    counts = counts[counts.any(axis=1)]
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)) / n
    freedom = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return freedom > 0 and float(chdtrc(freedom, statistic)) < CHANCE
