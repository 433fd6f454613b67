"""Edges: pairs of cells between which probability flows, whatever the number of dimensions.

    flux from left to right = k (B(-step) p_left - B(step) p_right),   step = ln p gained at vanishing flux,
    rate left -> right = up = k B(-step)/w_left,   rate right -> left = down = k B(step)/w_right.

An edge without noise carries transport only, one way: its step is +-inf (0 where nothing moves), its k is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.kernels.fluxes import log_coefficients

__all__ = ["Edges"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Edges:
    """The edges of a grid, and what leaves it at absorbing ends.

    left, right: the cells of each edge, flat, C order.  offsets: from left to right in cells, shape (edges, ndim), not
    wrapped round periodic axes.
    step, log_conductance: per edge.  up, down: rates between masses, left to right and back.
    noiseless: edges without noise.
    killing: rate out of each cell at absorbing ends.
    """

    left: Indices
    right: Indices
    offsets: Indices
    step: Array
    log_conductance: Array
    up: Array
    down: Array
    noiseless: Flags
    killing: Array

    @cached_property
    def log_coefficients(self) -> tuple[Array, Array]:
        """ln of the one-way fluxes per unit density on the left and on the right of each edge with noise."""
        forward, backward = np.empty_like(self.step), np.empty_like(self.step)
        log_coefficients(self.step, self.log_conductance, forward, backward)
        return forward, backward

    @cached_property
    def outflow(self) -> Array:
        """Rate out of each cell."""
        cells = self.killing.size
        return (
            np.bincount(self.left, self.up, minlength=cells)
            + np.bincount(self.right, self.down, minlength=cells)
            + self.killing
        )

    def matrix(self) -> sparse.csc_matrix:
        """Their part of dm/dt = L m: entry [y, x] is the rate x -> y, the diagonal minus all that leaves x."""
        cells = np.arange(self.killing.size)
        rows = np.concatenate([self.right, self.left, cells])
        columns = np.concatenate([self.left, self.right, cells])
        values = np.concatenate([self.up, self.down, -self.outflow])
        return sparse.csc_matrix((values, (rows, columns)), shape=(cells.size, cells.size))
