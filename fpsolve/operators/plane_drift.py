"""Drift beside jumps in several dimensions: at the faces across each axis, from F = A p at the nodes.

Positive: A (p_l + p_r)/2 + e (p_l - p_r) over a face, with the conductance e that keeps both rates, those of jumps and
of diffusion between the two cells included, from being negative: first order where e > 0, second elsewhere.
Accurate: [7 (F_l + F_r) - (F_ll + F_rr)]/12, of fourth order; before open ends with p at the node that is not there as
its tail has it, before other ends from three nodes, as along one axis (jump_drift.py).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.operators.axis_jumps import AxisJumps
from fpsolve.operators.coefficients import Coefficients
from fpsolve.operators.edges import Edges
from fpsolve.operators.isotropic_jumps import IsotropicJumps
from fpsolve.operators.jump_drift import AT_WALL, CENTRAL
from fpsolve.operators.product import neighbours
from fpsolve.operators.transport import FaceFluxes, face_drift

__all__ = ["accurate_drift", "positive_drift"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def positive_drift(found: Coefficients, k: int, jumps: IsotropicJumps | AxisJumps, spread: Edges | None) -> Edges:
    """The edges of drift over the faces across axis k, beside jumps and the edges of diffusion."""
    grid, capacity = found.lattice.grid, jumps.capacity
    left, right = (part.ravel() for part in neighbours(grid.shape, k, grid.axes[k].periodic))
    areas = jumps.areas(k).ravel()[left]
    half = 0.5 * face_drift(found, k).ravel() * areas
    forth, back = jumps.beside(k)
    if spread is not None:
        step = np.zeros(grid.ndim, dtype=np.int64)
        step[k] = 1
        for sign in (1, -1):
            same = np.flatnonzero(np.all(spread.offsets == sign * step, axis=1))
            ends = (spread.left[same], spread.right[same])[::sign]
            rates = (spread.up[same], spread.down[same])[::sign]
            forth = forth + np.bincount(ends[0], rates[0], grid.size)[left] * capacity[left]
            back = back + np.bincount(ends[1], rates[1], grid.size)[right] * capacity[right]
    extra = np.maximum(0.0, -np.minimum(forth + half, back - half))
    up, down = (half + extra) / capacity[left], (extra - half) / capacity[right]
    offsets = np.zeros((left.size, grid.ndim), dtype=np.int64)
    offsets[:, k] = 1
    flat, quiet = np.zeros(left.size), np.ones(left.size, dtype=bool)
    return Edges(left, right, offsets, flat, flat - np.inf, up, down, quiet, np.zeros(grid.size))


def accurate_drift(found: Coefficients, k: int, jumps: IsotropicJumps | AxisJumps) -> tuple[FaceFluxes, ...]:
    """Fluxes of fourth order over the faces across axis k; those with p beyond open ends add to others."""
    grid = found.lattice.grid
    axis, shape = grid.axes[k], grid.shape
    left, right = (part.ravel() for part in neighbours(shape, k, axis.periodic))
    force = np.broadcast_to(found.lattice.at_nodes(found.drift[k]), shape) * jumps.areas(k)
    before, after = _farther(left, -1, axis, shape, k), _farther(right, 1, axis, shape, k)
    weights, parts = np.tile(CENTRAL, (left.size, 1)), []
    if not axis.periodic:
        place = np.unravel_index(left, shape)[k]
        for upper, first in ((False, 0), (True, axis.cells - 2)):
            rows = np.flatnonzero(place == first)
            if axis.ends[upper] == "open":
                parts.append(_ghosts(left[rows], right[rows], k, _beyond(force, k, upper), jumps, upper))
                weights[rows, 3 if upper else 0] = 0.0
            else:
                weights[rows] = np.roll(AT_WALL, -1) if upper else AT_WALL[::-1] @ np.eye(4, k=1)
    sources = np.stack([before, left, right, after], axis=1)
    coefficients = weights * (force.ravel() / jumps.capacity)[sources]
    return FaceFluxes(left, right, np.full(left.size, k), sources, coefficients), *parts


def _ghosts(
    left: Indices, right: Indices, k: int, force: Array, jumps: IsotropicJumps | AxisJumps, upper: bool
) -> FaceFluxes:
    """What F at the nodes next beyond an open end adds to the fluxes over the last faces before it."""
    beyond = jumps.beyond(k, upper)
    count = np.diff(beyond.indptr)
    width = int(count.max(initial=1))
    sources, shares = np.zeros((left.size, width), dtype=np.int64), np.zeros((left.size, width))
    rows = np.repeat(np.arange(left.size), count)
    place = np.arange(beyond.nnz) - beyond.indptr[rows]
    sources[rows, place], shares[rows, place] = beyond.indices, beyond.data
    weight = CENTRAL[3 if upper else 0]
    coefficients = weight * force[:, None] * shares / jumps.capacity[sources]
    return FaceFluxes(left, right, np.full(left.size, k), sources, coefficients)


def _farther(cells: Indices, step: int, axis: Axis, shape: tuple[int, ...], k: int) -> Indices:
    """The cells `step` farther along axis k, round a periodic one; elsewhere the last ones themselves."""
    stride = int(np.prod(shape[k + 1 :]))
    place = cells // stride % axis.cells
    to = (place + step) % axis.cells if axis.periodic else np.clip(place + step, 0, axis.cells - 1)
    return np.asarray(cells + (to - place) * stride)


def _beyond(values: Array, k: int, upper: bool) -> Array:
    """Values at the nodes next beyond an end of axis k, flat, by a parabola through the last three."""
    last, before, third = (values.take(i, axis=k).ravel() for i in ((-1, -2, -3) if upper else (0, 1, 2)))
    return np.asarray(3.0 * last - 3.0 * before + third)
