"""Diagonal tensors: one chain of fitted edges along every line of cells, as in one dimension.

    step = int A_k/D_kk dx + c (ln D_kk(x) - ln D_kk(y)),   k = D_kk(face)/(y - x) * (weights of the other axes),

the integral by Simpson's rule over node, face and node.  For a Gibbs process the step is a difference of the loss.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

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
