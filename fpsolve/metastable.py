"""Rates between wells so deep that no eigenvalue solver sees them, from first passages between their bottoms.

With the chances q_i(x) to reach bottom i before the others, q~_i(x) to have been there last, and stationary masses m,

    M_i = sum_x m_x q~_i(x),      F_ij = m_i sum_y a_iy q_j(y),      K_ij = F_ij/M_i

are the masses of the wells, the flows between them and the rates of the process that only knows in which well it is.
Of two wells the rate is 1/tau_12 + 1/tau_21 = F_12/M_1 + F_21/M_2.  All is positive sums, by elimination without
subtraction; the error is exp(-barrier) relative to the rate.
Source: Bovier & den Hollander, Metastability (2015), ch. 8.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import NotConverged
from fpsolve.progress import Progress
from fpsolve.reversal import reversed_rates
from fpsolve.solvers.gth import GTH

__all__ = ["Wells", "wells_of"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Wells:
    """The slowest rates, rising, without the stationary one; their modes' masses (cells, rates); the bottoms' cells."""

    rates: NDArray[Any]
    modes: NDArray[Any]
    bottoms: Indices


def wells_of(
    rates: sparse.csc_matrix, killing: Array, places: Indices, count: int, balanced: bool, progress: Progress
) -> Wells:
    """The `count` slowest rates of a chain, but for a stationary mode, from as many wells (one more, if that is there).

    rates, killing, places: as for `GTH.first_passage`.  balanced: whether the chain is in detailed balance.
    Raises NotConverged where the density has too few peaks for so many slow rates.
    """
    chain = _Chain(rates, killing, places, progress)
    bottoms = chain.bottoms(count if np.any(killing > 0) else count + 1)
    ahead = chain.shares(chain.moves, bottoms)
    seen = np.where(chain.masses > 0, chain.masses, np.nan)
    behind = ahead if balanced else chain.shares(reversed_rates(rates, np.log(seen)), bottoms)
    wells = chain.masses @ behind[:, :-1]
    flows = chain.masses[bottoms, None] * (chain.moves[:, bottoms].T @ ahead)  # into the others, and out for good
    flows[:, -1] += chain.masses[bottoms] * killing[bottoms]
    np.fill_diagonal(flows, 0.0)
    values, weights = _modes(flows, wells, balanced)
    order = np.argsort(values.real)
    order = order[:count] if np.any(killing > 0) else order[1:]
    local = chain.masses[:, None] * behind[:, :-1] / wells
    return Wells(values[order], local @ weights[:, order], bottoms)


class _Chain:
    """A chain with its stationary masses, those of what nothing leaves."""

    def __init__(self, rates: sparse.csc_matrix, killing: Array, places: Indices, progress: Progress) -> None:
        self.moves = (rates - sparse.diags(rates.diagonal())).tocsc()
        self.killing, self.places, self.progress = killing, places, progress
        self.masses = GTH().null_vector(rates, places, progress=progress)

    def bottoms(self, count: int) -> Indices:
        """Peaks of the masses: the highest, unless mass is lost; then one by one the farthest in time from them."""
        pairs = self.moves.tocoo()
        peak = self.masses > 0
        peak[pairs.col[self.masses[pairs.row] > self.masses[pairs.col]]] = False
        peaks = np.flatnonzero(peak)
        if peaks.size < count:
            raise NotConverged(f"{count} rates are too slow for an eigenvalue solver, but there are {peaks.size} wells")
        known: list[int] = [] if np.any(self.killing > 0) else [int(np.argmax(self.masses))]
        while len(known) < count:
            others, left = self._without(np.array(known, dtype=np.int64))
            tau = np.zeros(self.masses.size)
            tau[others] = self._first_passage(self.moves, others, left, np.ones(others.size))
            known.append(int(peaks[int(np.argmax(tau[peaks]))]))
        return np.array(known)

    def shares(self, moves: sparse.csc_matrix, bottoms: Indices) -> Array:
        """The chance to reach each bottom before the others, and, last, the outside before them all."""
        others, left = self._without(bottoms)
        rewards = np.column_stack([moves[bottoms][:, others].toarray().T, self.killing[others]])
        found = np.zeros((self.masses.size, bottoms.size + 1))
        found[others] = self._first_passage(moves, others, left, rewards)
        found[bottoms, np.arange(bottoms.size)] = 1.0
        return found

    def _without(self, bottoms: Indices) -> tuple[Indices, Indices]:
        return np.setdiff1d(np.arange(self.masses.size), bottoms), bottoms

    def _first_passage(self, moves: sparse.csc_matrix, others: Indices, bottoms: Indices, rewards: Array) -> Array:
        leaving = self.killing[others] + np.asarray(moves[bottoms][:, others].sum(axis=0)).ravel()
        own = moves[others][:, others].tocsc()
        return GTH().first_passage(own, leaving, rewards, self.places[others], progress=self.progress)


def _modes(flows: Array, wells: Array, balanced: bool) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rates of the process between wells, and the masses of the wells in each mode (wells, rates).

    flows: (wells, wells + 1), the last column for good.
    """
    count = wells.size
    if count == 1:
        return flows[:, -1] / wells, np.ones((1, 1))
    if count == 2 and not np.any(flows[:, -1]):
        rate = flows[0, 1] / wells[0] + flows[1, 0] / wells[1]
        return np.array([0.0, rate]), np.array([[1.0, 1.0], [1.0, -1.0]])
    if balanced:
        return _in_balance(flows, wells)
    rates = flows[:, :-1] / wells[:, None]
    matrix = np.diag(flows.sum(axis=1) / wells) - rates.T
    return np.linalg.eig(matrix)


def _in_balance(flows: Array, wells: Array) -> tuple[Array, Array]:
    """As squares of singular values, each to many digits relative to itself however far apart they are."""
    from scipy.linalg.lapack import dgejsv

    count, root = wells.size, np.sqrt(wells)
    rows = [np.sqrt(flows[i, -1]) / root[i] * np.eye(count)[i] for i in range(count)]
    for i in range(count):
        for j in range(i):
            rows.append(np.sqrt(flows[i, j]) * (np.eye(count)[i] / root[i] - np.eye(count)[j] / root[j]))
    values, _, vectors, scale, _, _ = dgejsv(np.array(rows), joba=2, jobu=3, jobv=0, jobr=0, jobp=0)
    return (values * (scale[0] / scale[1])) ** 2, root[:, None] * vectors
