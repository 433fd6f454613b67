"""Closed sets of cells in several dimensions: paths reach every cell of one from every other, and never leave.

Decided by which edges there are, not by rates: a rate may underflow where the path is still open.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.operators.edges import Edges
from fpsolve.operators.transport import FaceFluxes

__all__ = ["closed_sets", "reaching"]

Indices = NDArray[np.int64]


def closed_sets(edges: Edges, transport: Sequence[FaceFluxes] = ()) -> list[Indices]:
    """The closed sets, each as sorted flat cells, in the order of their first cells.

    A cell that no edge leads to or from belongs to none: no path is ever there.
    """
    from scipy.sparse.csgraph import connected_components

    cells = edges.killing.size
    starts, stops = _arrows(edges, transport)
    graph = sparse.coo_matrix((np.ones(starts.size, dtype=np.int8), (starts, stops)), shape=(cells, cells)).tocsr()
    both_ways = not transport and not np.any(edges.noiseless)
    count, label = connected_components(graph, directed=not both_ways, connection="strong")
    leaky = np.zeros(count, dtype=bool)
    across = label[starts] != label[stops]
    leaky[label[starts[across]]] = True
    leaky[label[edges.killing > 0]] = True
    visited = np.zeros(cells, dtype=bool)
    visited[starts] = visited[stops] = True
    leaky[label[~visited]] = True
    if count == 1:
        return [] if leaky[0] else [np.arange(cells)]
    order = np.argsort(label, kind="stable")
    groups = np.split(order, np.cumsum(np.bincount(label, minlength=count))[:-1])
    return sorted((group for group, leaks in zip(groups, leaky, strict=True) if not leaks), key=lambda g: int(g[0]))


def reaching(edges: Edges, transport: Sequence[FaceFluxes], cells: Indices) -> NDArray[np.bool_]:
    """Whether a path leads from each cell into `cells`, flat; from these it does."""
    from scipy.sparse.csgraph import breadth_first_order

    count = edges.killing.size
    starts, stops = _arrows(edges, transport)
    rows = np.concatenate(
        [stops, np.full(cells.size, count)]
    )  # backwards, from one more cell that leads to all `cells`
    graph = sparse.coo_matrix((np.ones(rows.size, dtype=np.int8), (rows, np.append(starts, cells))), (count + 1,) * 2)
    found = np.zeros(count + 1, dtype=bool)
    found[breadth_first_order(graph.tocsr(), count, return_predecessors=False)] = True
    return found[:-1]


def _arrows(edges: Edges, transport: Sequence[FaceFluxes]) -> tuple[Indices, Indices]:
    """From which cell to which mass goes: both ways where there is noise, downstream where there is none."""
    up, down = ~edges.noiseless | (edges.step == np.inf), ~edges.noiseless | (edges.step == -np.inf)
    starts, stops = [edges.left[up], edges.right[down]], [edges.right[up], edges.left[down]]
    for part in transport:  # every mass that a flux is made of reaches both sides of its face
        for source, weight in zip(part.sources.T, part.coefficients.T, strict=True):
            used = weight != 0
            starts += [source[used], source[used]]
            stops += [part.left[used], part.right[used]]
    return np.concatenate(starts), np.concatenate(stops)
