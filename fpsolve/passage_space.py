"""First passages of the chain of cells: in several dimensions, and in one where noise vanishes or a method is given.

With killing kappa and rewards b the answer to

    (kappa_x + sum_y a_xy) u_x = b_x + sum_y a_xy u_y,      a_xy the rate from x to y,

is a mean time (b = 1) or the chance to end where b is the rate into it.  Cells from which paths may never leave are
left out: the mean time there is infinite, and what enters a closed set of cells earns nothing.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from fpsolve.asking import check_kind
from fpsolve.errors import DegenerateWarning, warn
from fpsolve.killed import Killed
from fpsolve.progress import Progress
from fpsolve.solvers.gth import GTH
from fpsolve.solvers.lu import SparseLU
from fpsolve.solvers.sets import closed_sets, reaching

__all__ = ["FirstPassage", "chances_in_space", "chosen", "moments_in_space", "trapped"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
Flags = NDArray[np.bool_]


@runtime_checkable
class FirstPassage(Protocol):
    """Solves for mean times and chances of a killed chain."""

    @property
    def name(self) -> str:
        """What it is called in `info.method`."""

    def first_passage(
        self,
        rates: sparse.csc_matrix,
        killing: ArrayLike,
        rhs: ArrayLike,
        indices: Indices,
        *,
        progress: Progress = None,
    ) -> Array:
        """u with (killing_k + sum_j a_kj) u_k = rhs_k + sum_j a_kj u_j; see `GTH.first_passage`."""


def chosen(method: FirstPassage | None, k: Killed) -> FirstPassage:
    """The method given, or GTH for rates >= 0 and sparse LU for others."""
    if method is None:
        return GTH() if k.generator.is_markov else SparseLU()
    check_kind("method", method, FirstPassage, "first passages are solved by fp.GTH() or fp.SparseLU()")
    return method


def trapped(k: Killed) -> Flags:
    """Free cells that paths never leave, for other ones or for good: closed sets, and cells where nothing moves."""
    L = k.generator
    found, jumping = np.zeros(L.size, dtype=bool), _jumping(k)
    for cells in closed_sets(L.edges, L.transport):
        found[cells] = not np.any(jumping[cells])
    edges = L.edges
    moving = (k.loss > 0) | jumping
    moving[edges.left[edges.up > 0]] = moving[edges.right[edges.down > 0]] = True
    for part in L.transport:
        moving[part.sources[np.any(part.coefficients != 0, axis=1), 0]] = True
    found[k.free] |= ~moving[k.free]
    return found


def moments_in_space(k: Killed, order: int, method: FirstPassage, progress: Progress, endless: Flags) -> Array:
    """The moments <T^order> of the time to leave the free cells, 0 in others; (cells,).

    endless: cells where they are infinite.
    Warns DegenerateWarning where a path may never leave.
    """
    trap = trapped(k)
    values = np.zeros(k.owner.size)
    values[endless] = np.inf
    cells = k.free[~endless[k.free]]
    if np.any(trap[cells]):
        into = trap | _jumping(k)  # a jump may end anywhere
        stay = reaching(k.generator.edges, k.generator.transport, np.flatnonzero(into))[cells]
        warn(
            f"the mean exit time is infinite from {int(stay.sum())} of {cells.size} cells inside: paths from there "
            f"may end among {int(trap.sum())} cells that none leaves, since no noise takes them on",
            DegenerateWarning,
        )
        values[cells[stay]] = np.inf
        cells = cells[~stay]
    if cells.size == 0:
        return values
    tau = np.ones(cells.size)
    for n in range(1, order + 1):
        tau = _solved(k, cells, float(n) * tau, method, progress)
    values[cells] = tau
    return values


def chances_in_space(k: Killed, rewards: Array, method: FirstPassage, progress: Progress) -> Array:
    """The chance to leave the free cells by transitions whose rates out of each cell are `rewards`; 0 in others."""
    values = np.zeros(k.owner.size)
    cells = k.free[~trapped(k)[k.free]]
    if np.any(rewards[cells] > 0):
        values[cells] = _solved(k, cells, rewards[cells], method, progress)
    return values


def _jumping(k: Killed) -> Flags:
    """Free cells from which paths jump, to any other."""
    return np.zeros(k.owner.size, dtype=bool) if k.jumps is None else k.jumps.moving


def _solved(k: Killed, cells: Indices, right: Array, method: FirstPassage, progress: Progress) -> Array:
    rates = k.generator.rates()
    elsewhere = np.setdiff1d(k.free, cells)
    leaving = k.loss[cells]
    if elsewhere.size:  # into traps
        leaving = leaving + np.asarray(rates[elsewhere][:, cells].sum(axis=0)).ravel()
    indices = np.stack(np.unravel_index(cells, k.grid.shape), axis=1)
    return method.first_passage(rates[cells][:, cells].tocsc(), leaving, right, indices, progress=progress)
