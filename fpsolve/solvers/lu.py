"""Null vectors of Markov chains by sparse LU: one mass is set to 1, and the others follow.

With the cells in the order of a nested dissection and pivots on the diagonal, elimination adds up numbers of one sign
everywhere but on the diagonal: positive chains get positive masses.  The diagonal is where digits are lost: by a
factor of the largest rate times the longest mean time to reach the cell that is set, which is measured.
Source: Stewart, Introduction to the Numerical Solution of Markov Chains (1994), ch. 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.kernels.dissection import Graph
from fpsolve.memory import require
from fpsolve.progress import Progress, reporting
from fpsolve.solvers.dissection import Dissection, dissection, graph_of, uphill

if TYPE_CHECKING:
    from scipy.sparse.linalg import SuperLU

__all__ = ["SparseLU"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
MOST_ENTRIES = 2**31 - 1  # of a factor: SuperLU counts in 32 bits
BYTES_PER_ENTRY = 12.0  # of L and U


@dataclass(frozen=True)
class SparseLU:
    """Sparse LU with one mass set to 1: for densities of one peak, and for rates that need not be positive.

    rtol: the largest error of the weights of wells, relative to themselves, that rounding may cause.  Barriers of
        about 20 kT exceed 1e-6; `GTH()` does not know this limit.

    Raises InvalidInput unless 0 < rtol < 1.

    >>> import numpy as np
    >>> from scipy import sparse
    >>> rates = sparse.csc_matrix([[-2.0, 1.0], [2.0, -1.0]])
    >>> SparseLU().null_vector(rates, np.arange(2)[:, None])
    array([0.33333333, 0.66666667])
    """

    rtol: float = 1e-6

    def __post_init__(self) -> None:
        if not 0 < self.rtol < 1:
            raise InvalidInput(f"rtol is {self.rtol}; give a number between 0 and 1")

    @property
    def name(self) -> str:
        """What it is called in `info.method`."""
        return "sparse LU by nested dissection"

    def null_vector(self, rates: sparse.csc_matrix, indices: Indices, *, progress: Progress = None) -> Array:
        """Masses m with L m = 0, sum(m) = 1, of a chain whose cells all reach one another.

        rates: entry [y, x] is the rate from x to y, (cells, cells), each column with sum 0; off the diagonal they may
            be negative, and then masses may be.
        indices: places of the cells on the grid, (cells, ndim); they lead the order of elimination, no more.
        Raises InvalidInput for rates that are not finite and for factors beyond 2^31 entries; NotEnoughMemory before
        they are made; NotConverged (its `best` is the answer found) where rounding may move the weights by more than
        rtol, where masses of a positive chain are negative, and where the residual exceeds rtol.
        """
        graph, places = graph_of(rates, indices, positive=False)
        if places.shape[0] == 1:
            return np.ones(1)
        with reporting(1, progress, "factorisation") as tell:
            answer, sensitivity = _with_last(rates, graph, places, uphill(graph))
            if not sensitivity <= self.rtol and np.all(np.isfinite(answer)):
                # a cell that is hardly ever reached is a bad one to set: transport has no uphill
                answer, sensitivity = _with_last(rates, graph, places, int(np.argmax(answer)))
            tell(1)
        with np.errstate(invalid="ignore"):
            residual = float(np.abs(rates @ answer).max() / np.abs(rates.diagonal() * answer).max())
        self._check(answer, residual, sensitivity, positive=not np.any(graph.outward < 0))
        return answer

    def first_passage(
        self,
        rates: sparse.csc_matrix,
        killing: ArrayLike,
        rhs: ArrayLike,
        indices: Indices,
        *,
        progress: Progress = None,
    ) -> Array:
        """tau with (killing_k + sum_j a_kj) tau_k = rhs_k + sum_j a_kj tau_j, a_kj the rate from k to j.

        Arguments as for `GTH.first_passage`; rates and killing may be negative.
        Raises as `null_vector` does; NotConverged where rounding may move tau by more than rtol of itself.
        """
        graph, places = graph_of(rates, indices, positive=False)
        leaving, right = np.asarray(killing, dtype=float), np.asarray(rhs, dtype=float)
        plan = dissection(graph, places)
        _check_size(plan)
        order = plan.tree.order
        moves = rates.tocsc() - sparse.diags(rates.diagonal(), format="csc")
        out = np.asarray(moves.sum(axis=0)).ravel() + leaving
        matrix = (sparse.diags(out, format="csc") - moves).tocsc()[:, order][order]
        columns = np.column_stack([right.reshape(places.shape[0], -1), np.ones(places.shape[0])])[order]
        with reporting(1, progress, "factorisation") as tell:
            factors = _factored(matrix)
            tell(1)
        tau = factors.solve(np.ascontiguousarray(columns), "T")
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            moved = factors.solve(np.abs(out[order] * tau[:, -1]), "T")  # by a relative change of the diagonal
            sensitivity = float(np.finfo(float).eps * np.abs(moved / tau[:, -1]).max())
        answer = np.empty_like(tau[:, :-1])
        answer[order] = tau[:, :-1]
        if not sensitivity <= self.rtol:
            positive = not (np.any(graph.outward < 0) or np.any(leaving < 0))
            raise NotConverged(
                f"sparse LU: rounding may move the times by {sensitivity:.2g} of themselves, above rtol={self.rtol:g}: "
                f"the set is left too slowly; use {'fp.GTH(), which loses no digits' if positive else 'fp.Positive()'}",
                best=answer.reshape(right.shape),
            )
        return answer.reshape(right.shape)

    def _check(self, masses: Array, residual: float, sensitivity: float, *, positive: bool) -> None:
        advice = "use fp.GTH(), which loses no digits" if positive else "use fp.Positive() with fp.GTH()"
        if not np.all(np.isfinite(masses)):
            trouble = "the masses are not finite: the chain is reducible, or masses span more than 1e308"
        elif positive and np.any(masses < 0):
            trouble = f"{int((masses < 0).sum())} masses are negative, the worst {masses.min():.3g}"
        elif not residual <= self.rtol:
            trouble = f"the residual is {residual:.3g} of the largest flow, above rtol={self.rtol:g}"
        elif not sensitivity <= self.rtol:
            trouble = (
                f"rounding may move the weights of the wells by {sensitivity:.2g} of themselves, above "
                f"rtol={self.rtol:g}: some cells reach the others too slowly"
            )
        else:
            return
        raise NotConverged(f"sparse LU: {trouble}; {advice}", best=masses, history=(residual,))


def _with_last(rates: sparse.csc_matrix, graph: Graph, places: Indices, last: int) -> tuple[Array, float]:
    """Masses with that of the cell `last` set, and how far rounding may move their weights."""
    plan = dissection(graph, places, last)
    _check_size(plan)
    order = plan.tree.order
    matrix = rates.tocsc()[:, order][order]
    masses, sensitivity = _solved(-matrix[:-1, :-1], matrix[:-1, -1].toarray().ravel())
    answer = np.empty_like(masses)
    answer[order] = masses
    return answer, sensitivity


def _solved(matrix: sparse.csc_matrix, right: Array) -> tuple[Array, float]:
    """Masses by position, and how far rounding may move their weights."""
    factors = _factored(matrix)
    others = factors.solve(right)
    times = factors.solve(np.ones(right.size), "T")  # mean times to reach the cell whose mass is set
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        masses = np.append(others, 1.0) / (1.0 + others.sum())
        typical = np.abs(masses[:-1] * matrix.diagonal()).sum()  # rate out of a cell, where the mass is
        return masses, float(np.finfo(float).eps * typical * np.abs(times).max())


def _factored(matrix: sparse.csc_matrix) -> SuperLU:
    from scipy.sparse.linalg import splu

    try:
        return splu(matrix.tocsc(), permc_spec="NATURAL", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    except RuntimeError as error:
        raise NotConverged(
            f"sparse LU: {error}: the chain is reducible, or a barrier too high for rounding; use fp.GTH(), or solve "
            "each closed class by itself"
        ) from error


def _check_size(plan: Dissection) -> None:
    cells = plan.tree.place.size
    own, rim = np.diff(plan.tree.first).astype(float), np.diff(plan.tree.pointer)
    entries = float((own * (own + 2.0 * rim)).sum())  # of L and U, the fronts full
    if entries > MOST_ENTRIES:
        raise InvalidInput(
            f"the factors of {cells} cells would have {entries:.3g} entries, and sparse LU counts up to 2^31: use "
            "fp.GTH() or fp.Multigrid()"
        )
    require(BYTES_PER_ENTRY * entries, f"the factorisation of {cells} cells", "use fewer cells, or fp.Multigrid()")
