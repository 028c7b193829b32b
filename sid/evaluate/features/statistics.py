"""Reference statistics: mean and covariance of features in an npz, EDM's, pytorch-fid's or ours."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from sid.data.arrays import DAMAGED, listed, npz_keys
from sid.errors import UserError, printable, reason
from sid.evaluate.features.moments import Array, Gaussian
from sid.files import sha256, write_atomic

# What the published statistics are of, which do not name it: the 2015 Inception's last pooling.
INCEPTION, INCEPTION_WIDTH = "inception-2015", 2048
ROUNDING = 1e-6  # Relative; of covariances that went through float32.
TEXTS = ("extractor", "extractor_sha256", "divisor", "data_sha256", "resolution", "preprocessing")


@dataclass(frozen=True)
class Statistics:
    """Moments of the features of real images.

    Attributes:
        name: of the data set.
        gaussian: the moments.
        count: of the images; None where the file does not say.
        sha256: of the file, or of the images where they were computed here; empty at first.
        extractor: of the features; it and what follows are empty where the file does not say.
        extractor_sha256: of its weights.
        divisor: of the covariance, `N-1` or `N`.
        data_sha256: of the images.
        resolution: of the images, `CxHxW`.
        preprocessing: of the images, before the extractor.
    """

    name: str
    gaussian: Gaussian
    count: int | None
    sha256: str = ""
    extractor: str = ""
    extractor_sha256: str = ""
    divisor: str = ""
    data_sha256: str = ""
    resolution: str = ""
    preprocessing: str = ""

    def check(self, width: int, extractor: str, extractor_sha256: str) -> None:
        """See that they are of the extractor's features.

        Raises:
            UserError: they are not, or do not name their extractor and cannot be the published ones
                of the 2015 Inception.
        """
        mend = "give the images instead, or the statistics of this extractor"
        found = len(self.gaussian.mean)
        if found != width:
            raise UserError(
                f"{self.name}: statistics of {found} features, but {extractor} has {width}; {mend}"
            )
        if not self.extractor:
            if (extractor, width) != (INCEPTION, INCEPTION_WIDTH):
                raise UserError(
                    f"{self.name}: statistics that do not name their extractor are taken for those "
                    f"of {INCEPTION} ({INCEPTION_WIDTH} features), not of {extractor}; {mend}"
                )
        elif self.extractor != extractor:
            raise UserError(
                f"{self.name}: statistics of {self.extractor}, not of {extractor}; {mend}"
            )
        elif self.extractor_sha256 != extractor_sha256:
            raise UserError(
                f"{self.name}: statistics of {extractor} with other weights (sha256 "
                f"{self.extractor_sha256[:12]}, not {extractor_sha256[:12]}); {mend}"
            )


def write_statistics(path: Path, statistics: Statistics) -> None:
    """Write them, atomically, the same statistics to the same bytes; other tools can read them.

    Args:
        path: the npz: `mu` [d] and `sigma` [d, d] in float64, `n` and texts, nothing pickled.
        statistics: what is written, all but `sha256`.
    """
    about = {key: np.array(getattr(statistics, key)) for key in ("name", *TEXTS)}
    if statistics.count is not None:
        about["n"] = np.array(statistics.count)
    gaussian = statistics.gaussian

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            moments = {"mu": gaussian.mean, "sigma": gaussian.covariance}
            np.savez(file, allow_pickle=False, **moments, **about)

    write_atomic(path, write)


def read_statistics(path: Path) -> Statistics:
    """Read `mu` and `sigma`, and what else `write_statistics` has left there.

    Raises:
        UserError: the file is missing, damaged or holds something else; the numbers are no mean and
            covariance: of other shapes, not finite, not symmetric, or with negative eigenvalues.
    """
    try:
        keys = npz_keys(path)
        if not {"mu", "sigma"} <= keys.keys():
            raise UserError(f"{path}: holds {listed(keys)}; wanted `mu` and `sigma`")
        with path.open("rb") as file:
            return _read(path, file, keys)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({reason(error)})") from error
    # Of the zip, of NumPy, which refuses pickles with a ValueError, of a count.
    except (*DAMAGED, RuntimeError, ValueError, TypeError, ArithmeticError) as error:
        why = " ".join(str(error).split())
        raise UserError(f"{path}: damaged, or no statistics ({why}); make it again") from error


def _read(path: Path, file: IO[bytes], keys: Collection[str]) -> Statistics:
    with np.load(file, allow_pickle=False) as arrays:
        gaussian = _gaussian(path, arrays["mu"], arrays["sigma"])
        count = int(arrays["n"]) if "n" in keys else None
        if count is not None and (count < 1 or count != arrays["n"]):
            raise ValueError(f"n is {arrays['n']}, not a number of images")
        texts = {key: str(arrays[key]) for key in TEXTS if key in keys}
        name = str(arrays["name"]) if "name" in keys else path.stem
    return Statistics(printable(name), gaussian, count, sha256(path), **texts)


def _gaussian(path: Path, mean: Array, covariance: Array) -> Gaussian:
    for key, array in (("mu", mean), ("sigma", covariance)):
        if not isinstance(array, np.ndarray):  # NumPy gives the bytes of what is none.
            raise UserError(f"{path}: {key} is no array; make the statistics again")
        if not np.issubdtype(array.dtype, np.floating):
            raise UserError(f"{path}: {key} holds {array.dtype}, not float64")
        if not np.isfinite(array).all():
            raise UserError(f"{path}: {key} holds NaN or infinity; make the statistics again")
    if mean.ndim != 1 or not len(mean) or covariance.shape != 2 * mean.shape:
        raise UserError(
            f"{path}: mu is {mean.shape} and sigma {covariance.shape}; wanted (d,) and (d, d)"
        )
    mean, covariance = mean.astype(np.float64), covariance.astype(np.float64)
    if np.abs(covariance - covariance.T).max() > ROUNDING * np.abs(covariance).max():
        raise UserError(f"{path}: sigma is not symmetric, so it is no covariance")
    if not _semidefinite(covariance):
        raise UserError(f"{path}: sigma has negative eigenvalues, so it is no covariance")
    return Gaussian(mean, covariance)


def _semidefinite(covariance: Array) -> bool:
    """Whether no eigenvalue is below -1e-6 of their sum.

    Cholesky's factor exists where none is below zero, and costs a tenth of the eigenvalues.
    """
    total = float(np.trace(covariance))
    if total <= 0:
        return not covariance.any()
    try:
        np.linalg.cholesky(covariance + ROUNDING * total * np.eye(len(covariance)))
    except np.linalg.LinAlgError:
        return False
    return True
