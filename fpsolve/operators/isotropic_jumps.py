"""Isotropic stable jumps, or their linear image, among equal cells of the plane.

Acting on u = scale^alpha p, which jumps read where they start:
    (J p)_x = sum_y rate(y - x) (u_y - u_x) - loss_x u_x + what passes between the cells and the tails beyond open ends,
the far rates of fractional_plane.py by FFT, the near ones as edges, places outside the grid as in outside.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.grid import Grid
from fpsolve.kernels.edges import flow_along
from fpsolve.operators.convolution import Convolution
from fpsolve.operators.edges import Edges
from fpsolve.operators.far_places import FarJumps, far_jumps
from fpsolve.operators.fractional_plane import PlaneKernel
from fpsolve.operators.jump_terms import refuse_dense
from fpsolve.operators.outside import Outside, Places
from fpsolve.operators.plane_tails import PlaneTails, check_normalizable, law_beyond
from fpsolve.operators.product import neighbours
from fpsolve.values.continuation import Beyond

__all__ = ["IsotropicJumps"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
AT_ONCE = 10_000_000  # rates held at a time


@dataclass(frozen=True, eq=False)
class IsotropicJumps:
    """Jumps of one Stable in the plane.

    strength: scale^alpha at the cells, flat.  tails: how p and u go on beyond open ends.
    """

    kernel: PlaneKernel
    outside: Outside
    strength: Array
    tails: PlaneTails

    @property
    def grid(self) -> Grid:
        """The cells."""
        return self.outside.grid

    @cached_property
    def capacity(self) -> Array:
        """The weights; next to open ends with those of the tails."""
        extra = np.zeros(self.grid.size)
        for places in (self.outside.close, self.outside.far):
            extra += self.outside.carried(places, self.tails.exponents).T @ places.area
        return self.grid.weights.ravel() * (1.0 + extra)

    @cached_property
    def lift(self) -> Array:
        """u, as a mass, over m."""
        return np.asarray(self.strength * self.grid.weights.ravel() / self.capacity)

    @cached_property
    def killing(self) -> Array:
        """Rate out of each cell over absorbing ends."""
        return self._losses * self.lift

    @cached_property
    def outflow(self) -> Array:
        """Rate out of each cell, for good or not."""
        left, right, rates = self._between
        near = np.bincount(left, rates, self.grid.size) + np.bincount(right, rates, self.grid.size)
        return (self._leaving + near) * self.lift

    @cached_property
    def is_positive(self) -> bool:
        """Whether no rate is negative; those between neighbours are not, by construction."""
        return self._far.is_positive() and bool(np.all(self.killing >= 0.0))

    def apply(self, m: Array) -> Array:
        """J m."""
        return self._changed(self.lift * m, swapped=False)

    def adjoint(self, f: Array) -> Array:
        """J^T f."""
        return self.lift * self._changed(f, swapped=True)

    @property
    def laws(self) -> tuple[tuple[Beyond, Beyond], ...]:
        """How the density goes on beyond each end."""
        pairs = [[self._law(k, upper) for upper in (False, True)] for k in range(2)]
        return tuple((low, high) for low, high in pairs)

    def _law(self, k: int, upper: bool) -> Beyond:
        if self.grid.axes[k].ends[upper] != "open":
            return False
        return law_beyond(self.outside, self.tails, self.kernel.form, k, upper)

    def check_normalizable(self) -> None:
        """Raise NotNormalizable where a tail holds infinite mass."""
        check_normalizable(self.outside, self.tails)

    def areas(self, k: int) -> Array:
        """Areas of the faces across axis k that mass crosses; tails move toward the middle, within their own cells."""
        return np.broadcast_to(self.grid.areas(k), self.grid.shape)

    def shares(self, cells: Indices, offsets: Indices) -> Array:
        """The part of the cells' mass that diffuses along the offsets: what is in the cells themselves."""
        return np.asarray((self.grid.weights.ravel() / self.capacity)[cells])

    def beside(self, k: int) -> tuple[Array, Array]:
        """What jumps carry over the faces across axis k, up per unit of the left density and down of the right one."""
        left, right = (part.ravel() for part in neighbours(self.grid.shape, k, self.grid.axes[k].periodic))
        per_density = self.kernel.near[1][k] * self.strength * self.grid.weights.ravel()
        return per_density[left], per_density[right]

    def beyond(self, k: int, upper: bool) -> sparse.csr_matrix:
        """p at the nodes next beyond an open end of axis k, of the densities of the cells."""
        across = np.arange(float(self.grid.shape[1 - k]))
        at = np.empty((2, across.size))
        at[k], at[1 - k] = self.grid.shape[k] if upper else -1.0, across
        return self.outside.carried(Places(at, np.ones(across.size)), self.tails.exponents)

    def local(self) -> Edges:
        """Rates between near cells, as edges."""
        left, right, rates = self._between
        none = np.zeros(self.grid.size)
        steps, quiet = np.zeros(left.size), np.zeros(left.size, dtype=bool)
        up, down = rates * self.lift[left], rates * self.lift[right]
        return Edges(left, right, np.zeros((left.size, 2), dtype=np.int64), steps, steps, up, down, quiet, none)

    def matrix(self) -> Array:
        """J, pair by pair."""
        refuse_dense(self.grid.size)
        cells = np.stack(np.unravel_index(np.arange(self.grid.size), self.grid.shape))
        found = self._pairwise(cells, cells)
        left, right, rates = self._between
        np.add.at(found, (left, right), rates)
        np.add.at(found, (right, left), rates)
        land, carried = self._landing
        if land.nnz:
            at = self.outside.close.at.astype(np.int64)
            for some in np.array_split(np.arange(at.shape[1]), 1 + at.shape[1] ** 2 // AT_ONCE):
                out = self._pairwise(at[:, some], cells) + self._near_outside[some].toarray()
                found += (carried[some].T @ out).T
                found += land[some].T @ (out + self._pairwise(at[:, some], at) @ carried)
        found += self._far.matrix()
        found[np.diag_indices_from(found)] = 0.0
        found[np.diag_indices_from(found)] = -found.sum(axis=0) - self._losses
        return found * self.lift

    def _pairwise(self, places: Indices, cells: Indices) -> Array:
        """Far rates of jumps of unit scale from cells (columns) to places (rows)."""
        steps = [np.arange(p.min() - c.max(), p.max() - c.min() + 1) for p, c in zip(places, cells, strict=True)]
        known = self.kernel.far(*(part.astype(float) for part in np.meshgrid(*steps, indexing="ij")))
        i, j = (np.subtract.outer(p, c) - s[0] for p, c, s in zip(places, cells, steps, strict=True))
        return np.asarray(known[i, j])

    def _changed(self, u: Array, swapped: bool) -> Array:
        change = self._moved(u, swapped) - self._leaving * u
        left, right, rates = self._between
        flow_along(left, right, rates, rates, u, change)
        return change

    @cached_property
    def _leaving(self) -> Array:
        """What leaves each cell, per unit of u, but for the edges."""
        return self._moved(np.ones(self.grid.size), swapped=True) + self._losses

    @cached_property
    def _losses(self) -> Array:
        """What leaves each cell over absorbing ends, per unit of u."""
        if not any("absorbing" in axis.ends for axis in self.grid.axes):
            return np.zeros(self.grid.size)
        absorbed, (n, m) = self.outside.absorbed(self.outside.close).astype(float), self.grid.shape
        around = self._around
        whole = np.zeros(around.sizes)
        whole.ravel()[self._outer] = absorbed
        close = around.apply(whole)[:n, :m].ravel()
        return np.asarray(close + self._near_outside.T @ absorbed + self._far.to_cells(self._far.lost))

    def _moved(self, u: Array, swapped: bool) -> Array:
        """What comes into each cell, but over the edges; swapped: the transpose."""
        n, m = self.grid.shape
        land, carried = self._landing[::-1] if swapped else self._landing
        if not land.nnz:
            return self._inside.apply(u.reshape(n, m))[:n, :m].ravel()
        outer, whole = carried @ u, np.zeros(self._around.sizes)
        whole.ravel()[self._outer] = outer
        whole[:n, :m] = u.reshape(n, m)
        whole = self._around.apply(whole)
        arrived = whole.ravel()[self._outer] + self._near_outside @ u
        change = whole[:n, :m].ravel()
        return change + land.T @ arrived + self._near_outside.T @ outer + self._far.moved(u, swapped)

    @cached_property
    def _landing(self) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        close, falls = self.outside.close, self.tails.exponents - self.tails.growths
        return self.outside.landing(close), self.outside.carried(close, falls)

    @cached_property
    def _far(self) -> FarJumps:
        return far_jumps(self.kernel, self.outside, self.tails.exponents - self.tails.growths)

    @cached_property
    def _inside(self) -> Convolution:
        n, m = self.grid.shape
        return Convolution(self.kernel, (n, m), (0, 0))

    @cached_property
    def _around(self) -> Convolution:
        n, m = self.grid.shape
        return Convolution(self.kernel, (n, m), self.outside.margins)

    @cached_property
    def _outer(self) -> Indices:
        return self._around.places(self.outside.close.at)

    @cached_property
    def _between(self) -> tuple[Indices, Indices, Array]:
        """Edges between near cells of the grid, and their rates per unit of u."""
        parts = [self._pairs(offset, rate) for offset, rate in zip(*self.kernel.near, strict=True) if rate > 0]
        left, right, rates = (np.concatenate([part[i] for part in parts]) for i in range(3))
        return left, right, rates

    def _pairs(self, offset: Indices, rate: float) -> tuple[Indices, Indices, Array]:
        place, inside = self._shifted(offset)
        left = np.flatnonzero(inside)
        right = np.ravel_multi_index(tuple(place[:, left]), self.grid.shape)
        return left, right, np.full(left.size, rate)

    def _shifted(self, offset: Indices) -> tuple[Indices, NDArray[np.bool_]]:
        """Every cell's place moved by an offset, round periodic axes, and whether it is in the grid."""
        place = np.stack(np.unravel_index(np.arange(self.grid.size), self.grid.shape)) + offset[:, None]
        for k, axis in enumerate(self.grid.axes):
            if axis.periodic:
                place[k] %= axis.cells
        shape = np.array(self.grid.shape)[:, None]
        return place, np.all((place >= 0) & (place < shape), axis=0)

    @cached_property
    def _near_outside(self) -> sparse.csr_matrix:
        """Rates between near cells (columns) and those around the grid (rows), per unit of u."""
        (a, b), (n, m) = self.outside.margins, self.grid.shape
        number = np.full((n + 2 * a, m + 2 * b), -1)
        at = self.outside.close.at.astype(np.int64)
        number[at[0] + a, at[1] + b] = np.arange(at.shape[1])
        found = sparse.csr_matrix((at.shape[1], self.grid.size))
        for offset, rate in zip(*self.kernel.near, strict=True):
            for sign in (1, -1):
                place, inside = self._shifted(sign * offset)
                cells = np.flatnonzero(~inside)
                rows = number[place[0, cells] + a, place[1, cells] + b]
                found += sparse.csr_matrix((np.full(cells.size, rate), (rows, cells)), shape=found.shape)
        return found
