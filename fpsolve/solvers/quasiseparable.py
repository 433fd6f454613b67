"""Direct solves beside jumps along one axis: (z - L + K) y = b and its transpose, real or complex z.

Few cells, and rings, by dense LU.  Else the far part is a sum of exponentials and the rest three diagonals, which
kernels/quasiseparable.py factors in O(cells terms^2); what passes between the cells and the tails beyond open ends is
of rank two an end, added by Woodbury's formula: with A the matrix without it and U V^T what is missing,
    (A - U V^T)^-1 b = y + Z (1 - V^T Z)^-1 V^T y,   y = A^-1 b,  Z = A^-1 U.
L is here that of the jumps with their edges in positive form, K a further killing (of one cell, where L is singular).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.kernels import quasiseparable as kernels
from fpsolve.memory import require
from fpsolve.operators.jump_kernel import Exponentials, Pairs, constant_of
from fpsolve.operators.jump_terms import MOST_DENSE
from fpsolve.operators.line_jumps import LineJumps

__all__ = ["DenseLU", "LineSolver", "QuasiseparableLU", "line_solver"]

Array = NDArray[np.float64]


class LineSolver:
    """(z - L + K)^-1, of vectors of cells or of matrices of columns."""

    jumps: LineJumps
    z: complex
    killing: Array

    def solve(self, b: NDArray) -> NDArray:
        """y with (z - L + K) y = b."""
        return self._by_parts(b, False)

    def solve_adjoint(self, b: NDArray) -> NDArray:
        """y with (z - L + K)^T y = b."""
        return self._by_parts(b, True)

    def _by_parts(self, b: NDArray, transposed: bool) -> NDArray:
        b = np.asarray(b)
        if b.shape[:1] != (self.jumps.axis.cells,):
            raise InvalidInput(f"the right-hand side has shape {b.shape}; expected ({self.jumps.axis.cells},)")
        if np.iscomplexobj(b) and self.z.imag == 0:
            return self._by_parts(b.real, transposed) + 1j * self._by_parts(b.imag, transposed)
        answer = self._solved(b.astype(complex if self.z.imag else float), transposed)
        if not np.all(np.isfinite(answer)):
            raise NotConverged(f"the solve at z = {self.z} gave numbers that are not finite", best=answer)
        return answer

    def _solved(self, b: NDArray, transposed: bool) -> NDArray:
        raise NotImplementedError


@dataclass(frozen=True, eq=False)
class DenseLU(LineSolver):
    """By LU of the whole matrix."""

    jumps: LineJumps
    z: complex
    killing: Array

    @cached_property
    def _factors(self) -> Any:
        from scipy.linalg import lu_factor

        matrix = -(self.jumps.matrix() + self.jumps.positive.matrix().toarray())
        matrix = matrix.astype(complex if self.z.imag else float)
        matrix[np.diag_indices_from(matrix)] += (self.z if self.z.imag else self.z.real) + self.killing
        return lu_factor(matrix, overwrite_a=True, check_finite=False)

    def _solved(self, b: NDArray, transposed: bool) -> NDArray:
        from scipy.linalg import lu_solve

        return np.asarray(lu_solve(self._factors, b, trans=int(transposed), check_finite=False))


@dataclass(frozen=True, eq=False)
class QuasiseparableLU(LineSolver):
    """By LU of exponentials and three diagonals."""

    jumps: LineJumps
    z: complex
    killing: Array

    @cached_property
    def _kernel(self) -> Exponentials:
        kernel = self.jumps.kernel
        return kernel if isinstance(kernel, Exponentials) else Exponentials(self.jumps.alpha, self.jumps.axis)

    @cached_property
    def _parts(self) -> tuple[Array, ...]:
        """weights, decay, left, right, lower."""
        jumps = self.jumps
        weights, decay = self._kernel.terms
        left, right = constant_of(jumps.alpha) * jumps.axis.weights, jumps.axis.weights * jumps.lift
        lower = np.append(0.0, -(jumps.positive.up + jumps.conductance * jumps.lift[:-1]))
        return weights, decay, left, right, lower

    @cached_property
    def _factors(self) -> tuple[NDArray, NDArray, NDArray]:
        """q, g and the pivots."""
        jumps, beside = self.jumps, self.jumps.positive
        cells, terms = self._parts[1].shape
        kind = complex if self.z.imag else float
        require(24.0 * cells * terms * (2 if self.z.imag else 1), f"the factors of {cells} cells", "use fewer cells")
        upper = np.append(-(beside.down + jumps.conductance * jumps.lift[1:]), 0.0)
        diagonal = jumps.outflow_by(self._kernel) * jumps.lift + beside.killing + self.killing
        diagonal[:-1] -= self._parts[4][1:]
        diagonal[1:] -= upper[:-1]
        q, g = np.empty((cells, terms + 1), dtype=kind), np.empty((cells, terms + 1), dtype=kind)
        pivots = np.empty(cells, dtype=kind)
        kernels.factor(*self._parts, diagonal + (self.z if self.z.imag else self.z.real), upper, q, g, pivots)
        return q, g, pivots

    @cached_property
    def _beyond(self) -> tuple[Array, Array]:
        """U and V, shape (cells, 2 per open end)."""
        into, out_of = [], []
        for end in self.jumps.ends:
            unit = np.zeros(self.jumps.axis.cells)
            unit[end.cell] = 1.0
            into += [unit, end.back]
            out_of += [end.out * self.jumps.lift, unit * self.jumps.lift]
        shape = (len(into), self.jumps.axis.cells)
        return np.array(into).reshape(shape).T, np.array(out_of).reshape(shape).T

    @cached_property
    def _woodbury(self) -> tuple[tuple[NDArray, NDArray], tuple[NDArray, NDArray]]:
        """(Z, 1 - V^T Z) of the matrix and of its transpose."""
        u, v = self._beyond
        found = []
        for mine, other, transposed in ((u, v, False), (v, u, True)):
            z = self._bare(mine.astype(complex if self.z.imag else float), transposed)
            found.append((z, np.eye(z.shape[1]) - other.T @ z))
        return found[0], found[1]

    def _solved(self, b: NDArray, transposed: bool) -> NDArray:
        y = self._bare(b, transposed)
        if not self.jumps.ends:
            return y
        z, small = self._woodbury[transposed]
        other = self._beyond[0 if transposed else 1]
        return y + z @ np.linalg.solve(small, other.T @ y)

    def _bare(self, b: NDArray, transposed: bool) -> NDArray:
        if b.ndim > 1:
            columns = [self._bare(column, transposed) for column in b.T]
            return np.stack(columns, axis=1) if columns else np.zeros(b.shape, dtype=b.dtype)
        run = kernels.solve_transposed if transposed else kernels.solve
        y = np.empty_like(b)
        run(*self._parts, *self._factors, np.ascontiguousarray(b), y)
        return y


def line_solver(jumps: LineJumps, z: complex = 0.0, killing: Array | None = None) -> LineSolver:
    """The solver that suits the cells.  killing: K, a rate out of every cell (None: 0)."""
    further = np.zeros(jumps.axis.cells) if killing is None else killing
    if not isinstance(jumps.kernel, Pairs) and not jumps.axis.periodic:
        return QuasiseparableLU(jumps, complex(z), further)
    if jumps.axis.cells > MOST_DENSE:
        raise InvalidInput(
            f"a solve on a ring of {jumps.axis.cells} cells with jumps is dense: it is done up to {MOST_DENSE} cells; "
            "use fewer"
        )
    return DenseLU(jumps, complex(z), further)
