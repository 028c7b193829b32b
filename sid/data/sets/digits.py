"""The 1,797 handwritten digits of scikit-learn (Alpaydin & Kaynak 1998), 8x8, 17 grey levels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sid.data.zips import write_zip
from sid.options import Out


def digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images [1797, 1, 8, 8] uint8, levels 0 .. 16 spread over 0 .. 255, and labels [1797]."""
    from sklearn.datasets import load_digits  # Seconds to import, and only needed here.

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / 16)).astype(np.uint8)
    return images[:, None], bunch.target.astype(np.int64)


def command(out: Out = Path("results/data/digits.zip")) -> None:
    """The 1,797 handwritten digits of scikit-learn, 8x8.

    Example: sid data digits --out results/data/digits.zip
    """
    print(f"{out}: {write_zip(out, *digits())}")
