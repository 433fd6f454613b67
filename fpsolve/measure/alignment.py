"""The shape of the noise, and how it lies to the curvature of the loss.

    effective rank (tr S)^2/tr S^2;     cosine tr(S H)/(|S| |H|);     commutator |S H - H S|/(|S| |H|)     (Frobenius)

Near a minimum constant noise leaves no current if and only if the commutator vanishes.  An estimated covariance never
commutes exactly: `commutator_floor` is what its noise alone makes of it.  A covariance from n draws spreads its
eigenvalues by about sqrt(d/n) of their size each way, which no error bar here holds: give n >> d.
Source: Kwon, Ao & Thouless, PNAS 102, 13029 (2005); Zhu, Wu, Yu, Wu & Ma, arXiv 1803.00195 (alignment of SGD's noise).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.measure.covariance import NoiseCovariance
from fpsolve.measure.inputs import ROUNDING, symmetric
from fpsolve.measure.resampling import jackknife_error

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Alignment", "Anisotropy", "alignment", "anisotropy"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Anisotropy:
    """The eigenvalues of a covariance and what they say of its shape.

    eigenvalues, eigenvalue_error: (d,), largest first.  directions: (d, d), a column each.
    condition, condition_error: largest over smallest, inf without full rank (then the error is nan).
    effective_rank, effective_rank_error: between 1 and d.  n: as of the covariance; 0 for a matrix.

    >>> found = anisotropy([[2.0, 0.0], [0.0, 1.0]])
    >>> found.eigenvalues, found.condition
    (array([2., 1.]), 2.0)
    """

    eigenvalues: Array
    eigenvalue_error: Array
    directions: Array
    condition: float
    condition_error: float
    effective_rank: float
    effective_rank_error: float
    n: int

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the eigenvalues with their errors, largest first (log=False: on a linear axis).  Returns the Axes."""
        from fpsolve.plot_measure import eigenvalues

        return eigenvalues(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        return (
            f"Anisotropy({self.eigenvalues.size} eigenvalues from {self.eigenvalues[0]:.4g} down to "
            f"{self.eigenvalues[-1]:.4g}, condition {self.condition:.4g} +- {self.condition_error:.2g}, "
            f"effective rank {self.effective_rank:.4g} +- {self.effective_rank_error:.2g})"
        )


@dataclass(frozen=True, eq=False, repr=False)
class Alignment:
    """How a covariance lies to a Hessian.

    cosine, cosine_error: 1 where they are proportional.  isotropic: the cosine that noise alike in all directions has.
    commutator, commutator_error, commutator_floor: 0 where they share eigenvectors, its standard error, and the value
        that the noise of the estimate alone gives to it.
    curvatures: (d,), the Hessian's eigenvalues, largest first; variances, variance_error: of the noise along each.
    n: as of the covariance; 0 for a matrix.

    >>> found = alignment(np.diag([1.0, 4.0]), np.diag([1.0, 3.0]))
    >>> found.curvatures, found.variances, round(found.cosine, 3)
    (array([3., 1.]), array([4., 1.]), 0.997)
    """

    cosine: float
    cosine_error: float
    isotropic: float
    commutator: float
    commutator_error: float
    commutator_floor: float
    curvatures: Array
    variances: Array
    variance_error: Array
    n: int

    @property
    def commutes(self) -> bool:
        """Whether the commutator is within what the noise of the estimate (or rounding) makes of it."""
        return self.commutator <= max(2.0 * self.commutator_floor, ROUNDING)

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Draw the noise's variance along the Hessian's eigenvectors against their curvature.  Returns the Axes.

        log: None for logarithmic axes where both are positive.
        """
        from fpsolve.plot_measure import variance_against_curvature

        return variance_against_curvature(self, ax, label=label, log=log)

    def __repr__(self) -> str:
        verdict = "they commute" if self.commutes else "they do not commute"
        return (
            f"Alignment(cosine {self.cosine:.4g} +- {self.cosine_error:.2g} (isotropic noise {self.isotropic:.4g}), "
            f"commutator {self.commutator:.3g} +- {self.commutator_error:.2g}, floor {self.commutator_floor:.2g}: "
            f"{verdict})"
        )


def anisotropy(covariance: NoiseCovariance | ArrayLike) -> Anisotropy:
    """Eigenvalues, condition and effective rank of a covariance.

        effective rank = (sum l)^2/sum l^2

    covariance: a NoiseCovariance (then with standard errors), or a symmetric matrix (d, d), taken as exact.

    Returns an Anisotropy.  Raises InvalidInput for a matrix that is not symmetric, has a negative eigenvalue, or is 0.
    Source: the head of this module.

    >>> anisotropy(np.diag([4.0, 1.0]))
    Anisotropy(2 eigenvalues from 4 down to 1, condition 4 +- 0, effective rank 1.471 +- 0)
    """
    s, left_out, n = _matrix(covariance)
    sizes, frame = np.linalg.eigh(s)
    others = np.asarray(np.linalg.eigvalsh(left_out), dtype=float)
    error = jackknife_error(others)
    full = sizes[0] > ROUNDING * sizes[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        condition = float(sizes[-1] / sizes[0]) if full else np.inf
        condition_error = float(jackknife_error(others[:, -1] / others[:, 0])) if full else np.nan
    return Anisotropy(
        read_only(sizes[::-1].copy()),
        read_only(error[::-1].copy()),
        read_only(frame[:, ::-1].copy()),
        condition,
        condition_error,
        float(_effective_rank(np.asarray(sizes, dtype=float))),
        float(jackknife_error(_effective_rank(others))),
        n,
    )


def alignment(covariance: NoiseCovariance | ArrayLike, hessian: ArrayLike) -> Alignment:
    """How the noise lies to the curvature: cosine, commutator, and the variance along each eigenvector.

        cosine = tr(S H)/(|S| |H|),     commutator = |S H - H S|/(|S| |H|)

    covariance: a NoiseCovariance (then with standard errors), or a symmetric matrix (d, d), taken as exact.
    hessian: symmetric, (d, d), of the mean loss.

    Returns an Alignment.  Raises InvalidInput for matrices that are not symmetric, are 0, or differ in size, and
    for a covariance with a negative eigenvalue.
    Source: the head of this module.

    >>> alignment([[1.0, 0.0], [0.0, 4.0]], np.diag([1.0, 3.0])).commutes
    True
    >>> alignment([[1.0, 1.0], [1.0, 1.0]], np.diag([1.0, 3.0]))
    Alignment(cosine 0.6325 +- 0 (isotropic noise 0.8944), commutator 0.447 +- 0, floor 0: they do not commute)
    """
    s, left_out, n = _matrix(covariance)
    h = symmetric("hessian", hessian, len(s))
    size = float(np.linalg.norm(h))
    if size == 0.0:
        raise InvalidInput("hessian is 0: flat directions align with nothing; give the Hessian at a curved point")
    scale = np.linalg.norm(s)
    curls = (left_out @ h - h @ left_out) / (scale * size)
    curvatures, frame = np.linalg.eigh(h)
    return Alignment(
        cosine=float(np.sum(s * h) / (scale * size)),
        cosine_error=float(jackknife_error(np.sum(left_out * h, axis=(1, 2)) / (_norm(left_out) * size))),
        isotropic=float(np.trace(h) / (np.sqrt(len(h)) * size)),
        commutator=float(np.linalg.norm(s @ h - h @ s) / (scale * size)),
        commutator_error=float(jackknife_error(_norm(left_out @ h - h @ left_out) / (_norm(left_out) * size))),
        commutator_floor=float(np.sqrt(np.sum(jackknife_error(curls) ** 2))),
        curvatures=read_only(curvatures[::-1].copy()),
        variances=read_only(_along(s, frame)[::-1].copy()),
        variance_error=read_only(jackknife_error(_along(left_out, frame))[::-1].copy()),
        n=n,
    )


def _matrix(covariance: NoiseCovariance | ArrayLike) -> tuple[Array, Array, int]:
    """The matrix, the estimates of it that leave groups out (itself where it is exact), and n."""
    if isinstance(covariance, NoiseCovariance):
        s, n = covariance.value, covariance.n
        left_out = s[None] if covariance.left_out is None else covariance.left_out
    else:
        s, n = symmetric("covariance", covariance), 0
        left_out = s[None]
    if not s.any():
        raise InvalidInput("the covariance is 0: noise that is not there has no shape; measure it where there is some")
    sizes = np.linalg.eigvalsh(s)
    if sizes[0] < -ROUNDING * sizes[-1]:
        raise InvalidInput(f"the covariance has the negative eigenvalue {sizes[0]:.6g}; check its signs")
    return s, left_out, n


def _effective_rank(sizes: Array) -> Array:
    return np.asarray(sizes.sum(axis=-1) ** 2 / np.sum(sizes**2, axis=-1))


def _norm(matrices: Array) -> Array:
    return np.asarray(np.linalg.norm(matrices, axis=(-2, -1)))


def _along(matrices: Array, frame: Array) -> Array:
    """v' S v for every column v of the frame."""
    return np.asarray(np.einsum("...ij,ik,jk->...k", matrices, frame, frame))
