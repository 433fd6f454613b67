"""Jumps between a grid and places far from it: a kernel that is smooth on the grid, interpolated between few nodes.

    rate(x, y) = sum_c l_c(x) rate(x_c, y),   x_c Chebyshev's nodes on either axis, l_c Lagrange's polynomials,
as many of them as the distance of the nearest place asks for (Bernstein's ellipse through the kernel's pole).  Where
that is very many, as for jumps along a slanted line, l_c are hats between evenly spaced nodes instead: still no rate is
negative, and only those to far places are rough.
Source: Trefethen, Approximation Theory and Approximation Practice (2013), ch. 5 and 8.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.memory import require
from fpsolve.operators.fractional_plane import PlaneKernel
from fpsolve.operators.outside import Outside

__all__ = ["FarJumps", "far_jumps"]

Array = NDArray[np.float64]
ERROR = 1e-6  # of the largest rate to a place
MOST_NODES = 64  # along an axis
AT_ONCE = 4_000_000  # rates held at a time


@dataclass(frozen=True, eq=False)
class FarJumps:
    """Rates from nodes x_c to the cells where jumps land, and from the tails that those cells stand for to the nodes.

    first, second: l_c at the cells of each axis, (cells, nodes).  out, back: (nodes, cells that are landed in).
    lost: to absorbing places, (nodes,).  landed: those cells, flat.
    """

    first: Array
    second: Array
    out: Array
    back: Array
    lost: Array
    landed: NDArray[np.int64]

    def to_cells(self, at_nodes: Array) -> Array:
        """sum_c l_c(x) f_c at the cells, flat."""
        square = at_nodes.reshape(self.first.shape[1], self.second.shape[1])
        return np.asarray(self.first @ square @ self.second.T).ravel()

    def to_nodes(self, at_cells: Array) -> Array:
        """The transpose: sum_x l_c(x) u_x."""
        square = at_cells.reshape(self.first.shape[0], self.second.shape[0])
        return np.asarray(self.first.T @ square @ self.second).ravel()

    def moved(self, u: Array, swapped: bool) -> Array:
        """What lands in and what returns to each cell; swapped: the transpose."""
        out, back = (self.back, self.out) if swapped else (self.out, self.back)
        change = self.to_cells(back @ u[self.landed])
        change[self.landed] += out.T @ self.to_nodes(u)
        return change

    def matrix(self) -> Array:
        """The same as a matrix (cells, cells)."""
        shares = np.kron(self.first, self.second)
        found = np.zeros((len(shares), len(shares)))
        found[self.landed] += (shares @ self.out).T
        found[:, self.landed] += shares @ self.back
        return found

    def is_positive(self) -> bool:
        """Whether no rate is negative, at every fourth cell or so and at the ends."""
        rows = [np.unique(np.append(np.arange(0, len(part), 4), len(part) - 1)) for part in (self.first, self.second)]
        few = (self.first.shape[1], self.second.shape[1], -1)
        for part in (self.out, self.back, self.lost):
            some = np.tensordot(self.second[rows[1]], part.reshape(few), axes=(1, 1))
            if not np.all(np.tensordot(self.first[rows[0]], some, axes=(1, 1)) >= 0.0):
                return False
        return True


def far_jumps(kernel: PlaneKernel, outside: Outside, falls: Array) -> FarJumps:
    """Rates of jumps of unit scale between the cells of the grid and `outside.far`, where u falls like y^-falls."""
    grid, places = outside.grid, outside.far
    land, carried = outside.landing(places), outside.carried(places, falls)
    landed = np.flatnonzero(np.asarray(land.sum(axis=0)).ravel() > 0)
    first, second = (_interpolation(kernel, outside, k) for k in range(2))
    nodes = np.stack(np.meshgrid(first[0], second[0], indexing="ij")).reshape(2, -1)
    count = nodes.shape[1]
    require(24.0 * count * landed.size, f"jumps over the ends of {grid.size} cells", "use fewer cells, or a grid and "
            "cells that are longer where the jumps are")  # fmt: skip
    out, back, lost = np.zeros((count, landed.size)), np.zeros((count, landed.size)), np.zeros(count)
    absorbed = outside.absorbed(places) * places.area
    land, carried = (sparse.diags(places.area) @ part[:, landed] for part in (land, carried))
    used = np.flatnonzero((absorbed > 0) | (np.asarray(land.sum(axis=1)).ravel() > 0))
    size = max(1, AT_ONCE // max(used.size, 1))
    for start in range(0, count if used.size else 0, size):
        part = slice(start, start + size)
        rates = kernel.rates(*(places.at[k, used] - nodes[k, part, None] for k in range(2)))
        out[part], back[part] = rates @ land[used], rates @ carried[used]
        lost[part] = rates @ absorbed[used]
    assert first[1].shape[0] * second[1].shape[0] == grid.size
    return FarJumps(first[1], second[1], out, back, lost, landed)


def _interpolation(kernel: PlaneKernel, outside: Outside, k: int) -> tuple[Array, Array]:
    """Nodes along axis k and the l_c at its cells; the cells themselves where they are no more."""
    cells, form = outside.grid.shape[k], kernel.form
    margins, half = outside.margins, 0.5 * outside.grid.shape[k]
    poles = []
    if margins[k]:
        beyond = 1.0 + margins[k] / half
        poles.append(beyond + math.sqrt(beyond**2 - 1.0))
    if margins[1 - k]:
        aside = margins[1 - k] * math.sqrt(float(np.linalg.det(form))) / float(form[k, k]) / half
        poles.append(aside + math.hypot(1.0, aside))
    count = math.ceil(math.log(1.0 / ERROR) / math.log(min(poles, default=2.0)))
    places = np.arange(cells, dtype=float)
    if min(count, MOST_NODES) >= cells:
        return places, np.eye(cells)
    if count > MOST_NODES:
        nodes = np.linspace(0.0, cells - 1.0, MOST_NODES)
        return nodes, np.stack([np.interp(places, nodes, hat) for hat in np.eye(MOST_NODES)], axis=1)
    angle = (np.arange(count) + 0.5) * math.pi / count
    nodes, weights = half - 0.5 + half * np.cos(angle), np.sin(angle) * (-1.0) ** np.arange(count)
    gaps = places[:, None] - nodes
    met = np.abs(gaps) < 1e-12 * cells
    terms = weights / np.where(met, 1.0, gaps)
    shares = terms / terms.sum(axis=1, keepdims=True)
    hit = np.any(met, axis=1)
    shares[hit] = met[hit]
    return nodes, shares
