"""Drift and diffusion in two and three dimensions: one list of edges, fitted where there is noise, one-way where not.

Diagonal tensors give products of chains (product.py), full ones Selling's offsets (selling.py).  A face without noise,
because its axis has none or because D vanishes there, carries transport (transport.py).  Where the offsets that a wall
cuts off would leave cells alone, those cells get them clipped to the box instead.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.kernels.fluxes import fitted_rates
from fpsolve.operators.coefficients import Coefficients
from fpsolve.operators.edges import Edges
from fpsolve.operators.lattice import Lattice
from fpsolve.operators.outflow import outflow
from fpsolve.operators.product import axis_edges, neighbours
from fpsolve.operators.selling import Stencil, clipped, killing, stencil
from fpsolve.operators.transport import FaceFluxes, face_drift, higher_order
from fpsolve.process import Process
from fpsolve.schemes import Accurate, Scheme

__all__ = ["space_edges"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


def space_edges(process: Process, grid: Grid, scheme: Scheme, t: float = 0.0) -> tuple[Edges, tuple[FaceFluxes, ...]]:
    """The edges of `process` on `grid` at time t, and the fluxes along the axes that `Accurate()` transports.

    Raises InvalidInput where a coefficient is not what it must be, for tensors of deficient rank that no axis carries,
    and for a reservoir at the end of an axis with noise.
    """
    found = Coefficients(process, Lattice(grid), t)
    _check_reservoirs(grid, found)
    parts: list[Edges] = [] if found.diagonal else _selling(found)
    fluxes = []
    for k in range(grid.ndim):
        if isinstance(scheme, Accurate) and not found.noisy[k]:
            fluxes.append(higher_order(found, k))
        else:
            parts.append(_across(found, k))
    lost = sum((part.killing for part in parts), np.zeros(grid.size))
    for k, axis in enumerate(grid.axes):
        for upper in (False, True):
            if axis.ends[upper] == "absorbing":
                cells = np.arange(grid.size).reshape(grid.shape).take(-1 if upper else 0, axis=k).ravel()
                lost[cells] += outflow(found, k, upper)
    return _joined(parts, lost), tuple(fluxes)


def _joined(parts: list[Edges], lost: Array) -> Edges:
    return Edges(
        left=np.concatenate([part.left for part in parts]),
        right=np.concatenate([part.right for part in parts]),
        offsets=np.concatenate([part.offsets for part in parts]),
        step=np.concatenate([part.step for part in parts]),
        log_conductance=np.concatenate([part.log_conductance for part in parts]),
        up=np.concatenate([part.up for part in parts]),
        down=np.concatenate([part.down for part in parts]),
        noiseless=np.concatenate([part.noiseless for part in parts]),
        killing=lost,
    )


def _selling(found: Coefficients) -> list[Edges]:
    """Edges along Selling's offsets, clipped ones for cells that would be alone, and what absorbing faces take."""
    grid = found.lattice.grid
    own = stencil(found)
    edges = _fitted(grid, own, killing(found, own.leaving))
    if own.leaving.cell.size == int(own.leaving.absorbed.sum()):
        return [edges]
    alone = _apart(edges, grid.size)
    if not np.any(alone):
        return [edges]
    return [edges, _fitted(grid, clipped(found, own.leaving, alone), np.zeros(grid.size))]


def _fitted(grid: Grid, own: Stencil, lost: Array) -> Edges:
    """Rates of a stencil's edges; those that meet a point without noise are left to transport."""
    kept = slice(None) if np.all(np.isfinite(own.step)) else np.flatnonzero(np.isfinite(own.step))
    left, right, offsets, step = own.left[kept], own.right[kept], own.offsets[kept], own.step[kept]
    log_k, log_w = np.log(own.conductance[kept]), np.log(grid.weights).ravel()
    up, down = np.empty(step.size), np.empty(step.size)
    fitted_rates(step, log_k, log_w[left], log_w[right], up, down)
    return Edges(left, right, offsets, step, log_k, up, down, np.zeros(step.size, dtype=bool), lost)


def _across(found: Coefficients, k: int) -> Edges:
    """Edges over the faces across axis k: all of them where the tensor is diagonal, else those without noise."""
    lattice, grid = found.lattice, found.lattice.grid
    axis = grid.axes[k]
    left, right = (part.ravel() for part in neighbours(grid.shape, k, axis.periodic))
    quiet = ~(lattice.at_faces(found.on_lattice(found.diffusion[k, k]), k).ravel() > 0)
    at_nodes = lattice.at_nodes(found.on_lattice(found.diffusion[k, k])).ravel()
    quiet |= ~(at_nodes[left] > 0) | ~(at_nodes[right] > 0)
    kept = slice(None) if found.diagonal else np.flatnonzero(quiet)
    left, right, quiet = left[kept], right[kept], quiet[kept]
    step, log_k = np.zeros(left.size), np.full(left.size, -np.inf)
    if found.diagonal and found.noisy[k]:
        step, log_k = (part.ravel() for part in axis_edges(found, k))
    log_w = np.log(grid.weights).ravel()
    up, down = np.zeros(left.size), np.zeros(left.size)
    fitted_rates(np.where(quiet, 0.0, step), np.where(quiet, -np.inf, log_k), log_w[left], log_w[right], up, down)
    if np.any(quiet):
        drift = face_drift(found, k).ravel()[kept][quiet]
        width = np.broadcast_to(lattice.along(k, axis.weights), grid.shape).ravel()
        up[quiet] = np.maximum(drift, 0.0) / width[left[quiet]]
        down[quiet] = np.maximum(-drift, 0.0) / width[right[quiet]]
        step[quiet] = np.where(drift == 0, 0.0, np.copysign(np.inf, drift))
        log_k[quiet] = -np.inf
    offsets = np.zeros((left.size, grid.ndim), dtype=np.int64)
    offsets[:, k] = 1
    return Edges(left, right, offsets, step, log_k, up, down, quiet, np.zeros(grid.size))


def _apart(edges: Edges, cells: int) -> Flags:
    """Cells that no chain of edges joins to the largest set of cells."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    ones = np.ones(edges.left.size, dtype=np.int8)
    graph = sparse.coo_matrix((ones, (edges.left, edges.right)), shape=(cells, cells))
    count, label = connected_components(graph, directed=False)
    if count == 1:
        return np.zeros(cells, dtype=bool)
    return label != np.argmax(np.bincount(label))


def _check_reservoirs(grid: Grid, found: Coefficients) -> None:
    for name, axis, noisy in zip(grid.names, grid.axes, found.noisy, strict=True):
        if "reservoir" in axis.ends and noisy:
            raise InvalidInput(
                f"{name} ends in a reservoir but has noise along it: only transport fills a reservoir that nothing "
                "leaves; use a reflecting or open end"
            )
        if "reservoir" in axis.ends and found.process.reservoir_drift is None:
            raise InvalidInput(
                f"{name} ends in a reservoir, but the process does not say how it moves there; give reservoir_drift"
            )
