"""Where particles start: positions drawn from a start, by counters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.checks import seed_key, whole
from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.initial import MASS_TOLERANCE, Initial, masses
from fpsolve.kernels.random import STARTS, fill_normals
from fpsolve.starts import Gaussian, OnGrid, Point

__all__ = ["draw"]

Array = NDArray[np.float64]
MOST_REDRAWS = 64


def draw(initial: Initial, grid: Grid, n: int, seed: int) -> Array:
    """Starting positions of n particles, shape (n, d); the same seed gives the same bits.

    A Gaussian is drawn exactly; a Point is taken as it is, not moved to a node; a Density by its quantiles; a function
    or masses by cell, uniform in s within it (which adds ds^2/12 to the variance in s).
    Raises InvalidInput as `masses` does, for n < 1 and seeds outside [0, 2^64), and where more than a millionth of a
    Gaussian lies beyond an end that is not open.

    >>> from fpsolve.starts import Gaussian
    >>> x = draw(Gaussian(-1, 0.1), Grid(x=(-3, 3, 400)), 1000, seed=1)
    >>> x.shape, bool(abs(x.mean() + 1) < 0.01)
    ((1000, 1), True)
    """
    n, key = whole("n", n, 1), seed_key(seed)
    if isinstance(initial, Point):
        return np.tile(initial.inside(grid), (n, 1))
    if isinstance(initial, Gaussian):
        return _from_gaussian(initial, grid, n, key)
    if isinstance(initial, OnGrid) and initial.grid.names == grid.names:
        return np.asarray(initial.sample(n, seed), dtype=float).reshape(n, grid.ndim)
    from scipy.special import ndtr

    shares = np.cumsum(masses(initial, grid).ravel())
    uniforms = ndtr(_normals(key, 0, n, grid.ndim + 1))
    cells = np.minimum(np.searchsorted(shares, uniforms[:, 0] * shares[-1], side="right"), grid.size - 1)
    columns = []
    for k, (axis, index) in enumerate(zip(grid.axes, np.unravel_index(cells, grid.shape), strict=True)):
        columns.append(axis.x(axis.s_nodes[index] + (uniforms[:, k + 1] - 0.5) * axis.ds))
    return np.stack(columns, axis=1)


def reach(axis: Axis) -> tuple[float, float]:
    """Where particles may be: beyond open ends too, though not across 0 on a log axis; anywhere on a ring."""
    low = axis.lo if axis.ends[0] in ("reflecting", "absorbing") else -np.inf
    high = axis.hi if axis.ends[1] in ("reflecting", "absorbing") else np.inf
    if axis.kind == "log":
        return (max(low, 0.0), high) if axis.lo > 0 else (low, min(high, 0.0))
    return low, high


def _from_gaussian(gaussian: Gaussian, grid: Grid, n: int, key: np.uint64) -> Array:
    gaussian.check_dimension(grid)
    for k, name in enumerate(grid.names):
        _check_reach(gaussian, k, name, grid.axes[k])
    bounds = np.array([reach(axis) for axis in grid.axes])
    x = gaussian.center + _normals(key, 0, n, grid.ndim) @ gaussian.factor.T
    for block in range(1, MOST_REDRAWS):
        wrong = np.any((x <= bounds[:, 0]) | (x >= bounds[:, 1]), axis=1)
        if not np.any(wrong):
            break
        x[wrong] = (gaussian.center + _normals(key, block, n, grid.ndim) @ gaussian.factor.T)[wrong]
    for k, axis in enumerate(grid.axes):
        if axis.periodic:
            x[:, k] = axis.lo + np.mod(x[:, k] - axis.lo, axis.hi - axis.lo)
    return x


def _check_reach(gaussian: Gaussian, k: int, name: str, axis: Axis) -> None:
    from scipy.special import ndtr

    mean, deviation = gaussian.center[k], np.sqrt(gaussian.covariance[k, k])
    low, high = reach(axis)
    outside = float(ndtr((low - mean) / deviation) + ndtr((mean - high) / deviation))
    if outside > MASS_TOLERANCE:
        raise InvalidInput(
            f"{outside:.3g} of {gaussian} lies beyond an end of {name}, where particles are between {low:g} and "
            f"{high:g}; narrow it, or move it inside"
        )


def _normals(key: np.uint64, block: int, n: int, components: int) -> Array:
    out = np.empty((n, components))
    fill_normals(key, np.uint64(block), STARTS, np.uint64(0), out)
    return out
