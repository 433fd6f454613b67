"""Full tensors: exponentially fitted edges along Selling's offsets.

At each node Dh = sum_e lambda_e e e^T with short integer offsets e and lambda_e >= 0 (kernels/selling.py).  An edge
from x to y = x + e has

    k = (lambda_e(x) w(x) + lambda_e(y) w(y))/2,   step = int_x^y Fh . e by Simpson on the half lattice,

or the exact difference of a potential: all rates are >= 0 for any tensor and any drift, and a Gibbs density is exact.
Offsets that leave the box through a wall are dropped; what they carried along it is given back (walls.py).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.kernels.fluxes import fitted_rates
from fpsolve.kernels.selling import decompose
from fpsolve.kernels.stencil import line_integrals, stencil_edges
from fpsolve.memory import require
from fpsolve.operators.coefficients import Coefficients
from fpsolve.operators.walls import along_walls

__all__ = ["Stencil", "stencil"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
PAIRS = {2: 3, 3: 6}
BYTES_PER_EDGE = 100


@dataclass(frozen=True, eq=False)
class Leaving:
    """Offsets that lead out of the grid: from `cell`, after `share` of the offset; absorbed: for good, else dropped."""

    cell: Indices
    offsets: Indices
    conductance: Array
    share: Array
    absorbed: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Stencil:
    """The edges inside the grid, and what leads out of it."""

    left: Indices
    right: Indices
    offsets: Indices
    conductance: Array
    step: Array
    leaving: Leaving


def stencil(found: Coefficients) -> Stencil:
    """The edges of a process with noise along the axes `found.noisy`, two or three of them."""
    grid = found.lattice.grid
    _ = found.noisy_tensors  # deficient ranks are refused by name, before their decomposition fails to end
    offsets, weights = along_walls(grid, *_decomposed(found))
    shape = np.array(grid.shape, dtype=np.int64)
    periodic = np.array([axis.periodic for axis in grid.axes])
    absorbing = np.array([[end == "absorbing" for end in axis.ends] for axis in grid.axes])
    none = np.empty(0, dtype=np.int64)
    empty = (none, none, none.reshape(0, grid.ndim), np.empty((0, 2)), none, np.empty(0))
    count = stencil_edges(shape, periodic, absorbing, offsets, weights, *empty)
    require(BYTES_PER_EDGE * count, f"{count} edges of {grid.size} cells", "use fewer cells, or coordinates in which "
            "the tensor is less anisotropic")  # fmt: skip
    left, right = np.empty(count, dtype=np.int64), np.empty(count, dtype=np.int64)
    steps, parts = np.empty((count, grid.ndim), dtype=np.int64), np.empty((count, 2))
    fates, shares = np.empty(count, dtype=np.int64), np.empty(count)
    stencil_edges(shape, periodic, absorbing, offsets, weights, left, right, steps, parts, fates, shares)
    w = grid.weights.ravel()
    inside = fates == 0
    conductance = np.where(inside, 0.5, 1.0) * (parts[:, 0] * w[left] + parts[:, 1] * w[right])
    out = np.flatnonzero(~inside)
    kept = np.flatnonzero(inside) if out.size else slice(None)
    leaving = Leaving(left[out], steps[out], conductance[out], shares[out], fates[out] == 2)
    left, right, steps, conductance = left[kept], right[kept], steps[kept], conductance[kept]
    return Stencil(left, right, steps, conductance, line_integral(found, left, right, steps), leaving)


def line_integral(found: Coefficients, left: Indices, right: Indices, offsets: Indices) -> Array:
    """ln p gained along edges at vanishing flux; NaN where an edge meets a point without noise."""
    if found.process.potential is not None:
        potential = found.potential.ravel()
        return potential[left] - potential[right]
    lattice = found.lattice
    result = np.empty(left.size)
    slopes = np.ascontiguousarray(found.slopes.reshape(lattice.grid.ndim, -1))
    shape, first = (np.array(part, dtype=np.int64) for part in (lattice.grid.shape, lattice.first))
    line_integrals(slopes, np.array(lattice.shape, dtype=np.int64), first, shape, left, offsets, result)
    return result


def killing(found: Coefficients, leaving: Leaving) -> Array:
    """Rate out of each cell over absorbing faces: k/share B(-share Fh . e), Fh at the node (and face, where it is one).

    Writing the crossed part of an offset as the whole of a shorter one keeps the rates >= 0 and the order 2.
    """
    grid, lattice = found.lattice.grid, found.lattice
    rates = np.zeros(grid.size)
    used = leaving.absorbed
    if not np.any(used):
        return rates
    cell, offsets, share = leaving.cell[used], leaving.offsets[used], leaving.share[used]
    if found.process.potential is not None:
        slopes = -np.stack([np.gradient(found.potential, axis=k) for k in range(grid.ndim)])
    else:
        slopes = lattice.at_nodes(found.slopes)
    step = share * np.sum(slopes.reshape(grid.ndim, -1)[:, cell] * offsets.T, axis=0)
    log_k, log_w = np.log(leaving.conductance[used] / share), np.log(grid.weights.ravel()[cell])
    up, down = np.empty(cell.size), np.empty(cell.size)
    fitted_rates(step, log_k, log_w, log_w, up, down)
    return rates + np.bincount(cell, up, minlength=grid.size)


def clipped(found: Coefficients, leaving: Leaving, cells: NDArray[np.bool_]) -> Stencil:
    """Edges for the offsets that `cells` lost to a wall, shortened to end at the last cells before it."""
    grid = found.lattice.grid
    chosen = np.flatnonzero(~leaving.absorbed & cells[leaving.cell])
    left, offsets = leaving.cell[chosen], leaving.offsets[chosen]
    place = np.stack(np.unravel_index(left, grid.shape), axis=1)
    target = place + offsets
    for k, axis in enumerate(grid.axes):
        if not axis.periodic:
            target[:, k] = np.clip(target[:, k], 0, axis.cells - 1)
    offsets = target - place
    some = np.any(offsets != 0, axis=1)
    left, offsets, target = left[some], offsets[some], target[some] % np.array(grid.shape)
    right = np.ravel_multi_index(tuple(target.T), grid.shape)
    conductance = leaving.conductance[chosen][some]
    nothing = Leaving(left[:0], offsets[:0], conductance[:0], conductance[:0], np.zeros(0, dtype=bool))
    return Stencil(left, right, offsets, conductance, line_integral(found, left, right, offsets), nothing)


def _decomposed(found: Coefficients) -> tuple[Indices, Array]:
    """Offsets (cells, pairs, ndim) and weights (cells, pairs) of Dh at every node."""
    grid, lattice = found.lattice.grid, found.lattice
    axes = [k for k, some in enumerate(found.noisy) if some]
    tensors = np.empty((len(axes), len(axes), grid.size))
    for row, i in enumerate(axes):
        for column, j in enumerate(axes):
            scale = lattice.along(i, grid.axes[i].weights) * lattice.along(j, grid.axes[j].weights)
            values = lattice.at_nodes(found.on_lattice(found.diffusion[i, j])) / scale
            tensors[row, column] = np.broadcast_to(values, grid.shape).ravel()
    pairs = PAIRS[len(axes)]
    short, weights = np.empty((grid.size, pairs, len(axes)), dtype=np.int64), np.empty((grid.size, pairs))
    stuck = decompose(tensors, short, weights)
    if stuck >= 0:
        where = ", ".join(
            f"{name}={axis.nodes[i]:.6g}"
            for name, axis, i in zip(grid.names, grid.axes, np.unravel_index(stuck, grid.shape), strict=True)
        )
        raise InvalidInput(
            f"diffusion at {where} is too anisotropic for this grid (its decomposition into offsets does not end): "
            "use coordinates along its axes, or cells of another shape"
        )
    if len(axes) == grid.ndim:
        return short, weights
    offsets = np.zeros((grid.size, pairs, grid.ndim), dtype=np.int64)
    offsets[:, :, axes] = short
    return offsets, weights
