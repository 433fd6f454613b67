"""0 = L m beside jumps along one axis, where nothing is lost: directly, or by GMRES from there.

A killing K e_k e_k^T at one cell makes L regular, and as columns of L sum to zero
    m = (K e_k e_k^T - L)^-1 K e_k   has   L m = 0,  m_k = 1.
For a generator L' that differs in its drift the ratio r of its m' to that m solves
    (K e_k e_k^T - L)^-1 (K e_k e_k^T - L') (m r) / m = 1,
by GMRES: in ratios every cell counts alike, so that the far tail comes out as right as the peak.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import NotConverged
from fpsolve.operators.line_jumps import LineJumps
from fpsolve.solvers.gmres import gmres
from fpsolve.solvers.quasiseparable import line_solver

__all__ = ["null_masses"]

Array = NDArray[np.float64]
RTOL = 1e-12  # of the residual in ratios
SMALL = 1e-2  # of the largest mass: a cell that holds less is no place for the killing


def null_masses(jumps: LineJumps, apply: Callable[[Array], Array]) -> tuple[Array, Array, int]:
    """(m of the jumps with their positive edges, m of L, products that GMRES took).

    apply: L m.  Raises NotConverged where the direct solve fails, and where GMRES stalls.
    """
    leaving = jumps.positive.outflow + jumps.outflow * jumps.lift
    cell = int(np.argmin(np.abs(jumps.axis.s_nodes - jumps.axis.s_nodes.mean())))
    for _ in range(2):
        killing = np.zeros(jumps.axis.cells)
        killing[cell] = leaving[cell] or 1.0
        near = line_solver(jumps, 0.0, killing)
        m = near.solve(killing)
        if m[cell] >= SMALL * m.max():
            break
        cell = int(np.argmax(m))
    if not np.all(m > 0):
        raise NotConverged(
            f"{int((m <= 0).sum())} cells have masses that are not positive (the smallest {m.min():.3g} of a largest "
            f"{m.max():.3g}): paths do not reach them, or rounding is all that is left there",
            best=m,
        )
    if jumps.exact:
        return m, m, 0

    def product(ratio: Array) -> Array:
        masses = m * ratio
        return near.solve(killing * masses - apply(masses)) / m

    ratio, history = gmres(product, near.solve(killing) / m, RTOL)
    return m, m * ratio, len(history)
