"""The kernel of stable jumps on an axis: rates between cells far apart, and what the nearest ones need in addition.

    C w_i w_j |x_i - x_j|^(-1-alpha),   C = Gamma(1 + alpha) sin(pi alpha/2)/pi,   all i != j,
    -C zeta(alpha - 1) (w_i w_(i+1))^((2-alpha)/2)/(x_(i+1) - x_i)   between neighbours in addition,
the first a punctured midpoint rule, the second what it misses at the singularity: a conductance, positive for every
alpha in (0, 2), which becomes the plain Laplacian as alpha -> 2.  Together they are of order 4 - alpha.
The kernel is applied as a matrix (few cells), by FFT (uniform axes) or as a sum of exponentials of distances.
Source: Huang & Oberman, SIAM J. Numer. Anal. 52, 3056 (2014); Lischke et al., J. Comput. Phys. 404, 109009 (2020).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.exponentials import sum_of_exponentials
from fpsolve.kernels.exponentials import apply_exponentials
from fpsolve.memory import require
from fpsolve.operators.jump_terms import MOST_DENSE, refuse_dense

__all__ = ["Exponentials", "Kernel", "constant_of", "kernel_of", "local_conductance", "riemann_zeta"]

Array = NDArray[np.float64]
FEW = 400  # cells up to which the kernel is a matrix
KERNEL_ERROR = 1e-10  # of a rate, relative: far below what the midpoint rule misses


def constant_of(alpha: float) -> float:
    """C: the density of jumps of unit scale is C |r|^(-1-alpha)."""
    return math.gamma(1.0 + alpha) * math.sin(0.5 * math.pi * alpha) / math.pi


def local_conductance(alpha: float, axis: Axis) -> Array:
    """What neighbours get in addition to the kernel, one entry per gap of the axis."""
    w = axis.weights
    products = w * np.roll(w, -1)
    return _local(alpha) * products[: axis.gaps.size] ** (0.5 * (2.0 - alpha)) / axis.gaps


def conductance_to_end(alpha: float, axis: Axis, upper: bool, distance: float) -> float:
    """The same from the last node to an absorbing face at `distance`."""
    return _local(alpha) * float(axis.weights[-1 if upper else 0]) ** (2.0 - alpha) / distance


def _local(alpha: float) -> float:
    return -constant_of(alpha) * riemann_zeta(alpha - 1.0)


def riemann_zeta(s: float, first: int = 12) -> float:
    """zeta(s) for -1 <= s < 1 and beyond, by Euler-Maclaurin from `first` on."""
    total = sum(n**-s for n in range(1, first))
    total += first ** (1.0 - s) / (s - 1.0) + 0.5 * first**-s
    rising = s * first ** (-s - 1.0)
    for k, bernoulli in enumerate((1 / 12, -1 / 720, 1 / 30240, -1 / 1209600, 1 / 47900160)):
        total += bernoulli * rising
        rising *= (s + 2 * k + 1) * (s + 2 * k + 2) / first**2
    return total


class Kernel(Protocol):
    """The far part, without its diagonal, with unit scale: symmetric."""

    def apply(self, v: Array) -> Array:
        """sum_(j != i) C w_i w_j k(x_i - x_j) v_j."""

    def matrix(self) -> Array:
        """The same as a matrix, from the closed form of the kernel."""

    def neighbours(self) -> Array:
        """Its entries between neighbours, one per gap."""


def kernel_of(alpha: float, axis: Axis) -> Kernel:
    """The kernel on an axis, in the form that suits its cells."""
    if axis.cells <= FEW:
        return Pairs(alpha, axis)
    if axis.kind == "uniform":
        return Toeplitz(alpha, axis)
    if not axis.periodic:
        return Exponentials(alpha, axis)
    if axis.cells > MOST_DENSE:
        raise InvalidInput(
            f"a periodic axis of {axis.cells} cells that are not equal: jumps that wrap join every pair of them, which "
            f"is done up to {MOST_DENSE} cells; use a uniform axis"
        )
    return Pairs(alpha, axis)


@dataclass(frozen=True, eq=False)
class Pairs:
    """Every pair of cells."""

    alpha: float
    axis: Axis

    @cached_property
    def _matrix(self) -> Array:
        return _pairs(self.alpha, self.axis)

    def apply(self, v: Array) -> Array:
        """The kernel on v."""
        return self._matrix @ v

    def matrix(self) -> Array:
        """The matrix itself."""
        return self._matrix

    def neighbours(self) -> Array:
        """Entries between neighbours."""
        return _neighbours(self.alpha, self.axis)


@dataclass(frozen=True, eq=False)
class Toeplitz:
    """Equal cells: a convolution."""

    alpha: float
    axis: Axis

    @cached_property
    def _transform(self) -> tuple[Array, int]:
        from scipy.fft import next_fast_len, rfft

        n = self.axis.cells
        distances = np.arange(float(n)) * self.axis.ds
        row = constant_of(self.alpha) * self.axis.ds**2 * _powers(self.alpha, distances, _period(self.axis))
        if self.axis.periodic:
            return np.asarray(rfft(row)), n
        size = next_fast_len(2 * n - 1, real=True)
        return np.asarray(rfft(np.concatenate([row, np.zeros(size - 2 * n + 1), row[:0:-1]]))), size

    def apply(self, v: Array) -> Array:
        """The kernel on v, by FFT."""
        from scipy.fft import irfft, rfft

        transform, size = self._transform
        answer: Array = irfft(transform * rfft(v, size), size)[: v.size]
        return answer

    def matrix(self) -> Array:
        """Every pair of cells."""
        return _pairs(self.alpha, self.axis)

    def neighbours(self) -> Array:
        """Entries between neighbours."""
        return _neighbours(self.alpha, self.axis)


@dataclass(frozen=True, eq=False)
class Exponentials:
    """A sum of exponentials of distances, on any axis that is not periodic: a uniform one is solved in this form."""

    alpha: float
    axis: Axis

    @cached_property
    def terms(self) -> tuple[Array, Array]:
        """(weights, exp(-rates gaps)) with r^(-1-alpha) = sum weights exp(-rates r); the second (cells, terms)."""
        gaps = self.axis.gaps
        rates, weights = sum_of_exponentials(1.0 + self.alpha, float(gaps.min()), float(gaps.sum()), KERNEL_ERROR)
        require(8.0 * self.axis.cells * rates.size, f"the exponentials of {self.axis.cells} cells", "use fewer cells")
        decay = np.zeros((self.axis.cells, rates.size))
        np.exp(-np.multiply.outer(gaps, rates), out=decay[:-1])
        return weights, decay

    def apply(self, v: Array) -> Array:
        """The kernel on v, in two sweeps."""
        w, y = self.axis.weights, np.empty(v.size)
        apply_exponentials(*self.terms, w * v, y)
        return constant_of(self.alpha) * w * y

    def matrix(self) -> Array:
        """Every pair of cells."""
        return _pairs(self.alpha, self.axis)

    def neighbours(self) -> Array:
        """Entries between neighbours."""
        return _neighbours(self.alpha, self.axis)


def _period(axis: Axis) -> float | None:
    return axis.hi - axis.lo if axis.periodic else None


def _neighbours(alpha: float, axis: Axis) -> Array:
    """C w_i w_(i+1) k(x_(i+1) - x_i), one per gap; on a ring without the further laps, which only add."""
    products = axis.weights * np.roll(axis.weights, -1)
    return constant_of(alpha) * products[: axis.gaps.size] * axis.gaps ** (-1.0 - alpha)


def _pairs(alpha: float, axis: Axis) -> Array:
    """C w_i w_j k(x_i - x_j), zero on the diagonal."""
    refuse_dense(axis.cells)
    n = axis.cells
    if axis.kind == "uniform":
        first = _powers(alpha, np.arange(float(n)) * axis.ds, _period(axis))
        powers = first[np.abs(np.subtract.outer(np.arange(n), np.arange(n)))]
    else:
        powers = _powers(alpha, _distances(axis), _period(axis))
    return constant_of(alpha) * np.multiply.outer(axis.weights, axis.weights) * powers


def _distances(axis: Axis) -> Array:
    """|x_i - x_j| as sums of gaps: differences of coordinates would cancel."""
    n, gaps = axis.cells, axis.gaps
    found = np.zeros((n, n))
    for i in range(1, n):
        found[i, :i] = np.cumsum(gaps[i - 1 :: -1] if i > 1 else gaps[:1])[::-1]
    return found + found.T


def _powers(alpha: float, distances: Array, period: float | None) -> Array:
    """r^(-1-alpha), on a ring summed over all laps; 0 at r = 0."""
    if period is None:
        with np.errstate(divide="ignore"):
            return np.where(distances > 0, distances ** (-1.0 - alpha), 0.0)
    from scipy.special import zeta

    share = np.where(distances > 0, distances, 0.5 * period) / period
    laps = (zeta(1.0 + alpha, share) + zeta(1.0 + alpha, 1.0 - share)) * period ** (-1.0 - alpha)
    return np.where(distances > 0, laps, 0.0)
