"""The Frechet distance of two Gaussians (Dowson & Landau 1982; Heusel et al. 2017, eq. 6).

d^2 = |m - r|^2 + tr C + tr R - 2 tr (R^1/2 C R^1/2)^1/2, with r, R of the reference. The last
matrix is symmetric, so its eigenvalues are enough: no square root of a product, which is neither
symmetric nor safe when the product is singular.
"""

import numpy as np

from sid.evaluate.moments import Array, Gaussian


class FrechetReference:
    """A reference, with R = F F^T factored once for any number of comparisons.

    Args:
        gaussian: moments of the reference features.
    """

    def __init__(self, gaussian: Gaussian) -> None:
        self.gaussian = gaussian
        values, vectors = np.linalg.eigh(gaussian.covariance)
        # Rounding makes the zeros of a singular covariance slightly negative.
        self._factor: Array = vectors * np.sqrt(values.clip(min=0))

    def distance(self, other: Gaussian) -> float:
        """The (squared) Frechet distance of `other` from the reference, float64.

        F^T C F has the eigenvalues of R^1/2 C R^1/2, as F = R^1/2 V with V orthogonal.
        """
        shift = other.mean - self.gaussian.mean
        values = np.linalg.eigvalsh(self._factor.T @ other.covariance @ self._factor)
        overlap = np.sqrt(values.clip(min=0)).sum()
        traces = np.trace(other.covariance) + np.trace(self.gaussian.covariance)
        return float(shift @ shift + traces - 2 * overlap)
