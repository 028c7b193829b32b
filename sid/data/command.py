"""`sid data`: make data sets."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from sid.data.digits import digits
from sid.data.fashion import URL, fashion_mnist
from sid.data.zips import write_zip
from sid.options import Out

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


def _write(out: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    write_zip(out, images, labels)
    n, channels, height, width = images.shape
    print(f"{out}: {n} images, {channels}x{height}x{width}, {labels.max() + 1} classes")


def register(cli: typer.Typer) -> None:
    """Put this stage on the command line."""
    cli.add_typer(app, name="data")
