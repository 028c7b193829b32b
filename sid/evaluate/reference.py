"""What is compared with: real images, or the moments of their features."""

from pathlib import Path

from sid.data.arrays import listed, npz_keys
from sid.data.images import ImageSet
from sid.data.sources import read_images
from sid.errors import UserError, reason
from sid.evaluate.features.statistics import Statistics, read_statistics


def read_reference(path: Path) -> ImageSet | Statistics:
    """Real images, or their statistics where an npz holds `mu` and `sigma`.

    OpenAI's references hold both; the statistics are of the whole data set and are taken.

    Raises:
        UserError: see `read_images` and `read_statistics`.
    """
    if path.suffix.lower() == ".npz" and path.is_file():
        try:
            keys = npz_keys(path)
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({reason(error)})") from error
        if {"mu", "sigma"} <= keys.keys():
            return read_statistics(path)
        if "arr_0" not in keys:
            raise UserError(
                f"{path}: holds {listed(keys)}; wanted `arr_0` (images) or `mu` and `sigma`"
            )
    return read_images(path)


def count_of(reference: ImageSet | Statistics, path: Path) -> int:
    """How many images a reference has, as the number to draw.

    Raises:
        UserError: its moments do not tell.
    """
    count = len(reference) if isinstance(reference, ImageSet) else reference.count
    if count is None:
        raise UserError(f"{path}: does not say of how many images it is; give --n")
    return count


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
