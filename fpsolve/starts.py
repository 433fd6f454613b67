"""What one starts from beside functions and masses: a point, a Gaussian, and what is asked of values that may start."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid

__all__ = ["Gaussian", "Integrated", "OnGrid", "Point"]

Array = NDArray[np.float64]
ROUNDING = 1e-12  # of the largest entry: what a covariance may lack in symmetry


@dataclass(frozen=True, eq=False, init=False, repr=False)
class Point:
    """All mass at one point.

    coordinates: one number per axis, in grid order.  Raises InvalidInput where one is not finite.

    >>> Point(-1.0)
    Point(-1)
    """

    coordinates: tuple[float, ...]

    def __init__(self, *coordinates: float) -> None:
        object.__setattr__(self, "coordinates", tuple(_finite("coordinates", coordinates).tolist()))

    def inside(self, grid: Grid) -> Array:
        """The coordinates, shape (d,).  Raises InvalidInput where they are not on the grid."""
        if len(self.coordinates) != grid.ndim:
            raise InvalidInput(f"{self} has {len(self.coordinates)} coordinates; the grid's axes are {grid.names}")
        for name, axis, x in zip(grid.names, grid.axes, self.coordinates, strict=True):
            if not axis.lo <= x <= axis.hi:
                raise InvalidInput(
                    f"{self} lies outside the grid: {name} runs from {axis.lo:g} to {axis.hi:g}; "
                    "start inside, or widen the grid"
                )
        return np.array(self.coordinates)

    def __repr__(self) -> str:
        return f"Point({', '.join(f'{x:g}' for x in self.coordinates)})"


@dataclass(frozen=True, eq=False, repr=False)
class Gaussian:
    """p = exp(-(x - mean) cov^-1 (x - mean)/2)/sqrt(det(2 pi cov)); on a periodic axis the sum over its images.

    mean: one number per axis (a number in one dimension).
    std: one deviation per axis, or one for all; or instead cov: the covariance, shape (d, d), in one dimension the
    variance.  Either way .covariance has it.  Raises InvalidInput unless it is finite, symmetric, positive definite.

    >>> Gaussian(-1, 0.1)
    Gaussian(mean -1, std 0.1)
    >>> Gaussian((0, 1), cov=[[1.0, 0.4], [0.4, 0.5]])
    Gaussian(mean (0, 1), std (1, 0.707107), correlated)
    """

    mean: float | Sequence[float]
    std: float | Sequence[float] | None = None
    cov: ArrayLike | None = None
    covariance: Array = field(init=False)

    def __post_init__(self) -> None:
        center = _finite("mean", np.atleast_1d(np.asarray(self.mean, dtype=float)))
        if (self.std is None) == (self.cov is None):
            raise InvalidInput(f"a Gaussian got std={self.std} and cov={self.cov}; give one of the two")
        if self.cov is not None:
            covariance = np.atleast_2d(np.array(self.cov, dtype=float))
        else:
            std = np.atleast_1d(np.asarray(self.std, dtype=float))
            if std.shape not in ((1,), center.shape) or not np.all(np.isfinite(std) & (std > 0)):
                raise InvalidInput(f"std is {self.std}; give one positive, finite deviation per axis, or one for all")
            covariance = np.diag(np.broadcast_to(std**2, center.shape))
        _check_covariance(covariance, center.size)
        for name, given in (("mean", self.mean), ("std", self.std)):  # lists would not stay as they are
            object.__setattr__(self, name, given if given is None or np.ndim(given) == 0 else tuple(np.ravel(given)))
        object.__setattr__(self, "cov", None if self.cov is None else read_only(covariance))
        object.__setattr__(self, "covariance", read_only(covariance))

    @property
    def center(self) -> Array:
        """The mean, shape (d,)."""
        return np.atleast_1d(np.asarray(self.mean, dtype=float))

    @cached_property
    def factor(self) -> Array:
        """The lower triangular root of the covariance: x = mean + factor @ normals."""
        return read_only(np.asarray(np.linalg.cholesky(self.covariance), dtype=float))

    def density(self, *x: Array) -> Array:
        """p(x), from one flat array per axis, on an infinite domain."""
        shifts = np.stack(x) - self.center[:, None]
        scaled = np.linalg.solve(self.factor, shifts)
        log_scale = np.log(np.diag(self.factor)).sum() + 0.5 * len(x) * np.log(2.0 * np.pi)
        return np.exp(-0.5 * (scaled**2).sum(axis=0) - log_scale)

    def check_dimension(self, grid: Grid) -> None:
        """Raises InvalidInput where the grid has another number of axes."""
        if self.center.size != grid.ndim:
            raise InvalidInput(f"{self} has {self.center.size} coordinates; the grid's axes are {grid.names}")

    def __repr__(self) -> str:
        spread = f"std {_listed(np.sqrt(np.diag(self.covariance)))}"
        tilted = np.count_nonzero(self.covariance) > self.center.size
        return f"Gaussian(mean {_listed(self.center)}, {spread}{', correlated' if tilted else ''})"


@runtime_checkable
class OnGrid(Protocol):
    """What is asked of a Density given as a start."""

    @property
    def grid(self) -> Grid: ...
    @property
    def masses(self) -> Array: ...
    @property
    def mass(self) -> float: ...
    def sample(self, n: int, seed: int) -> Array: ...
    @property
    def curve(self) -> Callable[..., Any]: ...


@runtime_checkable
class Integrated(Protocol):
    """A start that integrates its own density over cells, where the midpoint rule would not do."""

    def masses_on(self, grid: Grid) -> Array: ...


def _check_covariance(covariance: Array, d: int) -> None:
    if covariance.shape != (d, d) or not np.all(np.isfinite(covariance)):
        raise InvalidInput(f"cov has shape {covariance.shape} for {d} coordinates; give a finite ({d}, {d}) matrix")
    skew = float(np.abs(covariance - covariance.T).max())
    lowest = float(np.linalg.eigvalsh(covariance)[0])
    if skew > ROUNDING * np.abs(covariance).max() or lowest <= 0:
        raise InvalidInput(
            f"cov is not a covariance: entries differ by {skew:.3g} across the diagonal, smallest eigenvalue "
            f"{lowest:.3g}; it must be symmetric and positive definite (for no spread at all use Point)"
        )


def _finite(label: str, numbers: Any) -> Array:
    values = np.array(numbers, dtype=float)
    if values.ndim != 1 or values.size == 0 or not np.all(np.isfinite(values)):
        raise InvalidInput(f"{label} is {numbers}; give one finite number per axis")
    return values


def _listed(numbers: Array) -> str:
    shown = ", ".join(f"{x:g}" for x in numbers)
    return shown if len(numbers) == 1 else f"({shown})"
