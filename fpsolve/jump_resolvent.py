"""(z - L)^-1 of a generator with jumps.

Along one axis a direct solve, where the edges are in positive form.  The fluxes of fifth order that Accurate() gives
to drift are solved by GMRES with that direct solve as preconditioner; and so is what its sum of exponentials and the
generator's FFT differ by, which takes a product or two.  In several dimensions GMRES with solvers/jump_krylov.py.
Where paths end in sets, a killing far above every rate holds their cells empty.
Source: Saad, Iterative Methods for Sparse Linear Systems (2003), ch. 9.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput
from fpsolve.operators.ended_jumps import EndedJumps
from fpsolve.operators.jump_kernel import Toeplitz
from fpsolve.operators.jump_terms import JumpTerms
from fpsolve.operators.line_jumps import LineJumps
from fpsolve.operators.plane_jumps import PlaneJumps
from fpsolve.solvers.gmres import gmres
from fpsolve.solvers.jump_krylov import NearPlane
from fpsolve.solvers.quasiseparable import LineSolver, line_solver

__all__ = ["EndedSolver", "JumpResolvent", "Operator", "jump_resolvent"]

Array = NDArray[np.float64]
EMPTIED = 1e30  # of the fastest rate: a killing that leaves nothing in a cell
RTOL = 1e-13  # of the residual, seen through the direct solve
Product = Callable[[NDArray], NDArray]


class Near(Protocol):
    """Nearly (z - L)^-1."""

    def solve(self, b: NDArray) -> NDArray:
        """Nearly y with (z - L) y = b."""

    def solve_adjoint(self, b: NDArray) -> NDArray:
        """Nearly y with (z - L)^T y = b."""


class Operator(Protocol):
    """What is asked of a generator."""

    def apply(self, m: Array) -> Array:
        """L m."""

    def adjoint(self, f: Array) -> Array:
        """L^T f."""

    def beside_jumps(self) -> sparse.csc_matrix:
        """What L has beside the jumps."""


@dataclass(frozen=True, eq=False)
class JumpResolvent:
    """(z - L)^-1 from `near`, the same for a generator not far from it.

    `solve(b)` and `solve_adjoint(b)` take a vector of cells, or a matrix of columns.
    """

    generator: Operator
    near: Near
    z: complex

    def solve(self, b: NDArray) -> NDArray:
        """y with (z - L) y = b."""
        return self._solve(np.asarray(b), self.generator.apply, self.near.solve)

    def solve_adjoint(self, b: NDArray) -> NDArray:
        """y with (z - L)^T y = b."""
        return self._solve(np.asarray(b), self.generator.adjoint, self.near.solve_adjoint)

    def _solve(self, b: NDArray, apply: Product, near: Product) -> NDArray:
        if b.ndim > 1:
            return np.stack([self._solve(column, apply, near) for column in b.T], axis=1)
        z = self.z if self.z.imag else self.z.real

        def product(y: NDArray) -> NDArray:
            change = apply(y.real) + 1j * apply(y.imag) if np.iscomplexobj(y) else apply(y)
            return near(z * y - change)

        return gmres(product, near(b), RTOL)[0]


@dataclass(frozen=True, eq=False)
class EndedSolver:
    """(z - L)^-1 of jumps and positive edges whose paths end in sets."""

    jumps: EndedJumps
    z: complex

    def solve(self, b: NDArray) -> NDArray:
        """y with (z - L) y = b."""
        return self._with_outside(b, self._line.solve)

    def solve_adjoint(self, b: NDArray) -> NDArray:
        """y with (z - L)^T y = b."""
        return self._with_outside(b, self._line.solve_adjoint)

    @cached_property
    def _line(self) -> LineSolver:
        jumps = self.jumps
        edges = jumps.line.positive.outflow
        fastest = float((jumps.outflow + edges).max()) + abs(self.z)
        return line_solver(jumps.line, self.z, np.where(jumps.free, jumps.nearer, EMPTIED * fastest))

    def _with_outside(self, b: NDArray, solve: Product) -> NDArray:
        free, z = self.jumps.free, self.z if self.z.imag else self.z.real
        own = np.where(free, 1.0, z + self.jumps.line.positive.killing)
        if b.ndim > 1:
            free, own = free[:, None], own[:, None]
        return np.where(free, solve(np.where(free, b, 0.0)), b / own)


def jump_resolvent(generator: Operator, jumps: JumpTerms, z: complex) -> JumpResolvent | LineSolver | EndedSolver:
    """(z - L)^-1 of a generator and the jumps in it."""
    if isinstance(jumps, PlaneJumps):
        z = complex(z)
        plane = NearPlane(jumps, generator.beside_jumps(), generator.apply, generator.adjoint, z)
        return JumpResolvent(generator, plane, z)
    if isinstance(jumps, EndedJumps):
        ended = EndedSolver(jumps, complex(z))
        return ended if jumps.line.exact else JumpResolvent(generator, ended, complex(z))
    if not isinstance(jumps, LineJumps):
        raise InvalidInput(f"no resolvent is known for {type(jumps).__name__}")
    near = line_solver(jumps, z)
    summed = isinstance(jumps.kernel, Toeplitz) and not jumps.axis.periodic
    return JumpResolvent(generator, near, complex(z)) if summed or not jumps.exact else near
