"""How a process forgets: its slowest relaxation rates and their modes.

    L phi_n = -rate_n phi_n,      p(t) = sum_n c_n exp(-rate_n t) phi_n,

the first rate being 0 and its mode the stationary density unless paths are lost.  Without detailed balance rates may be
complex: what decays at the real part turns at the imaginary one.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.checks import whole
from fpsolve.errors import InvalidInput, NotConverged, Reducible
from fpsolve.killed import Killed
from fpsolve.metastable import Wells, wells_of
from fpsolve.mode_ends import check_density, warn_of_cut_modes
from fpsolve.operators.state_sets import StateSet
from fpsolve.passage_jumps import METHOD, leaving_cells, solve_among, time_to_middle
from fpsolve.passage_sets import Asked, leaving
from fpsolve.problem import Problem
from fpsolve.progress import Progress
from fpsolve.slowest import log_balance, slowest, slowest_by_solves, slowest_in_balance
from fpsolve.solvers.sets import closed_sets
from fpsolve.values.field import Field
from fpsolve.values.info import Info
from fpsolve.values.spectrum import Spectrum

__all__ = ["spectrum"]

Array = NDArray[np.float64]
ROUNDING, IN_BALANCE = float(np.finfo(float).eps), 1e-30  # of the fastest rate: what rounding does to an eigenvalue
APART = 5.0  # times a rate over the next one: the error of first passages between wells


def spectrum(
    problem: Problem, modes: int = 6, *, inside: StateSet | None = None, progress: Progress = None
) -> Spectrum:
    """The slowest relaxation rates of `problem` and their modes, by ARPACK.

        L phi_n = -rate_n phi_n

    modes: how many, the stationary one included.
    inside, progress: as for `mean_exit_time`, for paths that end when they leave; None: on the whole grid.

    Returns a Spectrum with `.rates`, `.modes`, `.gap` and `.relaxation_time`; with memory beta < 1 a mode relaxes as
    E_beta(-rate t^beta), Mittag-Leffler's function, by a power of t in the end.  In detailed balance rates are real and
    come from a symmetric matrix.  Where wells are so deep that rounding would move a rate by more than exp(-barrier),
    it comes from first passages between the wells' bottoms, 1/tau_12 + 1/tau_21, and `info.notes` says so: that is
    below about 1e-9 of the fastest rate, 1e-17 in detailed balance.  Second order in the cell width.
    Raises InvalidInput for processes that depend on t and where there are fewer cells than modes; Reducible where the
    chain falls into several closed sets; NotConverged where ARPACK fails; NotNormalizable where no path is lost and
    an open end would hold infinite mass.  Warns TruncationWarning of modes that reach beyond open ends (farther out
    than p does), with the rates that come out too large for it and by how much.
    Source: Risken (1996), section 5.4; Bovier & den Hollander, Metastability (2015), ch. 8.

    >>> import fpsolve as fp
    >>> ou = fp.Problem(fp.Process(lambda x: -x, 1.0), fp.Grid(x=(-8, 8, 400)))
    >>> found = spectrum(ou, 4)
    >>> found.rates.round(2) + 0.0, round(found.relaxation_time, 3)
    (array([0., 1., 2., 3.]), 1.0)
    """
    started = time.process_time()
    asked = leaving(problem, inside)
    k, count = asked.chain, whole("modes", modes, 1)
    if k.jumps is not None:
        return _with_jumps(asked, k.jumps.capacity, count, started)
    cells, rates = _checked(k, count)
    killing, fastest = k.loss[cells], float(-rates.diagonal().min())
    conservative = not np.any(killing > 0)
    log_m = log_balance(rates) if k.generator.is_markov else None
    shift = fastest / (4.0 * max(problem.grid.shape) ** 2)
    if log_m is not None:
        values, vectors = slowest_in_balance(rates, killing, log_m, count, shift)
    else:
        values, vectors = slowest(rates, count, shift, conservative)
    notes: tuple[str, ...] = (f"{'general matrix' if log_m is None else 'symmetric matrix'}, shift {shift:.3g}",)
    slow = _lost(np.abs(values.real), fastest * (ROUNDING if log_m is None else IN_BALANCE), int(conservative))
    if slow > 0 and k.generator.is_markov:
        places = np.stack(np.unravel_index(cells, problem.grid.shape), axis=1)
        wells = wells_of(rates, killing, places, slow, log_m is not None, progress)
        replaced = slice(int(conservative), int(conservative) + slow)
        values[replaced], vectors[:, replaced] = wells.rates, wells.modes
        notes += (_note(problem, cells, wells, replaced.start),)
    elif slow > 0:
        raise NotConverged(
            f"{slow} rates are lost in rounding of the fastest, {fastest:.3g}; use fp.Positive()", best=values
        )
    values, vectors = values[:count], vectors[:, :count]
    _check_ends(problem, k, cells, values, vectors, log_m)
    residual = _residual(rates @ vectors, values, vectors, fastest)
    info = Info(method="shift-invert ARPACK", residual=residual, seconds=time.process_time() - started, notes=notes)
    fields = _fields(problem, cells, values, vectors, problem.grid.weights)
    rates_found = values.real if np.all(np.imag(values) == 0) else values
    return Spectrum(problem.grid, rates_found, fields, conservative, info, problem.process.memory)


def _with_jumps(asked: Asked, capacity: Array, count: int, started: float) -> Spectrum:
    """The same without a matrix, by the direct solve of jumps and drift."""
    k, grid = asked.chain, asked.problem.grid
    cells, out = k.free, leaving_cells(k)
    if not np.all(out[cells] > 0.0):
        raise InvalidInput(f"nothing moves in {int(np.sum(out[cells] == 0.0))} cells inside; leave them out of the set")
    _check_count(count, cells.size)
    conservative = not np.any(k.loss[cells] > 0)
    shift = 1.0 / time_to_middle(k) if conservative else 0.0
    values, vectors = slowest_by_solves(solve_among(k, shift), cells.size, count, shift, conservative)
    values, vectors = values[:count], vectors[:, :count]
    change = np.zeros(vectors.shape, dtype=complex)
    for n in range(count):
        whole = np.zeros(grid.size, dtype=complex)
        whole[cells] = vectors[:, n]
        change[:, n] = (k.generator.apply(whole.real) + 1j * k.generator.apply(whole.imag))[cells]
    residual = _residual(change, values, vectors, float(out.max()))
    info = Info(method=f"ARPACK by {METHOD}", residual=residual, seconds=time.process_time() - started)
    fields = _fields(asked.problem, cells, values, vectors, capacity)
    return Spectrum(grid, values.real if np.all(np.imag(values) == 0) else values, fields, conservative, info,
                    asked.problem.process.memory)  # fmt: skip


def _check_count(count: int, cells: int) -> None:
    if count > cells - 2:
        raise InvalidInput(f"modes is {count}, but only {cells} cells are inside; ask for fewer or use more cells")


def _checked(k: Killed, count: int) -> tuple[NDArray[np.int64], sparse.csc_matrix]:
    """The cells that paths live in, and the rates among them."""
    L = k.generator
    closed = closed_sets(L.edges, L.transport)
    if len(closed) > 1:
        sizes = [cells.size for cells in closed]
        raise Reducible(
            f"the chain falls into {len(sizes)} closed sets (of {', '.join(map(str, sizes[:6]))} cells), each of which "
            "relaxes by itself; ask of each, on a grid of its own",
            sizes=sizes,
        )
    cells = k.free
    rates = L.rates()[cells][:, cells].tocsc()
    visited = rates.diagonal() < 0
    cells, rates = cells[visited], rates[visited][:, visited].tocsc()
    _check_count(count, cells.size)
    return cells, rates


def _check_ends(
    problem: Problem,
    k: Killed,
    cells: NDArray[np.int64],
    values: NDArray[Any],
    vectors: NDArray[Any],
    log_m: Array | None,
) -> None:
    """Refuse what has no stationary density, and warn of modes that the grid cuts off."""
    if not np.any(k.loss[cells] > 0):
        check_density(problem.grid, k.generator, cells, vectors[:, 0].real, log_m)
    if log_m is None:  # where paths are lost too, the slowest mode stands for the density
        with np.errstate(divide="ignore"):
            log_m = np.log(np.abs(vectors[:, 0]))
    warn_of_cut_modes(problem.grid, k.generator, cells, values, vectors, log_m)


def _lost(sizes: Array, rounding: float, first: int) -> int:
    """How many rates, after `first`, are better known from first passages: all up to a gap that is wide enough."""
    better = APART * sizes[first:-1] ** 2 < rounding * sizes[first + 1 :]
    return int(np.flatnonzero(better)[-1]) + 1 if np.any(better) else 0


def _residual(change: NDArray[Any], values: NDArray[Any], vectors: NDArray[Any], fastest: float) -> float:
    """The largest |L phi + rate phi| of a mode, of the fastest rate times |phi|; change: L phi."""
    off = np.abs(change + vectors * values).sum(axis=0)
    return float((off / (fastest * np.abs(vectors).sum(axis=0))).max())


def _note(problem: Problem, cells: NDArray[np.int64], wells: Wells, first: int) -> str:
    grid, places = problem.grid, np.unravel_index(cells[wells.bottoms], problem.grid.shape)
    shown = "; ".join(
        ", ".join(f"{n}={grid[n].nodes[place[i]]:.4g}" for n, place in zip(grid.names, places, strict=True))
        for i in range(wells.bottoms.size)
    )
    last = first + wells.rates.size - 1
    which = f"rate {first} is" if last == first else f"rates {first} to {last} are"
    return (
        f"{which} lost in the rounding of the fastest, and from first passages between the bottoms of wells ({shown}), "
        "1/tau_12 + 1/tau_21, to exp(-barrier) of themselves"
    )


def _fields(
    problem: Problem, cells: NDArray[np.int64], values: NDArray[Any], vectors: NDArray[Any], capacity: Array
) -> tuple[Field, ...]:
    """Modes as densities, sum |masses| = 1; of a complex pair the real part, then the imaginary one."""
    grid, found = problem.grid, []
    for n, value in enumerate(values):
        vector = vectors[:, n]
        vector = vector * np.conj(vector[int(np.argmax(np.abs(vector)))])
        vector = vector / np.abs(vector).sum()
        part = vector.imag if np.imag(value) < 0 else vector.real
        dense = np.zeros(grid.size)
        dense[cells] = -part if np.imag(value) < 0 else part
        found.append(Field(grid, dense.reshape(grid.shape) / capacity.reshape(grid.shape), f"mode {n}"))
    return tuple(found)
