"""Diagonal tensors: one chain of fitted edges along every line of cells, as in one dimension.

    step = int A_k/D_kk dx + c (ln D_kk(x) - ln D_kk(y)),   k = D_kk(face)/(y - x) * (weights of the other axes),

the integral by Simpson's rule over node, face and node.  For a Gibbs process the step is a difference of the loss.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.fluxes import fitted_rates
from fpsolve.operators.coefficients import Coefficients

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def neighbours(shape: tuple[int, ...], k: int, periodic: bool) -> tuple[Indices, Indices]:
    """The cells on both sides of every face across axis k, shaped like the faces; the wrapping face comes last."""
    cells = np.arange(int(np.prod(shape))).reshape(shape)
    if periodic:
        return cells, np.roll(cells, -1, axis=k)
    count = shape[k] - 1
    return cells.take(range(count), axis=k), cells.take(range(1, count + 1), axis=k)


def axis_edges(found: Coefficients, k: int) -> tuple[Array, Array]:
    """step and ln k of the edges across axis k, shaped like its faces; not finite where there is no noise."""
    lattice = found.lattice
    axis, grid = lattice.grid.axes[k], lattice.grid
    diffusion = found.on_lattice(found.diffusion[k, k])
    others = np.log(grid.weights) - lattice.along(k, np.log(axis.weights))
    with np.errstate(divide="ignore", invalid="ignore"):
        at_faces = np.log(lattice.at_faces(diffusion, k))
        log_k = at_faces - lattice.along(k, np.log(axis.gaps)) + _first(others, k, axis.periodic)
        if found.process.potential is not None:
            return _fall(found.potential, k, axis.periodic), log_k
        slopes = found.drift[k] / diffusion * lattice.lengths[k]
        low, high = _sides(lattice.at_nodes(slopes), k, axis.periodic)
        step = (low + 4.0 * lattice.at_faces(slopes, k) + high) / 6.0
        if found.c and not found.process.constant_diffusion:
            step = step + found.c * _fall(np.log(lattice.at_nodes(diffusion)), k, axis.periodic)
    return step, log_k


def outflow(found: Coefficients, k: int, upper: bool) -> Array:
    """Rate from the last cells over the absorbing face at one end of axis k: half a cell away, where p = 0."""
    lattice = found.lattice
    axis, grid = lattice.grid.axes[k], lattice.grid
    node = lattice.nodes(k).start + (2 * (axis.cells - 1) if upper else 0)
    index = tuple(node if i == k else lattice.nodes(i) for i in range(grid.ndim))
    face = tuple(node + (1 if upper else -1) if i == k else lattice.nodes(i) for i in range(grid.ndim))
    diffusion = found.on_lattice(found.diffusion[k, k])
    start = axis.s_nodes[-1:] if upper else axis.s_faces[:1]
    gap = float(axis.map.gap(start, 0.5 * axis.ds)[0])
    with np.errstate(divide="ignore", invalid="ignore"):
        log_k = np.log(0.5 * (diffusion[index] + diffusion[face]) / gap)
        if found.process.potential is not None:
            last, before = (found.potential.take(i, axis=k) for i in ((-1, -2) if upper else (0, 1)))
            step = 0.5 * (before - last)  # as the last whole cell: the loss beyond the last node is not asked for
        else:
            slope = 0.5 * (found.drift[k][index] / diffusion[index] + found.drift[k][face] / diffusion[face])
            step = gap * slope * (1 if upper else -1) + found.c * np.log(diffusion[index] / diffusion[face])
    log_w = np.full(log_k.size, np.log(axis.weights[-1 if upper else 0]))
    rates, back = np.empty(log_k.size), np.empty(log_k.size)
    fitted_rates(step.ravel(), log_k.ravel(), log_w, log_w, rates, back)
    return rates.reshape(log_k.shape)


def _sides(values: Array, k: int, periodic: bool) -> tuple[Array, Array]:
    """The values on both sides of every face across axis k."""
    if periodic:
        return values, np.roll(values, -1, axis=k)
    moved = np.moveaxis(values, k, 0)
    return np.moveaxis(moved[:-1], 0, k), np.moveaxis(moved[1:], 0, k)


def _first(values: Array, k: int, periodic: bool) -> Array:
    return _sides(values, k, periodic)[0]


def _fall(values: Array, k: int, periodic: bool) -> Array:
    low, high = _sides(values, k, periodic)
    return low - high
