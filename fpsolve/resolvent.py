"""Sparse LU of z - L, for resolvents: (z - L) y = b and its transpose.

SuperLU on the symmetric pattern of L + L^T with diagonal pivots: z - L is column diagonally dominant for Re z >= 0, so
the diagonal is a safe pivot, and the fill is half that of the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput, NotConverged

if TYPE_CHECKING:
    from scipy.sparse.linalg import SuperLU


@dataclass(frozen=True, eq=False)
class Resolvent:
    """(z - L)^-1 for one z, factored once when first used.

    `solve(b)` and `solve_adjoint(b)` take a vector of cells, or a matrix of columns.
    """

    rates: sparse.csc_matrix
    z: complex

    @cached_property
    def _factors(self) -> SuperLU:
        from scipy.sparse.linalg import splu

        z = self.z.real if self.z.imag == 0 else self.z
        matrix = (z * sparse.identity(self.rates.shape[0], format="csc") - self.rates).tocsc()
        try:
            return splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        except RuntimeError as error:
            raise NotConverged(f"z - L is singular at z = {self.z}: z is an eigenvalue of the generator") from error

    def solve(self, b: NDArray) -> NDArray:
        """y with (z - L) y = b."""
        return self._solve(b, "N")

    def solve_adjoint(self, b: NDArray) -> NDArray:
        """y with (z - L)^T y = b."""
        return self._solve(b, "T")

    def _solve(self, b: NDArray, transposed: str) -> NDArray:
        b = np.asarray(b)
        if b.shape[:1] != (self.rates.shape[0],):
            raise InvalidInput(f"the right-hand side has shape {b.shape}; expected ({self.rates.shape[0]},)")
        factors = self._factors
        dtype = np.result_type(b.dtype, float, complex if self.z.imag else float)
        if np.issubdtype(dtype, np.complexfloating) and not self.z.imag:
            return factors.solve(b.real.copy(), transposed) + 1j * factors.solve(b.imag.copy(), transposed)
        answer = factors.solve(np.ascontiguousarray(b, dtype=dtype), transposed)
        if not np.all(np.isfinite(answer)):
            raise NotConverged(f"the solve at z = {self.z} gave numbers that are not finite", best=answer)
        return answer
