"""Starts: a Gaussian, a point, a function, a density or masses, as cell masses on a grid.

A start with density p has the mass w_i p(x_i) in cell i, the midpoint rule in the computational coordinate: exact to
rounding where p is resolved and vanishes at the ends.  Nothing is normalised unless that is asked for.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput, ResolutionWarning
from fpsolve.functions import Function, Points
from fpsolve.grid import Grid

__all__ = ["MASS_TOLERANCE", "Gaussian", "Initial", "Integrated", "OnGrid", "Point", "masses", "same_cells"]

Array = NDArray[np.float64]
MASS_TOLERANCE = 1e-6
ROUNDING = 1e-12  # of the largest value: what a computed density may be negative by
ON_A_NODE = 1e-9  # of a cell
IMAGES = 9.0  # deviations


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
    def __call__(self, *x: Array) -> Any: ...


@runtime_checkable
class Integrated(Protocol):
    """A start that integrates its own density over cells, where the midpoint rule would not do."""

    def masses_on(self, grid: Grid) -> Array: ...


Initial = Gaussian | Point | OnGrid | Integrated | Callable[..., Any] | ArrayLike


def masses(initial: Initial, grid: Grid, *, normalize: bool = False) -> Array:
    """The cell masses of a start, m_i = w_i p(x_i).

    initial: a Gaussian, a Point, a function p of the coordinates, a Density, an array of cell masses, or a start with a
        method `masses_on(grid)` of its own.
    normalize: divide by the total instead of asking that it be 1.

    Returns an array of the grid's shape.
    Raises InvalidInput where the density is negative (its minimum, and where), vanishes everywhere, or its mass is not
    1 to a millionth; and for a Point outside the grid.
    Warns ResolutionWarning where a Point lies between nodes, with the shift of the mean.

    >>> m = masses(Gaussian(-1, 0.1), Grid(x=(-3, 3, 400)))
    >>> round(float(m.sum()), 12)
    1.0
    """
    if isinstance(initial, Point):
        return _of_point(initial, grid)
    total = None
    if isinstance(initial, OnGrid) and same_cells(initial.grid, grid):
        found, total = np.array(initial.masses, dtype=float), float(initial.mass)
    elif isinstance(initial, Integrated):
        found = np.asarray(initial.masses_on(grid), dtype=float)
    elif isinstance(initial, (Gaussian, OnGrid)) or callable(initial):
        found = np.asarray(grid.weights * _values(initial, grid))
    else:
        found = _given(initial, grid)
    _check_sign(found, grid, ROUNDING if isinstance(initial, OnGrid) else 0.0)
    total = float(found.sum()) if total is None else total
    if normalize:
        return found / found.sum()
    if abs(total - 1.0) > MASS_TOLERANCE:
        raise InvalidInput(
            f"the initial mass is {total:.9g}, not 1: the density is not normalised, reaches beyond the grid, or is "
            "narrower than its cells; correct it, widen or refine the grid, or pass normalize=True to accept it"
        )
    return found


def _of_point(point: Point, grid: Grid) -> Array:
    cell, shifts = [], []
    for name, axis, x in zip(grid.names, grid.axes, point.inside(grid), strict=True):
        i = int(np.clip(np.floor((float(axis.s(x)) - axis.start) / axis.ds), 0, axis.cells - 1))
        cell.append(i)
        if abs(axis.nodes[i] - x) > ON_A_NODE * axis.weights[i]:
            shifts.append(f"that of {name} by {axis.nodes[i] - x:.3g} (to {axis.nodes[i]:.6g}, cell {i})")
    if shifts:
        warnings.warn(
            f"{point} lies between nodes and starts in the nearest cell: the mean shifts, {', '.join(shifts)}; use a "
            "grid with a node there, more cells, or a Gaussian of a few cells' width",
            ResolutionWarning,
            stacklevel=4,
        )
    result = np.zeros(grid.shape)
    result[tuple(cell)] = 1.0
    return result


def _values(initial: Any, grid: Grid) -> Array:
    """p at the nodes."""
    mesh = tuple(np.ascontiguousarray(x).ravel() for x in np.broadcast_arrays(*grid.mesh()))
    if isinstance(initial, Gaussian):
        return _with_images(initial, grid, mesh).reshape(grid.shape)
    if isinstance(initial, OnGrid):
        if initial.grid.names != grid.names:
            raise InvalidInput(f"the initial density has axes {initial.grid.names}; the grid's are {grid.names}")
        return np.asarray(initial(*mesh), dtype=float).reshape(grid.shape)
    points = Points(grid.names, mesh, (("cell", grid.shape),))
    return Function(initial, "initial density").scalar(points).reshape(grid.shape)


def _with_images(gaussian: Gaussian, grid: Grid, mesh: tuple[Array, ...]) -> Array:
    """The Gaussian, and its images where an axis is periodic."""
    gaussian.check_dimension(grid)
    laps: list[Array] = []
    for axis, mean, variance in zip(grid.axes, gaussian.center, np.diag(gaussian.covariance), strict=True):
        period, reach = axis.hi - axis.lo, IMAGES * np.sqrt(variance)
        first, last = np.floor((axis.lo - mean - reach) / period), np.ceil((axis.hi - mean + reach) / period)
        laps.append(period * np.arange(first, last + 1.0) if axis.periodic else np.zeros(1))
    total = np.zeros(mesh[0].shape)
    for shifts in itertools.product(*laps):
        total += gaussian.density(*(x - shift for x, shift in zip(mesh, shifts, strict=True)))
    return total


def _given(initial: Any, grid: Grid) -> Array:
    """An array of cell masses."""
    found = np.array(initial)
    if found.dtype.kind not in "biuf":
        raise InvalidInput(f"initial is {initial!r}; give a Gaussian, a Point, a function, a Density or cell masses")
    if found.shape not in (grid.shape, (grid.size,)):
        raise InvalidInput(f"the initial masses have shape {found.shape}; the grid's shape is {grid.shape}")
    return found.reshape(grid.shape).astype(float)


def _check_sign(found: Array, grid: Grid, slack: float) -> None:
    """Finite, not negative beyond `slack` of the largest, and not zero everywhere."""
    wrong = ~np.isfinite(found) | (found < -slack * np.abs(found).max())
    if np.any(wrong):
        worst = np.unravel_index(int(np.argmin(np.where(wrong, np.nan_to_num(found, nan=-np.inf), np.inf))), grid.shape)
        where = [f"{name}={a.nodes[i]:.6g}" for name, a, i in zip(grid.names, grid.axes, worst, strict=True)]
        what = "is negative" if np.all(np.isfinite(found)) else "is not finite"
        raise InvalidInput(
            f"the initial density {what} in {int(wrong.sum())} cells (minimum {found[worst] / grid.weights[worst]:.6g} "
            f"at {', '.join(where)}); a density must be finite and >= 0 everywhere"
        )
    if not np.any(found > 0):
        raise InvalidInput("the initial density is 0 in every cell: it lies outside the grid, or between its nodes")


def same_cells(one: Grid, other: Grid) -> bool:
    """Whether two grids have the same axes, by name, and the same cells."""
    return one is other or (
        one.names == other.names
        and one.shape == other.shape
        and all(np.array_equal(a, b) for a, b in zip(one.nodes, other.nodes, strict=True))
        and np.array_equal(one.weights, other.weights)
    )


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
