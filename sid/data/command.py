"""`sid data`: make data sets."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from sid.data.digits import digits
from sid.data.fashion import URL, fashion_mnist
from sid.data.prepare import DataSet, prepare
from sid.data.transforms import Transform
from sid.data.zips import write_zip
from sid.errors import warn
from sid.options import Out, Quiet

app = typer.Typer(no_args_is_help=True, help="Make data sets in EDM's zip layout.")


class Split(StrEnum):
    """Which part of Fashion-MNIST."""

    train = "train"
    test = "test"


@app.command("digits")
def digits_command(out: Out = Path("results/data/digits.zip")) -> None:
    """The 1,797 handwritten digits of scikit-learn, 8x8.

    Example: sid data digits --out results/data/digits.zip
    """
    _write(out, *digits())


@app.command("fashion-mnist")
def fashion_mnist_command(
    out: Out = Path("results/data/fashion-mnist.zip"),
    source: Annotated[str, typer.Option(help="Folder of the IDX files, or a URL.")] = URL,
    split: Annotated[Split, typer.Option(help="60,000 or 10,000 images.")] = Split.train,
    size: Annotated[int, typer.Option(help="Height and width.", min=8, max=28)] = 28,
) -> None:
    """Fashion-MNIST, 28x28 or smaller.

    Example: sid data fashion-mnist --size 16 --out results/data/fashion-mnist-16.zip
    """
    _write(out, *fashion_mnist(source, split.value, size))


@app.command("prepare")
def prepare_command(
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


def _write(out: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    print(f"{out}: {write_zip(out, images, labels)}")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="data")
