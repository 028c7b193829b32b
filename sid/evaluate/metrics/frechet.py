"""The Frechet distance of two Gaussians (Dowson & Landau 1982; Heusel et al. 2017, eq. 6).

d^2 = |m - r|^2 + tr C + tr R - 2 tr (R^1/2 C R^1/2)^1/2. With R = F F^T and C = G G^T the last
trace is the sum of the singular values of F^T G: no square root of a matrix is taken. The factors
come from a pivoted Cholesky decomposition, which has as many columns as the covariance has rank.
So the zeros of a singular covariance are left out, not computed: the root of a zero known to 1e-16
would be an error of 1e-8, two thousand times over.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import blas, eigvalsh, lapack, svdvals

from sid.evaluate.features.moments import Array, Gaussian

EPS = float(np.finfo(np.float64).eps)


def cholesky(covariance: Array) -> tuple[Array, NDArray[np.intp]]:
    """L and p with L L^T = covariance[p][:, p]; L has as many columns as there is numerical rank.

    Pivots below d * eps of the largest variance are rounding and end the decomposition (LAPACK's
    dpstrf; Hammarling, Higham & Lucas 2007).

    Args:
        covariance: [d, d], symmetric.

    Returns:
        L [d, rank], zero above its diagonal, and the permutation p [d].

    Raises:
        ValueError: the matrix is no covariance: not square, not finite, not symmetric or with
            negative eigenvalues.
    """
    d = len(covariance)
    if covariance.shape != (d, d) or not np.isfinite(covariance).all():
        raise ValueError("the covariance is not a square matrix of finite numbers")
    # The transpose is the same matrix, in the order of memory that LAPACK wants.
    lower, pivots, rank, _ = lapack.dpstrf(covariance.T, lower=1)
    rank, pivots = int(rank) if covariance.any() else 0, pivots - 1  # It calls zero of rank one.
    lower = np.triu(lower.T[:rank]).T
    # A product with any vector tells a decomposition from what dpstrf makes of another matrix.
    probe = np.cos(np.arange(d) ** 2)
    off = (covariance @ probe)[pivots] - lower @ (lower.T @ probe[pivots])
    if np.abs(off).max(initial=0) > 1e-6 * np.abs(covariance).max(initial=0):
        raise ValueError("the covariance is not symmetric with eigenvalues of at least zero")
    return lower, pivots


def rank(gaussian: Gaussian) -> int:
    """The numerical rank of the covariance: at most N - 1, less where features are dependent."""
    return int(cholesky(gaussian.covariance)[0].shape[1])


def nuclear_norm(matrix: Array) -> float:
    """The sum of the singular values of a matrix [r, s] in Fortran's order."""
    if not matrix.size:
        return 0.0
    # The eigenvalues of the smaller Gram matrix take a quarter of the time, but those below about
    # 1e-16 of the largest are lost, which are singular values below 1e-8.
    gram = blas.dsyrk(1.0, matrix, trans=int(matrix.shape[0] > matrix.shape[1]), lower=1)
    values = eigvalsh(gram, driver="evr", overwrite_a=True, check_finite=False)
    if values[0] < 16 * EPS * values[-1]:
        return float(svdvals(matrix, check_finite=False).sum())
    return float(np.sqrt(values).sum())


class FrechetReference:
    """A reference, factored once for any number of comparisons.

    Args:
        gaussian: moments of the reference features.

    Attributes:
        rank: of its covariance.

    Raises:
        ValueError: what should be the covariance is none.
    """

    def __init__(self, gaussian: Gaussian) -> None:
        self.gaussian = gaussian
        lower, pivots = cholesky(gaussian.covariance)
        self._factor = np.empty(lower.shape)
        self._factor[pivots] = lower
        self.rank = lower.shape[1]

    def distance(self, other: Gaussian) -> float:
        """The (squared) Frechet distance of `other` from the reference, float64.

        Of equal Gaussians it is zero up to rounding, about 1e-15 of the traces, on either side.

        Raises:
            ValueError: another number of features; what should be the covariance is none.
        """
        if other.mean.shape != self.gaussian.mean.shape:
            raise ValueError(
                f"{len(other.mean)} features, but the reference has {len(self.gaussian.mean)}"
            )
        shift = other.mean - self.gaussian.mean
        traces = np.trace(other.covariance) + np.trace(self.gaussian.covariance)
        lower, pivots = cholesky(other.covariance)
        product = self._factor[pivots].T
        if lower.shape[0] == lower.shape[1]:  # A triangle takes half the multiplications.
            product = blas.dtrmm(1.0, lower, product, side=1, lower=1, overwrite_b=1)
        else:
            product = np.asfortranarray(product @ lower)
        return float(shift @ shift + traces - 2 * nuclear_norm(product))
