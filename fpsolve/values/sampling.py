"""Draws from a density of several coordinates: a cell by its integral, and a place in it along the slope of ln p.

Masses w p are point values, so the integral over a cell is m + sum_i (second difference of m along i)/24 to fourth
order (Cumulative has the same in one dimension).  Within the cell ln p falls along each axis as between its neighbours.
Moments of the draws are then right to fourth order; a place drawn uniformly would add ds^2/12 to every variance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.values.continuation import log_ratio

if TYPE_CHECKING:
    from fpsolve.axis import Axis
    from fpsolve.values.density import Density

Array = NDArray[np.float64]
NEGATIVE_MASS = 1e-9  # round-off of time steppers is far below; such cells count as empty


def drawn(p: Density, n: int, rng: np.random.Generator) -> Array:
    """n independent draws from the law on the grid, shape (n, ndim)."""
    refuse_negative(p, "a sample draws cells by their mass, which cannot be negative")
    shares = cell_integrals(p).ravel()
    cells = np.unravel_index(rng.choice(shares.size, size=n, p=shares / shares.sum()), p.grid.shape)
    columns = []
    for i, axis in enumerate(p.grid.axes):
        offset = _tilted(_slopes(p, i, cells), rng.random(n))
        columns.append(axis.x(axis.s_nodes[cells[i]] + offset * axis.ds))
    return np.stack(columns, axis=-1)


def cell_integrals(p: Density) -> Array:
    """The integral of p over each cell, of the grid's shape, to fourth order; a cell without mass keeps none."""
    masses = np.where(p.masses > 0, p.masses, 0.0)
    answer = masses.copy()
    for i, axis in enumerate(p.grid.axes):
        lines = np.moveaxis(masses, i, 0)
        low, high = (lines[-1], lines[0]) if axis.periodic else _next(p, i, lines)
        padded = np.concatenate([low[None], lines, high[None]])
        steps = np.where((padded[1:] > 0) & (padded[:-1] > 0), np.diff(padded, axis=0), 0.0)
        answer += np.moveaxis(np.diff(steps, axis=0), 0, i) / 24.0
    return answer


def refuse_negative(p: Density, why: str) -> None:
    """InvalidInput where cells hold a negative mass that is no round-off."""
    negative = -float(p.masses[p.masses < 0].sum())
    if negative > NEGATIVE_MASS:
        raise InvalidInput(
            f"the density has a negative mass of {negative:.3g} in {int((p.masses < 0).sum())} cells; {why}: "
            "solve with scheme=Positive() or on a finer grid"
        )


def _next(p: Density, i: int, lines: Array) -> tuple[Array, Array]:
    """The slices beyond the outermost: the series goes on beyond a continued end, nothing changes at another."""
    with np.errstate(divide="ignore"):
        profile = np.log(lines.reshape(len(lines), -1).sum(axis=1))
    low, high = (np.exp(log_ratio(profile, upper)) if p.ends[i][upper] else 1.0 for upper in (False, True))
    return lines[0] * low, lines[-1] * high


def _slopes(p: Density, i: int, cells: tuple[NDArray[np.int64], ...]) -> Array:
    """What ln(w p) gains per cell along axis i: the mean of both sides, or the side that has mass."""
    logs = p.log_values + np.log(_along(p.grid.axes[i], i, p.grid.ndim))
    here, sides = logs[cells], []
    for step in (-1, 1):
        index = list(cells)
        place = cells[i] + step
        count = p.grid.shape[i]
        index[i] = place % count
        known = np.full(here.shape, p.grid.axes[i].periodic) | ((place >= 0) & (place < count))
        with np.errstate(invalid="ignore"):
            gain = step * (logs[tuple(index)] - here)
        sides.append(np.where(known & np.isfinite(gain), gain, np.nan))
    both = np.stack(sides)
    count_known = np.isfinite(both).sum(axis=0)
    return np.where(count_known > 0, np.nansum(both, axis=0) / np.maximum(count_known, 1), 0.0)


def _along(axis: Axis, i: int, ndim: int) -> Array:
    """The axis's weights, shaped to broadcast along dimension i."""
    return axis.weights.reshape([-1 if j == i else 1 for j in range(ndim)])


def _tilted(slope: Array, u: Array) -> Array:
    """Places in (-1/2, 1/2) with density proportional to exp(slope * place), from uniform u."""
    size = np.abs(slope)
    with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
        upward = 0.5 + np.log(u + (1.0 - u) * np.exp(-size)) / size
    return np.where(size > 1e-6, np.copysign(1.0, slope) * upward, u - 0.5)
