"""Absorbing faces in several dimensions: rates out of the last cells, half a cell away from where p = 0.

A diagonal tensor gives a fitted half cell, as an edge (product.py).  Where the last node has no noise, transport:
rate max(A_n, 0)/w, A_n the drift out of the face.  Where only the face has none, D is a power of the distance y to it:

    D ~ y^b,  A_n y/D ~ a:     rate max(1 - (1 - c) b + a, 0) D(node)/(gap w),

exact for b = 1 (c = 1: for every b without drift); 0 where paths never reach the face (Feller).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.functions import Points
from fpsolve.kernels.fluxes import fitted_rates
from fpsolve.operators.coefficients import Coefficients

__all__ = ["conductance_to_zero", "outflow"]

Array = NDArray[np.float64]
Place = tuple[int | slice, ...]


def outflow(found: Coefficients, k: int, upper: bool) -> Array:
    """Rates over the absorbing face at one end of axis k, flat over the other axes.

    Of a tensor that is not diagonal only those of transport: its noise leaves along its own offsets (selling.py).
    """
    axis = found.lattice.grid.axes[k]
    node, face = _places(found, k, upper)
    diffusion = found.on_lattice(found.diffusion[k, k])
    at_node, at_face = diffusion[node].ravel(), diffusion[face].ravel()
    weight = axis.weights[-1 if upper else 0]
    gibbs = found.process.potential is not None
    carried = np.zeros(at_face.size) if gibbs else np.maximum(found.drift[k][face].ravel() * (1 if upper else -1), 0.0)
    if not (found.diagonal and found.noisy[k]):
        return np.where(at_face > 0, 0.0, carried / weight)
    fitted = (at_node > 0) & (at_face > 0)
    step, log_k = (np.where(fitted, part, 0.0) for part in _half_cell(found, k, upper))
    rates, back, log_w = np.empty(step.size), np.empty(step.size), np.full(step.size, np.log(weight))
    fitted_rates(step, log_k, log_w, log_w, rates, back)
    if np.all(fitted):
        return rates
    other = np.where(at_node > 0, _to_zero(found, k, upper, carried), carried) / weight
    return np.where(fitted, rates, other)


def conductance_to_zero(at_node: Array, at_middle: Array, pull: Array | float, gap: float, c: float) -> Array:
    """Rate times w over a face on which D vanishes; pull: outward A y/D, y the distance to the face."""
    power = np.log2(at_node / at_middle)
    return at_node / gap * np.maximum(1.0 - (1.0 - c) * power + pull, 0.0)


def _places(found: Coefficients, k: int, upper: bool) -> tuple[Place, Place]:
    """Where on the lattice the last nodes are, and the face."""
    lattice = found.lattice
    last = lattice.nodes(k).start + (2 * (lattice.grid.axes[k].cells - 1) if upper else 0)
    others = tuple(lattice.nodes(i) for i in range(lattice.grid.ndim))
    node, face = ((*others[:k], place, *others[k + 1 :]) for place in (last, last + (1 if upper else -1)))
    return node, face


def _gap(found: Coefficients, k: int, upper: bool) -> float:
    axis = found.lattice.grid.axes[k]
    return float(axis.map.gap(axis.s_nodes[-1:] if upper else axis.s_faces[:1], 0.5 * axis.ds)[0])


def _half_cell(found: Coefficients, k: int, upper: bool) -> tuple[Array, Array]:
    """step and ln k between the last nodes and the face; not finite where either has no noise."""
    node, face = _places(found, k, upper)
    gap, diffusion = _gap(found, k, upper), found.on_lattice(found.diffusion[k, k])
    at_node, at_face = diffusion[node].ravel(), diffusion[face].ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        log_k = np.log(0.5 * (at_node + at_face) / gap)
        if found.process.potential is not None:
            last, before = (found.potential.take(i, axis=k).ravel() for i in ((-1, -2) if upper else (0, 1)))
            return 0.5 * (before - last), log_k  # as the last whole cell: the loss beyond its node is not asked for
        slope = 0.5 * (found.drift[k][node].ravel() / at_node + found.drift[k][face].ravel() / at_face)
        return gap * slope * (1 if upper else -1) + found.c * np.log(at_node / at_face), log_k


def _to_zero(found: Coefficients, k: int, upper: bool, carried: Array) -> Array:
    """Rates times w over a face on which D vanishes, by the process halfway to it; transport if D is 0 there."""
    grid, gap = found.lattice.grid, _gap(found, k, upper)
    axis, node = grid.axes[k], _places(found, k, upper)[0]
    s = axis.s_faces[-1] - 0.25 * axis.ds if upper else axis.s_faces[0] + 0.25 * axis.ds
    x = axis.x(np.array([s]))
    mesh = np.meshgrid(*(x if i == k else nodes for i, nodes in enumerate(grid.nodes)), indexing="ij")
    points = Points(grid.names, tuple(part.ravel() for part in mesh), (("quarter cell", mesh[0].shape),))
    at_node = found.on_lattice(found.diffusion[k, k])[node].ravel()
    middle = found.process.diffusion_at(points, found.t)[k, k]
    pull = np.zeros(middle.size)
    with np.errstate(divide="ignore", invalid="ignore"):
        if found.process.potential is None:
            pull = found.process.drift_at(points, found.t)[k] * (1 if upper else -1) * 0.5 * gap / middle
        rates = conductance_to_zero(at_node, middle, pull, gap, found.c)
    return np.where(middle > 0, rates, carried)
