"""Edges that lead into sets, shortened to their boundaries.

An edge from a free cell x into a set, of which the share theta lies before the boundary, takes paths there at rate

    k/theta B(-theta step)/w_x,

that of an edge which ends on the boundary, where p = 0: answers are of second order wherever the boundary runs.  An
edge without noise takes them at its own rate over theta: in the time that the shorter way takes.
Source: Gibou, Fedkiw, Cheng & Kang, J. Comput. Phys. 176, 205 (2002), for such edges that keep a matrix symmetric.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.grid import Grid
from fpsolve.kernels.fluxes import fitted_rates
from fpsolve.operators.edges import Edges
from fpsolve.operators.regions import ON_BOUNDARY, Region, nodes_of

__all__ = ["FREE", "Crossings", "crossings", "entry_rates", "owners"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
FREE = -1


@dataclass(frozen=True, eq=False)
class Crossings:
    """Edges from free cells into a set.

    edge: their indices.  cell, into: where they begin and lead.  share: before the boundary.
    places: where they cross it, (ndim, crossings).
    """

    edge: Indices
    cell: Indices
    into: Indices
    share: Array
    places: Array


def owners(edges: Edges, regions: Sequence[Region]) -> Indices:
    """Whose each cell is, flat: the index of the region that its node lies in or on the boundary of, else FREE."""
    owner = np.full(edges.killing.size, FREE, dtype=np.int64)
    for k, region in enumerate(regions):
        owner[(owner == FREE) & region.cells] = k
    settled = owner.copy()
    for k, region in enumerate(regions):
        found = crossings(edges, owner, k, region)
        settled[found.cell[found.share < ON_BOUNDARY]] = k
    return settled


def crossings(edges: Edges, owner: Indices, k: int, region: Region) -> Crossings:
    """Where edges lead from free cells into those of the k-th region."""
    up = np.flatnonzero((owner[edges.left] == FREE) & (owner[edges.right] == k))
    down = np.flatnonzero((owner[edges.right] == FREE) & (owner[edges.left] == k))
    edge = np.append(up, down)
    cell = np.append(edges.left[up], edges.right[down])
    into = np.append(edges.right[up], edges.left[down])
    offsets = np.concatenate([edges.offsets[up], -edges.offsets[down]]).T
    start = nodes_of(region.grid)[:, cell]
    share = region.share(start, start + offsets) if edge.size else np.empty(0)
    return Crossings(edge, cell, into, share, start + share * offsets)


def entry_rates(edges: Edges, grid: Grid, found: Crossings) -> Array:
    """The rate between masses of each crossing."""
    edge, cell, share = found.edge, found.cell, found.share
    forward = edges.left[edge] == cell
    step = np.where(forward, edges.step[edge], -edges.step[edge])
    noisy = ~edges.noiseless[edge]
    log_k = np.where(noisy, edges.log_conductance[edge] - np.log(share), -np.inf)
    log_w = np.log(grid.weights.ravel()[cell])
    rate, back = np.empty(edge.size), np.empty(edge.size)
    fitted_rates(np.where(noisy, share * step, 0.0), log_k, log_w, log_w, rate, back)
    one_way = np.where(forward, edges.up[edge], edges.down[edge])
    return np.where(noisy, rate, one_way / share)
