"""The published data sets from their original files, as EDM's README prescribes."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from sid.data.conversion import Conversion, Transform, parse_size
from sid.data.folders import Folder
from sid.data.images import Picture
from sid.data.sets.cifar10 import SHA256, cifar10
from sid.data.zips import Written, write_images
from sid.errors import UserError, warn
from sid.files import sha256
from sid.options import Out, Quiet
from sid.progress import Progress


class DataSet(StrEnum):
    """What can be prepared."""

    CIFAR10 = "cifar10"
    IMAGENET64 = "imagenet64"
    FFHQ64 = "ffhq64"
    AFHQV2_64 = "afhqv2-64"
    FOLDER = "folder"


class Published(NamedTuple):
    """A published data set: its crop, numbers of images and of classes (None: without meaning)."""

    transform: Transform
    images: int
    classes: int | None = None


# From the README of NVlabs/edm (008a4e5), "Preparing datasets". Its AFHQ-v2 is the whole archive,
# train and test; its ImageNet is not cropped as EDM2's is, which is `center-crop-dhariwal`.
PUBLISHED_SETS = {
    DataSet.CIFAR10: Published(Transform.NONE, 50_000, 10),
    DataSet.IMAGENET64: Published(Transform.CENTER_CROP, 1_281_167, 1000),
    DataSet.FFHQ64: Published(Transform.NONE, 70_000),
    DataSet.AFHQV2_64: Published(Transform.NONE, 15_803),
}


def command(
    dataset: Annotated[DataSet, typer.Argument(help="Which data set, or `folder`: your own.")],
    source: Annotated[Path, typer.Argument(help="CIFAR-10's archive, or a folder of images.")],
    out: Out,
    resolution: Annotated[
        str | None, typer.Option(help="WxH, say 64x64; for `folder`.", metavar="WxH")
    ] = None,
    transform: Annotated[
        Transform | None, typer.Option(help="How to crop and resize; for `folder`.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """The published data sets, cropped and resized as EDM's authors did, and your own images.

    SOURCE is cifar-10-python.tar.gz, ImageNet's folder of 1,000 class folders, FFHQ's
    images1024x1024, the folder of AFHQ-v2 (train and test), or any folder of images. docs/data.md
    says where to get them.

    Example: sid data prepare cifar10 cifar-10-python.tar.gz --out cifar10-32x32.zip
    """
    written, warnings = prepare(dataset, source, out, resolution, transform, quiet=quiet)
    for warning in warnings:
        warn(warning)
    print(f"{out}: {written}")


def prepare(
    dataset: DataSet,
    source: Path,
    out: Path,
    resolution: str | None = None,
    transform: Transform | None = None,
    *,
    quiet: bool = False,
) -> tuple[Written, list[str]]:
    """Write a data set in EDM's layout, one image at a time; the same input gives the same bytes.

    Args:
        dataset: which one.
        source: CIFAR-10's archive, or a folder.
        out: the zip.
        resolution: `WxH`, for `folder` only; without it images keep their size.
        transform: for `folder` only.
        quiet: no progress.

    Returns:
        What was written, and what the user should know about it.

    Raises:
        UserError: the source is missing, damaged, or holds an image that cannot be taken.
    """
    published = PUBLISHED_SETS.get(dataset)
    if published and (resolution or transform):
        raise UserError(
            f"--resolution and --transform: {dataset} has its own; drop them, or use `folder`"
        )
    if dataset is DataSet.CIFAR10:
        written = _write(out, cifar10(source), 50_000, dataset, quiet)
        warnings = []
        if sha256(source) != SHA256:
            warnings = [f"{source}: not the published archive (its SHA-256 differs)"]
    else:
        crop = published.transform if published else transform or Transform.NONE
        size = (64, 64) if published else parse_size(resolution, crop)
        folder = Folder(source)
        conversion = Conversion(folder, crop, size)
        written = _write(out, iter(conversion), len(folder), dataset, quiet)
        warnings = conversion.warnings()
    if published:
        expected = (published.images, published.classes or written.classes)
        if expected != (written.images, written.classes):
            warnings.append(
                f"{out}: holds {written}, but the published {dataset} has {expected[0]} images"
                + (f" in {published.classes} classes" if published.classes else "")
            )
    return written, warnings


def _write(out: Path, pictures: Iterator[Picture], total: int, title: str, quiet: bool) -> Written:
    with Progress(title, total, quiet=quiet) as progress:

        def counted() -> Iterator[Picture]:
            for picture in pictures:
                yield picture
                progress.advance(1)

        return write_images(out, counted())
