"""Starts as cell masses on a grid: a Gaussian, a point, a function, a density or masses.

A start with density p has the mass w_i p(x_i) in cell i, the midpoint rule in the computational coordinate: exact to
rounding where p is resolved and vanishes at the ends.  Nothing is normalised unless that is asked for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import shown
from fpsolve.errors import InvalidInput, ResolutionWarning, warn
from fpsolve.functions import Function, Points
from fpsolve.grid import Grid
from fpsolve.starts import Gaussian, Integrated, OnGrid, Point

__all__ = ["MASS_TOLERANCE", "Initial", "masses", "same_cells"]

Array = NDArray[np.float64]
MASS_TOLERANCE = 1e-6
ROUNDING = 1e-12  # of the largest value: what a computed density may be negative by
ON_A_NODE = 1e-9  # of a cell
IMAGES = 9.0  # deviations
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
        warn(
            f"{point} lies between nodes and starts in the nearest cell: the mean shifts, {', '.join(shifts)}; use a "
            "grid with a node there, more cells, or a Gaussian of a few cells' width",
            ResolutionWarning,
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
        return np.asarray(initial.curve(*mesh), dtype=float).reshape(grid.shape)
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
        raise InvalidInput(
            f"initial is {shown(initial)}; give a Gaussian, a Point, a function, a Density or cell masses"
        )
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
