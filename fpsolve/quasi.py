"""Quasi-stationary densities: what remains of paths that have not left, and the rate at which they go on leaving.

    L p = -rate p inside,  p = 0 on the boundary,

the slowest mode of the killed process, found by inverse iteration: mean times again and again.  In one dimension
p = m u with the speed m and u = rate G u, G the integral operator of the mean exit time.  On the chain of cells by
sparse LU (beside jumps by their own direct solve); where rounding would show, as m u with the stationary masses m of
the chain that nothing leaves, by elimination without subtraction.  The quotients of two iterates bound the rate
(Collatz & Wielandt).
Source: Collet, Martinez & San Martin, Quasi-Stationary Distributions (2013).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.asking import check_kind
from fpsolve.errors import InvalidInput, NotConverged, Reducible
from fpsolve.killed import Killed
from fpsolve.operators.state_sets import StateSet
from fpsolve.passage_jumps import METHOD as DIRECT
from fpsolve.passage_jumps import check_return, leaving_cells, solve_among
from fpsolve.passage_line import Passage, check_agreement, passages
from fpsolve.passage_sets import Asked, leaving, refuse_memory
from fpsolve.passage_space import trapped
from fpsolve.problem import Problem
from fpsolve.process import CONVENTIONS
from fpsolve.progress import Progress
from fpsolve.resolvent import Resolvent
from fpsolve.reversal import reversed_rates
from fpsolve.solvers.gth import GTH
from fpsolve.solvers.lu import SparseLU
from fpsolve.solvers.resistances import Stretch
from fpsolve.values.continuation import continued_ends
from fpsolve.values.density import Density
from fpsolve.values.info import Info

__all__ = ["quasi_stationary"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]
ALIKE = 1e-12  # relative distance of the bounds on the rate
MOST_ON_LINE, MOST_BY_LU, MOST_BY_GTH = 20_000, 200, 40  # iterations
UNSURE = 1e-9  # what rounding may move the rate by before elimination without subtraction is taken
EPSILON = float(np.finfo(float).eps)


def quasi_stationary(
    problem: Problem,
    inside: StateSet | None = None,
    *,
    method: GTH | SparseLU | None = None,
    progress: Progress = None,
) -> Density:
    """The density of paths that are still inside after a long time, and how fast they leave.

        L p = -rate p inside, p = 0 on the boundary, sum(masses) + beyond = 1

    problem, inside, progress: as for `mean_exit_time`.
    method: None: in one dimension by scale and speed, to rounding; else `SparseLU()`, or `GTH()` where the rate is so
        small that rounding would show; either may be given.

    Returns a Density; `info.decay_rate` is the rate: from this start exit times are exponential with mean 1/rate.
    Raises InvalidInput with memory, and where nothing is inside, nothing leaves, or paths may stay for ever; Reducible
    where the set falls into parts; NotConverged where two modes decay at almost the same rate (its `best` is what was
    found).

    >>> import numpy as np, fpsolve as fp
    >>> walk = fp.Problem(fp.Process(0.0, 0.5), fp.Grid(x=(-2, 2, 101)))
    >>> p = quasi_stationary(walk, inside=(-1, 1))
    >>> bool(abs(p.info.decay_rate / (np.pi**2 / 8) - 1) < 1e-10)
    True
    """
    started = time.process_time()
    if method is not None:
        remedy = "quasi-stationary densities are solved by fp.GTH() or fp.SparseLU()"
        check_kind("method", method, (GTH, SparseLU), remedy)
    refuse_memory(
        problem, "what is left of its paths depends on their start for ever, and falls by a power of t; use survival"
    )
    asked = leaving(problem, inside)
    asked.check_escape()
    if method is None and asked.in_closed_form:
        return _on_line(asked, started)
    return _on_chain(asked, method, progress, started)


def _on_line(asked: Asked, started: float) -> Density:
    found = passages(asked.problem, asked.L, asked.regions, times=True)
    if len(found) > 1:
        raise _in_parts([one.free.cells.size for one in found])
    one = found[0]
    for side in (one.below, one.above):
        if side.speed == "infinite":
            raise InvalidInput(f"no quasi-stationary density: {side.why}, so the mean exit time is infinite")
    log_u, low, high, count = _by_moments(one.stretch)
    if one.finer is not None:
        check_agreement(np.log([low, high]), np.log(_by_moments(one.finer)[1:3]))
    p = _density_of(asked, one, log_u)
    info = Info(
        method=f"inverse iteration by scale and speed, {one.panels} panels",
        residual=float(high / low - 1.0),
        smallest=float(p.values.min()),
        mass_error=abs(p.mass - 1.0),
        edge_mass=p.beyond,
        seconds=time.process_time() - started,
        decay_rate=float(np.sqrt(low * high)),
        notes=(f"{count} iterations; the decay rate lies between {low:.15g} and {high:.15g}",),
    )
    return _checked(p.replace(info=info), low, high)


def _by_moments(stretch: Stretch) -> tuple[Array, float, float, int]:
    """ln of the slowest mode of L* at the breaks, between which rates it decays, and how many iterations that took."""
    u, before = stretch.log_moment(), (np.zeros(stretch.line.s.size), np.zeros_like(stretch.line.log_speed))
    count = 0
    while count < MOST_ON_LINE:
        count += 1
        gain = u[1] - before[1]
        low, high = np.exp(-gain.max()), np.exp(-gain.min())
        if gain.max() - gain.min() <= max(ALIKE, 16.0 * EPSILON * float(np.abs(u[1]).max())):
            break
        before = u[0] - gain.max(), u[1] - gain.max()
        u = stretch.log_moment(before)
    return u[0], float(low), float(high), count


def _density_of(asked: Asked, one: Passage, log_u: Array) -> Density:
    grid, cells = asked.problem.grid, one.free.cells
    log_p = np.full(grid.shape, -np.inf)
    log_m = one.at_nodes(one.stretch.line.psi) - CONVENTIONS[asked.problem.process.convention] * one.log_d
    log_p[cells] = log_m + one.at_nodes(log_u)
    goes_on = continued_ends(grid.axes[0])
    continued = (goes_on[0] and one.free.below is None, goes_on[1] and one.free.above is None)
    return Density.from_log(grid, log_p, continued=(continued,))


def _on_chain(asked: Asked, method: GTH | SparseLU | None, progress: Progress, started: float) -> Density:
    k = asked.chain
    cells = _checked_chain(k)
    if asked.jumps:
        check_return(asked, "no quasi-stationary density")
    name, found = "", None
    if not isinstance(method, GTH):
        name, found = (DIRECT, _by_jumps(k)) if asked.jumps else (SparseLU().name, _by_lu(_rates_among(k, cells)))
        limit = method.rtol if method is not None else UNSURE
        if found.unsure > limit:
            if method is not None or not k.generator.is_markov:
                raise NotConverged(
                    f"{name}: rounding may move the decay rate {found.rate:.3g} by {found.unsure:.2g} of itself, "
                    f"above {limit:g}: use " + ("fp.GTH()" if k.generator.is_markov else "fp.Positive() and fp.GTH()")
                )
            found = None
    if found is None:
        places = np.stack(np.unravel_index(cells, k.grid.shape), axis=1)
        name, found = GTH().name, _by_gth(_rates_among(k, cells), k.loss[cells], places, progress)
    p = _density_on_cells(k, cells, found.masses / found.masses.sum())
    info = Info(
        method=f"inverse iteration by {name}",
        residual=float(found.high / found.low - 1.0),
        smallest=float(p.values.min()),
        mass_error=abs(p.mass - 1.0),
        edge_mass=p.beyond,
        seconds=time.process_time() - started,
        decay_rate=found.rate,
        notes=(f"{found.count} last iterations; the decay rate lies between {found.low:.12g} and {found.high:.12g}",),
    )
    return _checked(p.replace(info=info), found.low, found.high)


def _density_on_cells(k: Killed, cells: Indices, found: Array) -> Density:
    """The density of masses in the free cells, of which those beside jumps include the tails."""
    masses = np.zeros(k.owner.size)
    masses[cells] = found
    if k.jumps is None:
        p = Density.from_masses(k.grid, masses)
        return p.replace(continued=tuple((False, False) for _ in k.grid.axes))
    with np.errstate(divide="ignore"):
        return Density.from_log(k.grid, np.log(masses / k.jumps.capacity), continued=k.jumps.laws)


@dataclass(frozen=True, eq=False)
class _Slowest:
    """Masses of the slowest mode, its rate with bounds, solves, and what rounding may move the rate by."""

    masses: Array
    rate: float
    low: float
    high: float
    count: int
    unsure: float = 0.0


def _by_lu(rates: sparse.csc_matrix) -> _Slowest:
    return _by_solves(Resolvent(rates, 0.0).solve, -rates.diagonal())


def _by_jumps(k: Killed) -> _Slowest:
    return _by_solves(solve_among(k, 0.0), leaving_cells(k)[k.free])


def _by_solves(solve: Callable[[Array], Array], out: Array) -> _Slowest:
    """By (-L)^-1.  out: rate out of each cell, to anywhere."""
    m = np.full(out.size, 1.0 / out.size)
    if out.size > 20:
        from scipy.sparse.linalg import LinearOperator, eigs

        operator = LinearOperator((out.size,) * 2, matvec=lambda b: solve(np.asarray(b).ravel()), dtype=float)
        m = np.abs(eigs(operator, k=1, v0=m, tol=1e-10)[1][:, 0].real)
        m /= m.sum()
    count, rate, low, high = 0, 0.0, 0.0, 1.0
    while count < MOST_BY_LU and not high - low <= 10.0 * ALIKE * high:
        count += 1
        new = solve(m)
        rate = float(1.0 / new.sum())
        if rate <= 0:  # lost in rounding
            return _Slowest(m, rate, low, high, count, np.inf)
        with np.errstate(invalid="ignore", divide="ignore"):
            quotients = (m / new)[m > EPSILON * m.max()]
        low, high = float(quotients.min()), float(quotients.max())
        m = new * rate
    return _Slowest(m, rate, low, high, count, EPSILON * float(np.sum(out * m)) / rate)


def _by_gth(rates: sparse.csc_matrix, leaving: Array, places: Indices, progress: Progress) -> _Slowest:
    solver = GTH()
    pi = solver.null_vector(rates, places, progress=progress)
    kept = np.flatnonzero(pi > 0)
    turned = reversed_rates(rates[kept][:, kept].tocsc(), np.log(pi[kept]))
    u = np.ones(kept.size)
    count, rate, low, high = 0, 0.0, 0.0, 1.0
    while count < MOST_BY_GTH and not high - low <= 10.0 * ALIKE * high:
        count += 1
        new = solver.first_passage(turned, leaving[kept], u, places[kept], progress=progress)
        quotients = u / new
        rate = float(np.sum(pi[kept] * u) / np.sum(pi[kept] * new))
        low, high = float(quotients.min()), float(quotients.max())
        u = new * rate
    masses = np.zeros(pi.size)
    masses[kept] = pi[kept] * u
    return _Slowest(masses, rate, low, high, count)


def _rates_among(k: Killed, cells: Indices) -> sparse.csc_matrix:
    return k.generator.rates()[cells][:, cells].tocsc()


def _checked_chain(k: Killed) -> Indices:
    """The free cells, which must be of one piece and be left."""
    from scipy.sparse.csgraph import connected_components

    trap = trapped(k)
    if np.any(trap):
        raise InvalidInput(
            f"no quasi-stationary density: paths stay for ever in {int(trap.sum())} cells inside, where no noise takes "
            "them on; ask stationary, or leave these cells out of the set"
        )
    if k.jumps is not None and np.all(k.jumps.moving[k.free]):
        return k.free
    count, label = connected_components(_rates_among(k, k.free), directed=True, connection="strong")
    if count > 1:
        raise _in_parts(list(np.bincount(label)))
    return k.free


def _in_parts(sizes: list[int]) -> Reducible:
    shown = ", ".join(str(size) for size in sizes[:6]) + (", ..." if len(sizes) > 6 else "")
    return Reducible(
        f"inside falls into {len(sizes)} parts (of {shown} cells) between which paths do not go both ways, so what "
        "remains depends on the start; ask of each part by itself",
        sizes=sizes,
    )


def _checked(p: Density, low: float, high: float) -> Density:
    if high - low <= 1e-6 * high:
        return p
    raise NotConverged(
        f"the decay rate is only known to lie between {low:.9g} and {high:.9g}: another mode decays almost as slowly, "
        "as where two wells are left one by one; the estimate is in the error's `best`",
        best=p,
    )
