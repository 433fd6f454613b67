"""Gaussian laws in one to three dimensions: logarithm, value, gradient, and a grid that carries them to rounding."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.models.matrices import inverse

__all__ = ["NAMES", "GaussianLaw"]

Array = NDArray[np.float64]
NAMES = ("x", "y", "z")
CELLS = {1: 400, 2: 128, 3: 48}
CELL_PER_WIDTH = 0.7  # of the narrowest section's deviation: the midpoint rule is then exact to rounding


@dataclass(frozen=True, eq=False)
class GaussianLaw:
    """p = exp(-(x - mean) S^-1 (x - mean)/2)/sqrt(det(2 pi S)), S the covariance; mean (d,), S (d, d).

    >>> law = GaussianLaw(np.zeros(2), np.array([[1.0, 0.6], [0.6, 1.0]]))
    >>> round(float(law.log(0.0, 0.0)), 9), law.grid().shape
    (-1.614733515, (128, 128))
    """

    mean: Array
    covariance: Array

    @cached_property
    def precision(self) -> Array:
        """S^-1.  Raises InvalidInput where S has no full rank: there is no density."""
        return inverse(self.covariance)

    @cached_property
    def root(self) -> Array:
        """Cholesky's factor R of S = R R'."""
        assert self.precision is not None  # refuses what has no full rank
        return np.asarray(np.linalg.cholesky(self.covariance))

    def log(self, *x: ArrayLike) -> Array:
        """ln p, one argument per axis."""
        shifts = self.shifts(*x)
        log_scale = np.log(np.diag(self.root)).sum() + 0.5 * len(shifts) * np.log(2.0 * np.pi)
        return np.asarray(-0.5 * np.einsum("i...,ij,j...->...", shifts, self.precision, shifts) - log_scale)

    def gradient(self, *x: ArrayLike) -> Array:
        """grad p, shape (d, ...)."""
        return -np.einsum("ij,j...->i...", self.precision, self.shifts(*x)) * np.exp(self.log(*x))

    def shifts(self, *x: ArrayLike) -> Array:
        """x - mean, shape (d, ...)."""
        d = self.mean.size
        if len(x) != d:
            raise InvalidInput(f"got {len(x)} coordinates; this law has {', '.join(NAMES[:d])}")
        parts = np.broadcast_arrays(*(np.asarray(c, dtype=float) for c in x))
        return np.stack([part - m for part, m in zip(parts, self.mean, strict=True)])

    def grid(self, cells: int | tuple[int, ...] | None = None, deviations: float = 7.0) -> Grid:
        """Uniform axes x, y, z, `deviations` either way, as fine as the narrowest section asks for unless told."""
        if not (np.isfinite(deviations) and deviations > 0):
            raise InvalidInput(f"deviations is {deviations}; give a positive, finite number")
        d, reach = self.mean.size, deviations * np.sqrt(np.diag(self.covariance))
        narrow = CELL_PER_WIDTH / np.sqrt(np.diag(self.precision))
        needed = np.maximum(CELLS[d], np.ceil(2.0 * reach / narrow)).astype(int).tolist()
        counts = needed if cells is None else (list(cells) if isinstance(cells, (tuple, list)) else [cells] * d)
        if len(counts) != d:
            raise InvalidInput(f"cells is {cells}; give one number, or one for each of {', '.join(NAMES[:d])}")
        axes = [Axis.uniform(m - far, m + far, count) for m, far, count in zip(self.mean, reach, counts, strict=True)]
        return Grid(**dict(zip(NAMES, axes, strict=False)))
