"""The slowest modes of a chain by ARPACK, through (shift - L)^-1: symmetric where the chain is in detailed balance.

In detailed balance with masses m the matrix S_xy = sqrt(a_xy a_yx) is symmetric and similar to L, its entries need no
masses, and its eigenvectors psi are those of L over sqrt m.  Its rates are those of Rayleigh's quotient,

    [sum over pairs (sqrt(a_xy) psi_x - sqrt(a_yx) psi_y)^2 + sum_x kappa_x psi_x^2]/sum_x psi_x^2,

a sum of squares whose error is the square of the eigenvector's, and no difference of large numbers.
Source: Lehoucq, Sorensen & Yang, ARPACK Users' Guide (1998).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import NotConverged
from fpsolve.resolvent import Resolvent

__all__ = ["log_balance", "slowest", "slowest_by_solves", "slowest_in_balance"]

Array = NDArray[np.float64]
UNBALANCED = 1e-9  # of 1 + the span of ln m: what ln m may gain round a closed path
DENSE = 64  # cells
EXTRA = 4  # modes beyond those asked for
REAL = 1e-10  # of a rate: a smaller imaginary part is rounding


def log_balance(rates: sparse.csc_matrix) -> Array | None:
    """ln m, 0 at its largest, of masses in detailed balance with `rates`; None where there are none, or several."""
    from scipy.sparse.csgraph import breadth_first_order

    forth, back = _both_ways(rates)
    if forth is None or back is None:
        return None
    gain = sparse.csc_matrix((np.log(forth.data) - np.log(back.data), forth.indices, forth.indptr), shape=rates.shape)
    order, parent = breadth_first_order(forth, 0, directed=False)
    if order.size < rates.shape[0]:
        return None
    parent[0] = 0
    rest = order[1:]
    log_m = np.zeros(order.size)
    log_m[rest] = np.asarray(gain[rest, parent[rest]]).ravel()
    while np.any(parent):  # add up along the tree, twice as far at each turn
        log_m = log_m + log_m[parent]
        parent = parent[parent]
    gain = gain.tocoo()
    gap = np.abs(log_m[gain.row] - log_m[gain.col] - gain.data).max(initial=0.0)
    return log_m - log_m.max() if gap <= UNBALANCED * (1.0 + np.ptp(log_m)) else None


def slowest_in_balance(
    rates: sparse.csc_matrix, killing: Array, log_m: Array, count: int, shift: float
) -> tuple[Array, Array]:
    """At least `count` slowest rates, rising, and their modes' masses (cells, rates): in balance with exp(log_m)."""
    forth, back = _both_ways(rates)
    assert forth is not None
    assert back is not None
    symmetric = sparse.csc_matrix((np.sqrt(forth.data) * np.sqrt(back.data), forth.indices, forth.indptr), rates.shape)
    symmetric = (symmetric + sparse.diags(rates.diagonal())).tocsc()
    found = _vectors(symmetric, count, shift, True)[1].real
    root = np.exp(0.5 * log_m)
    stationary = root / np.linalg.norm(root)
    conservative = not np.any(killing > 0)
    if conservative:  # what is left beside the stationary mode
        found = found - np.outer(stationary, stationary @ found)
        found = np.linalg.svd(found, full_matrices=False)[0][:, :-1]
    pairs = forth.tocoo()
    upper = pairs.row > pairs.col
    into, source = pairs.row[upper], pairs.col[upper]
    there, here = np.sqrt(forth.data[upper])[:, None], np.sqrt(back.data[upper])[:, None]

    def halves(psi: Array) -> Array:
        return np.concatenate([there * psi[source] - here * psi[into], np.sqrt(killing)[:, None] * psi])

    psi = found @ np.linalg.svd(halves(found), full_matrices=False)[2].T  # not of its square: that has half the digits
    values = np.sum(halves(psi) ** 2, axis=0) / np.sum(psi**2, axis=0)
    order = np.argsort(values)
    values, psi = values[order], psi[:, order]
    if conservative:
        values, psi = np.append(0.0, values), np.column_stack([stationary, psi])
    return values, psi * root[:, None]


def slowest(
    rates: sparse.csc_matrix, count: int, shift: float, conservative: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """At least `count` slowest rates by their real parts, and their modes' masses (cells, rates), of any chain."""
    values, vectors = _vectors(rates, count, shift, False)
    return _in_order(-values, vectors, conservative)


def slowest_by_solves(
    solve: Callable[[Array], Array], cells: int, count: int, shift: float, conservative: bool
) -> tuple[NDArray[Any], NDArray[Any]]:
    """The same of a chain known by solve(b) = (shift - L)^-1 b only."""
    from scipy.sparse.linalg import LinearOperator, eigs

    operator = LinearOperator((cells, cells), matvec=lambda b: solve(np.asarray(b).ravel()), dtype=float)
    values, vectors = _converged(eigs, operator, min(count + EXTRA, cells - 2), {})
    return _in_order(1.0 / values - shift, vectors, conservative)


def _in_order(values: NDArray[Any], vectors: NDArray[Any], conservative: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rates by their real parts, the stationary one first and 0."""
    values = np.where(np.abs(values.imag) < REAL * np.abs(values), values.real, values)
    order = np.lexsort((-values.imag, np.round(values.real / np.abs(values).max(), 12)))
    values, vectors = values[order], vectors[:, order]
    if conservative:
        values[int(np.argmin(np.abs(values)))] = 0.0
        order = np.argsort(values != 0, kind="stable")
        values, vectors = values[order], vectors[:, order]
    return values, vectors


def _vectors(matrix: sparse.csc_matrix, count: int, shift: float, symmetric: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Eigenvalues and eigenvectors nearest to `shift`, a few more than `count`."""
    from scipy.sparse.linalg import LinearOperator, eigs, eigsh

    cells = matrix.shape[0]
    wanted = min(count + EXTRA, cells - 2)
    if cells <= max(DENSE, wanted + 2):
        dense = matrix.toarray()
        values, vectors = np.linalg.eigh(dense) if symmetric else np.linalg.eig(dense)
        order = np.argsort(np.abs(values - shift))[: count + EXTRA]
        return values[order], vectors[:, order]
    inverse = Resolvent(matrix, shift)
    operator = LinearOperator(matrix.shape, matvec=lambda b: -inverse.solve(np.asarray(b).ravel()), dtype=float)
    solve: Callable[..., Any] = eigsh if symmetric else eigs
    return _converged(solve, matrix, wanted, {"sigma": shift, "OPinv": operator})


def _converged(
    solve: Callable[..., Any], matrix: Any, wanted: int, inverse: dict[str, Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """ARPACK's eigenvalues and eigenvectors.  Raises NotConverged."""
    from scipy.sparse.linalg import ArpackNoConvergence

    start = np.random.default_rng(1).standard_normal(matrix.shape[0])  # of no symmetry that a mode could lack
    try:
        values, vectors = solve(matrix, k=wanted, v0=start, **inverse)
    except ArpackNoConvergence as error:
        raise NotConverged(
            f"ARPACK found {error.eigenvalues.size} of {wanted} modes; ask for fewer, or use fewer cells",
            best=-error.eigenvalues,
        ) from error
    return values, vectors


def _both_ways(rates: sparse.csc_matrix) -> tuple[sparse.csc_matrix | None, sparse.csc_matrix | None]:
    """Entry [y, x]: the rate x -> y, and the rate y -> x, of the same pattern; None where paths go one way only."""
    forth = (rates - sparse.diags(rates.diagonal())).tocsc()
    forth.eliminate_zeros()
    forth.sort_indices()
    back = forth.T.tocsc()
    back.sort_indices()
    same = np.array_equal(forth.indptr, back.indptr) and np.array_equal(forth.indices, back.indices)
    if not same or np.any(forth.data <= 0):
        return None, None
    return forth, back
