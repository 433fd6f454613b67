"""Basins of a density and the passes between them: union-find over edges, the busiest first."""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.jit import jit


@jit
def _root(parent, cell):
    while parent[cell] != cell:
        parent[cell] = parent[parent[cell]]
        cell = parent[cell]
    return cell


@jit
def narrowest_pass(order, left, right, traffic, masses, least):
    """The edge that joins two sets of cells, each with mass `least` or more, with the least traffic for its mass.

    order: edges by falling traffic.  Returns the position in `order` of that edge, -1 where no two such sets meet.
    """
    parent, held = np.arange(masses.size), masses.copy()
    best, slowest = -1, np.inf
    for position in range(order.size):
        edge = order[position]
        a, b = _root(parent, left[edge]), _root(parent, right[edge])
        if a == b:
            continue
        smaller = min(held[a], held[b])
        if smaller >= least and traffic[edge] / smaller < slowest:
            best, slowest = position, traffic[edge] / smaller
        if held[a] < held[b]:
            a, b = b, a
        parent[b] = a
        held[a] += held[b]
    return best


@jit
def joined(order, count, left, right, start, cells):
    """Which of `cells` the first `count` edges of `order` join to `start`."""
    parent = np.arange(cells)
    for position in range(count):
        a, b = _root(parent, left[order[position]]), _root(parent, right[order[position]])
        if a != b:
            parent[b] = a
    inside = np.zeros(cells, dtype=np.bool_)
    home = _root(parent, start)
    for cell in range(cells):
        inside[cell] = _root(parent, cell) == home
    return inside
