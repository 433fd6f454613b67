"""Ulam's method: cells that exchange mass under a random map, a Markov chain; positive, first order, a cross-check.

A cell's image is the cell, displaced by what its middle is, and falls on two cells in proportion to its overlap.
Source: Ulam, A Collection of Mathematical Problems (1960), ch. VI.4.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.branches import branches
from fpsolve.random_map import RandomMap
from fpsolve.solvers.gth import GTH
from fpsolve.values.density import Density
from fpsolve.values.info import Info

__all__ = ["ulam"]

Array = NDArray[np.float64]


def ulam(random_map: RandomMap, lo: float, hi: float, cells: int, mode: float) -> Density:
    """The stationary density of the chain on `cells` cells between lo and hi, in s, around `mode`.

    Cells that are not left for good and reached again (transient ones, and other closed classes) have mass 0.

    >>> p = ulam(RandomMap(lambda x, a: 0.5 * x + a, [-1.0, 1.0], (-2.5, 2.5)), -2.5, 2.5, 100, 0.0)
    >>> bool(p.values.min() >= 0), round(p.var(), 1)
    (True, 1.3)
    """
    h = (hi - lo) / cells
    s = lo + h * (np.arange(cells, dtype=np.float64) + 0.5)
    rates = _exchange(random_map, s, h)
    members = _recurrent(rates, int(np.clip((mode - lo) / h, 0, cells - 1)))
    masses = np.zeros(cells)
    masses[members] = GTH().null_vector(rates[members][:, members].T.tocsc(), members[:, None], progress=False)
    sign = -1 if random_map.readout.scale < 0 else 1
    grid = random_map.grid(lo, hi, cells)
    return Density.from_masses(grid, masses[::sign], info=Info(method="Ulam cells, GTH elimination")).replace(
        continued=((False, False),)
    )


def _exchange(random_map: RandomMap, s: Array, h: float) -> sparse.csr_matrix:
    """P[x, y], the probability to go from cell x to cell y; beyond the ends it stays in the outermost cells."""
    cells, found = s.size, branches(random_map, s, smoothed=False)
    place = np.arange(cells)[:, None] + np.clip(found.displacements / h, -2.0 * cells, 2.0 * cells)
    whole = np.floor(place)
    share = place - whole
    weights = np.maximum(np.broadcast_to(found.weights, place.shape), 0.0)  # batch weights are signed by rounding
    rows = np.repeat(np.arange(cells), place.shape[1])
    total = np.zeros(cells * cells)
    for target, part in ((whole, 1.0 - share), (whole + 1.0, share)):
        column = np.clip(target, 0, cells - 1).astype(np.int64).ravel()
        total += np.bincount(rows * cells + column, (part * weights).ravel(), minlength=total.size)
    return sparse.csr_matrix(total.reshape(cells, cells))


def _recurrent(rates: sparse.csr_matrix, start: int) -> NDArray[np.int64]:
    """The closed class of cells that mass from cell `start` ends in; the largest where there are several."""
    from scipy.sparse.csgraph import connected_components

    count, label = connected_components(rates, connection="strong")
    between = sparse.coo_matrix(rates)
    leaves = np.zeros(count, dtype=bool)
    crossing = label[between.row] != label[between.col]
    leaves[label[between.row[crossing]]] = True
    if not leaves[label[start]]:
        return np.flatnonzero(label == label[start])
    closed = np.flatnonzero(~leaves)
    sizes = np.bincount(label, minlength=count)
    return np.flatnonzero(label == closed[np.argmax(sizes[closed])])
