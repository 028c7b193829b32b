"""What is compared with: images, or the moments of their features."""

from pathlib import Path

from sid.data.images import ImageSet
from sid.errors import UserError
from sid.evaluate.statistics import Statistics


def check_shapes(gen: ImageSet, ref: ImageSet) -> None:
    """Refuse images of another size, or grey ones with RGB: an extractor would see the resizing.

    Raises:
        UserError: the shapes differ.
    """
    if gen.shape[1:] != ref.shape[1:]:
        raise UserError(
            f"{gen.name}: images are {gen.shape[1:]} (C, H, W), but those of {ref.name} are "
            f"{ref.shape[1:]}; bring them to one shape first"
        )


def check_counts(
    gen: Path, n: int, ref: Path, reference: ImageSet | Statistics, *, allow_unequal: bool
) -> None:
    """Refuse sets of different sizes, and sets too small to have a covariance.

    Distances are biased by 1/n on both sides, and precision and recall depend on n altogether.

    Raises:
        UserError: fewer than 2 images, or unequal numbers that were not allowed.
    """
    count = len(reference) if isinstance(reference, ImageSet) else reference.count
    for path, number in ((gen, n), (ref, count)):
        if number is not None and number < 2:
            raise UserError(f"{path}: {number} image, and a covariance needs at least 2")
    if count is not None and n != count and not allow_unequal:
        raise UserError(
            f"{gen}: {n} images, but {ref} has {count}: values at different n do not compare; "
            "take as many of both, or add --allow-unequal-n"
        )
