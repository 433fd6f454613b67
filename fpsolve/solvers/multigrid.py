"""Null vectors of Markov chains by algebraic multigrid, for grids too large to eliminate.

Masses m = exp(f) y, with f at first the least-squares solution of f_y - f_x = ln(a_xy/a_yx) over all pairs of cells,
which is exact in detailed balance, and y from

    y_i - sum_j a_ji exp(f_j - f_i) y_j / s_i = 0,   s_i = the rate out of i,   y = 1 at one cell,

by BiCGStab on a Ruge-Stueben hierarchy; f <- f + ln y until every cell is in balance relative to its own flow.  So
tails are as accurate as the peak, and nothing underflows on the way.  The matrix has a positive inverse: what it makes
of the remaining imbalances, and of rounding, bounds the error of every mass.
Sources: Ruge & Stueben, in Multigrid Methods (SIAM, 1987); pyamg: Bell et al., J. Open Source Softw. 7, 4142 (2022).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput, MissingExtra, NotConverged
from fpsolve.kernels.dissection import Graph
from fpsolve.memory import require
from fpsolve.progress import Progress, reporting
from fpsolve.solvers.dissection import graph_of

__all__ = ["Multigrid"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
ROUNDS = 8
ITERATIONS = 60  # in a round
STEEPEST = 50.0  # ln p gained over one edge, in the first guess
BYTES_PER_RATE = 120.0  # measured: the hierarchy and what it is made from
LARGEST_ERROR = 1e-6
BOUND = 0.1  # residual to which the error is bounded


@dataclass(frozen=True)
class Multigrid:
    """Algebraic multigrid, for two-dimensional grids beyond 2000^2 cells and three-dimensional ones beyond 64^3.

    rtol: largest net flow into a cell over the flow through it.  Needs the extra `amg`.

    Memory and time grow like the number of cells; on smaller grids `GTH()` is faster and has no limit of barriers:
    here they may be about 15 kT high.  Raises InvalidInput unless 1e-14 <= rtol < 1.

    >>> import numpy as np
    >>> from scipy import sparse
    >>> rates = sparse.csc_matrix([[-2.0, 1.0], [2.0, -1.0]])
    >>> Multigrid().null_vector(rates, np.arange(2)[:, None])
    array([0.33333333, 0.66666667])
    """

    rtol: float = 1e-12

    def __post_init__(self) -> None:
        if not 1e-14 <= self.rtol < 1:
            raise InvalidInput(f"rtol is {self.rtol}; give a number between 1e-14, which rounding allows, and 1")

    @property
    def name(self) -> str:
        """What it is called in `info.method`."""
        return "algebraic multigrid"

    def null_vector(self, rates: sparse.csc_matrix, indices: Indices, *, progress: Progress = None) -> Array:
        """Masses m with L m = 0, sum(m) = 1, of a chain whose cells all reach one another.

        rates: entry [y, x] is the rate from x to y, (cells, cells); the diagonal is not read.
        indices: places of the cells on the grid, (cells, ndim); not used.
        Raises MissingExtra without pyamg; InvalidInput for rates that are negative or not finite; NotConverged (with
        the `best` masses and the `history` of imbalances) where rtol is not reached, or where what remains, and
        rounding, may move masses by more than 1e-6 of themselves, as behind high barriers; NotEnoughMemory.
        """
        pyamg = _pyamg()
        graph, _ = graph_of(rates, indices)
        cells = graph.pointer.size - 1
        require(BYTES_PER_RATE * graph.neighbour.size, f"multigrid on {cells} cells", "use fewer cells")
        if cells == 1:
            return np.ones(1)
        chain = _Chain(pyamg, graph)
        scaled, history = chain.scaled(chain.potential()), []
        with reporting(ROUNDS, progress, "rounds") as tell:
            for done in range(ROUNDS):
                history.append(scaled.imbalance)
                if scaled.imbalance <= self.rtol or not np.isfinite(scaled.imbalance):
                    break
                scaled = chain.scaled(scaled.corrected(max(0.1 * self.rtol, 1e-3 * min(1.0, scaled.imbalance))))
                tell(done + 1)
        masses = np.exp(scaled.log_m - scaled.log_m.max())
        masses /= masses.sum()
        trouble = self._trouble(scaled, len(history))
        if trouble:
            history.append(scaled.imbalance)
            raise NotConverged(f"multigrid: {trouble}; use fp.GTH()", best=masses, history=history)
        return masses

    def _trouble(self, scaled: _Scaled, rounds: int) -> str:
        """What is wrong with the answer that the last chain is scaled by, or nothing."""
        if not scaled.imbalance <= self.rtol:
            return (
                f"a cell is out of balance by {scaled.imbalance:.3g} of the flow through it after {rounds} rounds, "
                f"above rtol={self.rtol:g}"
            )
        error = scaled.error()
        if not error <= LARGEST_ERROR:
            return (
                f"what remains of imbalance may move masses by {error:.2g} of themselves, for some cells reach the "
                "others too slowly"
            )
        return ""


class _Scaled:
    """(1 - B) y = 0 for masses exp(log_m) y, with y = 1 in the cell `fixed`; row by row over the flow through it."""

    def __init__(self, pyamg: Any, graph: Graph, rows: Indices, outflow: Array, log_m: Array) -> None:
        cells, self.log_m = outflow.size, log_m
        with np.errstate(over="ignore", invalid="ignore"):
            share = graph.inward / outflow[rows] * np.exp(log_m[graph.neighbour] - log_m[rows])
        self.imbalances = np.abs(np.bincount(rows, share, minlength=cells) - 1.0)
        self.imbalance = float(self.imbalances.max())
        largest = int(np.argmax(log_m))
        share[graph.pointer[largest] : graph.pointer[largest + 1]] = 0.0
        shares = sparse.csr_matrix((share, graph.neighbour, graph.pointer), shape=(cells, cells))
        self.matrix = (sparse.identity(cells, format="csr") - shares).tocsr()
        self.fixed = np.zeros(cells)
        self.fixed[largest] = 1.0
        self.pyamg = pyamg

    @cached_property
    def _hierarchy(self) -> Any:
        return self.pyamg.ruge_stuben_solver(self.matrix)

    def corrected(self, rtol: float) -> Array:
        """ln of the masses that the solution y gives; where y is not positive, the guess stays for another round."""
        y = self._solved(self.fixed, rtol, np.ones_like(self.fixed))
        return self.log_m + np.log(np.where((y > 0) & (y < np.inf), y, 1.0))

    def error(self) -> float:
        """Largest relative error of a mass: the inverse is positive, so it bounds what imbalances and rounding do."""
        rounding = float(np.finfo(float).eps)
        right = 1.0 + self.imbalances / rounding
        bound = self._solved(right, BOUND, np.zeros_like(right))
        off = np.linalg.norm(right - self.matrix @ bound)
        if not off <= 2.0 * BOUND * np.linalg.norm(right) or bound.min() < 0:
            return np.inf
        return rounding * float(bound.max())

    def _solved(self, right: Array, rtol: float, start: Array) -> Array:
        from scipy.sparse.linalg import bicgstab

        cycle = self._hierarchy.aspreconditioner()
        return bicgstab(self.matrix, right, x0=start, rtol=rtol, atol=0.0, maxiter=ITERATIONS, M=cycle)[0]


class _Chain:
    """Who exchanges mass with whom, and how much leaves each cell."""

    def __init__(self, pyamg: Any, graph: Graph) -> None:
        self.pyamg, self.graph = pyamg, graph
        self.cells = graph.pointer.size - 1
        self.rows = np.repeat(np.arange(self.cells), np.diff(graph.pointer))
        self.outflow: Array = np.bincount(self.rows, graph.outward, minlength=self.cells).astype(float)
        if self.outflow.min() == 0.0:
            raise NotConverged(f"multigrid: no path leaves cell {int(np.argmin(self.outflow))}: the chain is reducible")

    def scaled(self, log_m: Array) -> _Scaled:
        """The chain seen from masses exp(log_m)."""
        return _Scaled(self.pyamg, self.graph, self.rows, self.outflow, log_m)

    def potential(self) -> Array:
        """f with f_y - f_x near ln(rate to y / rate back), in the mean square with the edges' conductances."""
        half = self.rows < self.graph.neighbour
        x, y = self.rows[half], self.graph.neighbour[half]
        up, down = self.graph.outward[half], self.graph.inward[half]
        with np.errstate(divide="ignore"):
            step = np.clip(np.log(up) - np.log(down), -STEEPEST, STEEPEST)
        flat = np.abs(step) < 1e-6
        conductance = np.where(flat, 0.5 * (up + down), (up - down) / np.where(flat, 1.0, step))
        right = np.bincount(y, conductance * step, self.cells) - np.bincount(x, conductance * step, self.cells)
        degree = np.bincount(x, conductance, self.cells) + np.bincount(y, conductance, self.cells)
        degree[0] *= 2.0  # f = 0 there, within the freedom of a constant
        root = 1.0 / np.sqrt(degree)
        off = -conductance * root[x] * root[y]
        matrix = sparse.csr_matrix((np.append(off, off), (np.append(x, y), np.append(y, x))), shape=(self.cells,) * 2)
        laplacian = (matrix + sparse.identity(self.cells, format="csr")).tocsr()
        solver = self.pyamg.ruge_stuben_solver(laplacian)
        return root * solver.solve(root * right, tol=1e-10, maxiter=ITERATIONS, accel="cg")


def _pyamg() -> Any:
    try:
        import pyamg
    except ImportError as error:
        raise MissingExtra("Multigrid needs pyamg: pip install 'fpsolve[amg]'") from error
    return pyamg
