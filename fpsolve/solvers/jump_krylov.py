"""(z - L)^-1 in several dimensions with jumps, nearly: what GMRES has inside.

A grid of few cells, solved as a dense matrix in positive form, knows how mass moves far; what it cannot resolve is left
to the sparse LU of drift, diffusion and the jumps between neighbours, all other jumps counted as losses:

    y = P (z - L_coarse)^-1 R b,   y <- y + (z - L_local)^-1 [b - (z - L) y],

R adding masses, P interpolating densities.  Grids of few cells are solved as dense matrices themselves.
For stationary densities z - L is replaced by -L + g 1', which has an inverse: m with L m = 0, sum(m) = 1 for b = g.
Source: Trottenberg, Oosterlee & Schueller, Multigrid (2001), ch. 2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.grid import Grid
from fpsolve.operators.plane_jumps import PlaneJumps

if TYPE_CHECKING:
    from scipy.sparse.linalg import SuperLU

__all__ = ["FEW", "NearPlane"]

Array = NDArray[np.float64]
FEW = 500  # cells that are solved as a dense matrix
Product = Callable[[NDArray], NDArray]


@dataclass(frozen=True, eq=False)
class NearPlane:
    """Nearly (z - L)^-1, or (-L + border 1')^-1 where a border is given.

    beside: what L has beside the jumps, a matrix.  apply, adjoint: L and its transpose.
    `solve` and `solve_adjoint` take a vector of cells.
    """

    jumps: PlaneJumps
    beside: sparse.csc_matrix
    apply: Product
    adjoint: Product
    z: complex
    border: Array | None = None

    def solve(self, b: NDArray) -> NDArray:
        """Nearly y with (z - L) y = b."""
        if self._is_small:
            return _dense_solve(self._dense, b, 0)
        restriction, prolongation = self._between
        y = prolongation @ _dense_solve(self._dense, restriction @ b, 0)
        return y + _sparse_solve(self._local, b - self.product(y), "N")

    def solve_adjoint(self, b: NDArray) -> NDArray:
        """Nearly y with (z - L)^T y = b."""
        if self._is_small:
            return _dense_solve(self._dense, b, 1)
        restriction, prolongation = self._between
        y = _sparse_solve(self._local, b, "T")
        left = b - self.transposed(y)
        return y + restriction.T @ _dense_solve(self._dense, prolongation.T @ left, 1)

    def product(self, y: NDArray) -> NDArray:
        """(z - L) y."""
        change = self._shift * y - _of_parts(self.apply, y)
        return change if self.border is None else change + self.border * y.sum()

    def transposed(self, y: NDArray) -> NDArray:
        """(z - L)^T y."""
        change = self._shift * y - _of_parts(self.adjoint, y)
        return change if self.border is None else change + self.border @ y

    @property
    def _shift(self) -> complex:
        return self.z if self.z.imag else self.z.real

    @property
    def _is_small(self) -> bool:
        return self.jumps.grid.size <= FEW

    @cached_property
    def _dense(self) -> Any:
        """The LU of the small grid, or of the coarse one."""
        from scipy.linalg import lu_factor

        if self._is_small:
            rates, border = self.beside.toarray() + self.jumps.matrix(), self.border
        else:
            edges, jumps = self._coarse
            rates = edges.matrix().toarray() + jumps.matrix()
            border = None if self.border is None else self._between[0] @ self.border
        matrix = self._shift * np.eye(len(rates)) - rates
        return lu_factor(matrix if border is None else matrix + border[:, None], overwrite_a=True, check_finite=False)

    @cached_property
    def _coarse(self) -> Any:
        edges, _, jumps = self.jumps.on(_coarser(self.jumps.grid))
        return edges, jumps

    @cached_property
    def _between(self) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
        """R and P."""
        fine, jumps = self.jumps.grid, self._coarse[1]
        add, between = sparse.identity(1), sparse.identity(1)
        for many, few in zip(fine.axes, jumps.grid.axes, strict=True):
            add = sparse.kron(add, _sums(many.cells, few.cells))
            between = sparse.kron(between, _hats(many.cells, few.cells, many.periodic))
        prolongation = sparse.diags(self.jumps.capacity) @ between @ sparse.diags(1.0 / jumps.capacity)
        return add.tocsr(), prolongation.tocsr()

    @cached_property
    def _local(self) -> SuperLU:
        from scipy.sparse.linalg import splu

        near = self.jumps.jumps.local()
        rest = self.jumps.jumps.outflow - near.outflow
        rates = self.beside + near.matrix() - sparse.diags(rest, format="csc")
        matrix = (self._shift * sparse.identity(rates.shape[0], format="csc") - rates).tocsc()
        return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})


def _coarser(grid: Grid) -> Grid:
    """The same grid with few cells."""
    import dataclasses

    factor = (grid.size / FEW) ** (1.0 / grid.ndim)
    axes = {
        name: dataclasses.replace(axis, cells=max(4, int(axis.cells / factor)))
        for name, axis in zip(grid.names, grid.axes, strict=True)
    }
    return Grid(**axes)


def _sums(many: int, few: int) -> sparse.csr_matrix:
    """Shares of every one of many cells in each of a few, (few, many)."""
    edges = np.arange(many + 1) * (few / many)
    low = np.minimum(edges[:-1].astype(int), few - 1)
    inside = np.clip((low + 1 - edges[:-1]) / np.diff(edges), 0.0, 1.0)
    column = np.arange(many)
    high = np.minimum(low + 1, few - 1)
    values = np.concatenate([inside, 1.0 - inside])
    return sparse.csr_matrix((values, (np.concatenate([low, high]), np.concatenate([column, column]))), (few, many))


def _hats(many: int, few: int, periodic: bool) -> sparse.csr_matrix:
    """Linear interpolation from the middles of few cells to those of many, constant before ends; (many, few)."""
    place = (np.arange(many) + 0.5) * (few / many) - 0.5
    low = np.floor(place).astype(int)
    share = place - low
    ends = [low % few, (low + 1) % few] if periodic else [np.clip(low, 0, few - 1), np.clip(low + 1, 0, few - 1)]
    rows = np.arange(many)
    values = np.concatenate([1.0 - share, share])
    return sparse.csr_matrix((values, (np.concatenate([rows, rows]), np.concatenate(ends))), (many, few))


def _of_parts(apply: Product, y: NDArray) -> NDArray:
    return apply(y.real) + 1j * apply(y.imag) if np.iscomplexobj(y) else apply(y)


def _dense_solve(factors: Any, b: NDArray, transposed: int) -> NDArray:
    from scipy.linalg import lu_solve

    return np.asarray(lu_solve(factors, b, trans=transposed, check_finite=False))


def _sparse_solve(factors: SuperLU, b: NDArray, transposed: str) -> NDArray:
    if np.iscomplexobj(b) and factors.L.dtype.kind != "c":
        return np.asarray(factors.solve(b.real.copy(), transposed) + 1j * factors.solve(b.imag.copy(), transposed))
    return np.asarray(factors.solve(b.astype(complex) if factors.L.dtype.kind == "c" else b, transposed))
