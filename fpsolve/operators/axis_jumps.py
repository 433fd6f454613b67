"""Stable jumps along single axes of several: on every line of cells what jump_line.py does on one.

    (J m) = sum_k J_k (scale_k^alpha_k m),   J_k along axis k for jumps of unit scale,
a matrix of the axis's own cells, whatever its map.  Tails beyond open ends are powers along each axis, p a product of
them: a cell's mass over its density is the product of what the axes say, and a tail's exponent is that of the line
through the middle of the other axes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.grid import Grid
from fpsolve.operators.edges import Edges
from fpsolve.operators.jump_drift import bare_chain
from fpsolve.operators.jump_ends import Tail, lost_over, open_end
from fpsolve.operators.jump_kernel import kernel_of, local_conductance
from fpsolve.operators.jump_tails import check_normalizable
from fpsolve.operators.jump_terms import refuse_dense
from fpsolve.operators.line_jumps import LineJumps
from fpsolve.operators.product import neighbours
from fpsolve.values.continuation import Beyond, continued_ends
from fpsolve.values.joint_law import JointLaw

__all__ = ["AxisJumps", "unit_line"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def unit_line(alpha: float, grid: Grid, k: int, tails: tuple[Tail | None, Tail | None]) -> LineJumps:
    """Jumps of unit scale along axis k; a tail for each open end."""
    axis = grid.axes[k]
    ends = tuple(open_end(alpha, axis, upper, tail) for upper in (False, True) if (tail := tails[upper]) is not None)
    capacity = axis.weights.copy()
    for end in ends:
        capacity[end.cell] += end.weight
    absorbing = [upper for upper in (False, True) if axis.ends[upper] == "absorbing"]
    lost = np.sum([np.zeros(axis.cells), *(lost_over(alpha, axis, upper) for upper in absorbing)], axis=0)
    none = bare_chain(axis, np.zeros(axis.gaps.size), np.zeros(axis.gaps.size), np.zeros(axis.cells))
    kernel, conductance = kernel_of(alpha, axis), local_conductance(alpha, axis)
    ones = np.ones(axis.cells)
    return LineJumps(axis, alpha, ones, kernel, conductance, lost, ends, capacity, none, exact=True)


@dataclass(frozen=True, eq=False)
class AxisJumps:
    """Jumps along some axes.

    lines: per axis, jumps of unit scale, None where there are none.  strengths: scale^alpha at the cells, per axis.
    """

    grid: Grid
    lines: tuple[LineJumps | None, ...]
    strengths: tuple[Array, ...]

    @cached_property
    def capacity(self) -> Array:
        """The product of what the axes say."""
        found = np.ones(())
        for axis, line in zip(self.grid.axes, self.lines, strict=True):
            found = np.multiply.outer(found, axis.weights if line is None else line.capacity)
        return found.ravel()

    @cached_property
    def matrices(self) -> tuple[Array | None, ...]:
        """J_k."""
        return tuple(None if line is None else line.matrix() for line in self.lines)

    @cached_property
    def killing(self) -> Array:
        """Rate out of each cell over absorbing ends."""
        found = np.zeros(self.grid.shape)
        for k, line in enumerate(self.lines):
            if line is not None:
                found += self._along(k, line.killing) * self._strength(k)
        return found.ravel()

    @cached_property
    def outflow(self) -> Array:
        """Rate out of each cell, for good or not."""
        found = np.zeros(self.grid.shape)
        for k, matrix in enumerate(self.matrices):
            if matrix is not None:
                found -= self._along(k, matrix.diagonal()) * self._strength(k)
        return found.ravel()

    @property
    def laws(self) -> tuple[tuple[Beyond, Beyond], ...]:
        """How the density goes on beyond each end: as a product."""
        found: list[tuple[Beyond, Beyond]] = []
        for axis, line in zip(self.grid.axes, self.lines, strict=True):
            if line is None:
                found.append(continued_ends(axis))
                continue
            tails = {end.upper: JointLaw.product(end.tail.law, axis, end.upper) for end in line.ends}
            found.append((tails.get(False, False), tails.get(True, False)))
        return tuple(found)

    def check_normalizable(self) -> None:
        """Raise NotNormalizable where a tail holds infinite mass."""
        for name, axis, line in zip(self.grid.names, self.grid.axes, self.lines, strict=True):
            for end in () if line is None else line.ends:
                check_normalizable(axis, name, end.upper, end.tail)

    @cached_property
    def is_positive(self) -> bool:
        """Whether no rate is negative; those between neighbours are not, by construction."""
        for matrix in self.matrices:
            if matrix is not None:
                off = matrix.copy()
                np.fill_diagonal(off, 0.0)
                if not np.all(off >= 0.0):
                    return False
        return bool(np.all(self.killing >= 0.0))

    def apply(self, m: Array) -> Array:
        """J m."""
        return self._sum(m, transposed=False)

    def adjoint(self, f: Array) -> Array:
        """J^T f."""
        return self._sum(f, transposed=True)

    def areas(self, k: int) -> Array:
        """Areas of the faces across axis k that mass crosses: what is in a tail moves along the other axes too."""
        found = self.capacity.reshape(self.grid.shape)
        line = self.lines[k]
        return found / self._along(k, self.grid.axes[k].weights if line is None else line.capacity)

    def shares(self, cells: Indices, offsets: Indices) -> Array:
        """The part of the cells' mass that diffuses along the offsets: tails do along other axes than their own."""
        found = np.ones(cells.size)
        for k, (axis, line) in enumerate(zip(self.grid.axes, self.lines, strict=True)):
            if line is not None:
                place = np.unravel_index(cells, self.grid.shape)[k]
                found = np.where(offsets[:, k] != 0, found * (axis.weights / line.capacity)[place], found)
        return found

    def beside(self, k: int) -> tuple[Array, Array]:
        """What jumps carry over the faces across axis k, up per unit of the left density and down of the right one."""
        matrix, shape = self.matrices[k], self.grid.shape
        left, right = (part.ravel() for part in neighbours(shape, k, self.grid.axes[k].periodic))
        if matrix is None:
            return np.zeros(left.size), np.zeros(left.size)
        i, j = (np.unravel_index(cells, shape)[k] for cells in (left, right))
        per_density = self._strength(k).ravel() * self.capacity
        return matrix[j, i] * per_density[left], matrix[i, j] * per_density[right]

    def beyond(self, k: int, upper: bool) -> sparse.csr_matrix:
        """p at the nodes next beyond an open end of axis k, of the densities of the cells."""
        axis, line = self.grid.axes[k], self.lines[k]
        cells = np.arange(self.grid.size).reshape(self.grid.shape).take(-1 if upper else 0, axis=k).ravel()
        ratio = 0.0
        if line is not None:
            law = next(end.tail.law for end in line.ends if end.upper == upper)
            further = axis.s_nodes[-1] + axis.ds if upper else axis.s_nodes[0] - axis.ds
            ratio = float(np.exp(law.log_gain(axis.x(further), axis, upper)))
        shape = (cells.size, self.grid.size)
        return sparse.csr_matrix((np.full(cells.size, ratio), (np.arange(cells.size), cells)), shape=shape)

    def local(self) -> Edges:
        """Rates between neighbours, as edges."""
        left, right, up, down = [], [], [], []
        for k, axis in enumerate(self.grid.axes):
            a, b = (part.ravel() for part in neighbours(self.grid.shape, k, axis.periodic))
            forth, back = self.beside(k)
            left.append(a)
            right.append(b)
            up.append(forth / self.capacity[a])
            down.append(back / self.capacity[b])
        ends = np.concatenate(left), np.concatenate(right)
        steps, quiet = np.zeros(ends[0].size), np.zeros(ends[0].size, dtype=bool)
        offsets, none = np.zeros((ends[0].size, self.grid.ndim), dtype=np.int64), np.zeros(self.grid.size)
        return Edges(*ends, offsets, steps, steps, np.concatenate(up), np.concatenate(down), quiet, none)

    def matrix(self) -> Array:
        """J, shape (cells, cells)."""
        refuse_dense(self.grid.size)
        return np.asarray(self.apply_to_columns(np.eye(self.grid.size)))

    def apply_to_columns(self, columns: Array) -> Array:
        """J times a matrix."""
        found = np.zeros((*self.grid.shape, columns.shape[1]))
        for k, matrix in enumerate(self.matrices):
            if matrix is not None:
                scaled = (self._strength(k).ravel()[:, None] * columns).reshape(found.shape)
                found += np.moveaxis(np.tensordot(matrix, scaled, axes=(1, k)), 0, k)
        return found.reshape(columns.shape)

    def _sum(self, vector: Array, transposed: bool) -> Array:
        found, whole = np.zeros(self.grid.shape), vector.reshape(self.grid.shape)
        for k, matrix in enumerate(self.matrices):
            if matrix is None:
                continue
            scaled = whole if transposed else self._strength(k) * whole
            part = np.moveaxis(np.tensordot(matrix.T if transposed else matrix, scaled, axes=(1, k)), 0, k)
            found += self._strength(k) * part if transposed else part
        return found.ravel()

    def _strength(self, k: int) -> Array:
        return self.strengths[k].reshape(self.grid.shape)

    def _along(self, k: int, values: Array) -> Array:
        return values.reshape([-1 if i == k else 1 for i in range(self.grid.ndim)])
