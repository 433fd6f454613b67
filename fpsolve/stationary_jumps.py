"""Stationary densities beside stable jumps along one axis.

Solved directly with the positive edges, by GMRES from there with Accurate() (solvers/line_null.py).  Beyond open ends p
goes on as a power law whose exponent operators/jump_tails.py derives; where scale^alpha grows too fast for that it is
fitted to the last cells, until it repeats itself.
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput, NotConverged, ResolutionWarning, TruncationWarning, warn
from fpsolve.generator import Generator
from fpsolve.operators.jump_ends import Tail
from fpsolve.operators.jump_line import line_with_jumps
from fpsolve.operators.jump_tails import check_normalizable, fitted_tail, is_derived
from fpsolve.operators.line_jumps import LineJumps
from fpsolve.problem import Problem
from fpsolve.resolution import warn_of_narrow_peaks
from fpsolve.schemes import Positive
from fpsolve.solvers.line_null import null_masses
from fpsolve.values.density import Density
from fpsolve.values.info import Info

__all__ = ["density_with_jumps"]

Array = NDArray[np.float64]
TOLERATED_DOUBT = 1e-5  # of the mass
SAME = 1e-4  # exponents
MOST_FITS = 40
JUST_INSIDE = (0.5, 0.8)  # of the distance to an end: where the tail should have its exponent


def density_with_jumps(problem: Problem, L: Generator) -> Density:
    """The density of a process with jumps along one axis.

    Raises NotNormalizable where an open end holds infinite mass, NotConverged where a solve fails.
    Warns TruncationWarning where the tail has not reached its power law at an open end; ResolutionWarning where
    Accurate() gives negative densities, and the positive form is returned.
    """
    started = time.process_time()
    axis, name = problem.grid.axes[0], problem.grid.names[0]
    if np.any(L.killing > 0):
        raise InvalidInput(
            f"every path ends at the absorbing end of {name}, so no stationary density exists; make the end reflecting "
            "or open"
        )
    for end in _line(L).ends:
        check_normalizable(axis, name, end.upper, end.tail)
    L, m, products = _solved(problem, _summed(L))
    jumps, tails = _line(L), {end.upper: end.tail for end in _line(L).ends}
    notes = [f"{name} -> {'inf' if up else '-inf'}: p ~ y^-{t.exponent:.5g}, {t.source}" for up, t in tails.items()]
    method = f"fluxes of fifth order, {products} products of GMRES" if products else "direct solve of jumps and drift"
    p = Density.from_log(problem.grid, np.log(m / jumps.capacity), continued=jumps.laws)
    _warn_of_tails(p, tails)
    warn_of_narrow_peaks(p)
    info = Info(
        method=method,
        residual=_residual(L, m),
        mass_error=abs(p.mass - 1.0),
        smallest=float(p.values.min()),
        edge_mass=p.beyond,
        seconds=time.process_time() - started,
        notes=tuple(notes),
    )
    return p.replace(info=info)


def _line(L: Generator) -> LineJumps:
    assert isinstance(L.jumps, LineJumps)
    return L.jumps


def _summed(L: Generator) -> Generator:
    return replace(L, jumps=_line(L).summed)


def _solved(problem: Problem, L: Generator) -> tuple[Generator, Array, int]:
    """The generator with the tails found, its masses, and the products that GMRES took."""
    for _ in range(MOST_FITS):
        found, m, products = _masses(L)
        jumps = _line(found)
        tails = {end.upper: _again(jumps, end.tail, end.upper, m) for end in jumps.ends}
        if all(abs(tails[end.upper].exponent - end.tail.exponent) < SAME for end in jumps.ends):
            return found, m, products
        for upper, tail in tails.items():
            check_normalizable(jumps.axis, problem.grid.names[0], upper, tail)
        L = _with_tails(problem, L, (tails.get(False), tails.get(True)))
    raise NotConverged(
        f"the exponents of the tails, {[t.exponent for t in tails.values()]}, do not settle in {MOST_FITS} fits: "
        "widen the grid, until the tail is a power law inside it",
        best=m,
    )


def _again(jumps: LineJumps, tail: Tail, upper: bool, m: Array) -> Tail:
    return tail if is_derived(tail) else fitted_tail(jumps.axis, upper, tail, m / jumps.capacity)


def _with_tails(problem: Problem, L: Generator, tails: tuple[Tail | None, Tail | None]) -> Generator:
    axis, name = problem.grid.axes[0], problem.grid.names[0]
    edges, fluxes, jumps = line_with_jumps(problem.process, axis, name, problem.scheme, 0.0, tails)
    return _summed(replace(L, edges=edges, transport=fluxes, jumps=jumps))


def _masses(L: Generator) -> tuple[Generator, Array, int]:
    """The generator, its masses, the products that GMRES took; the positive form where the other has negative ones."""
    jumps = _line(L)
    positive, m, products = null_masses(jumps, L.apply)
    if np.all(m > 0):
        return L, m, products
    p = m / jumps.capacity
    warn(
        f"fluxes of high order give negative densities in {int((p <= 0).sum())} cells (the smallest "
        f"{p.min() / p.max():.2g} of the largest): {Positive()!r}, of first order in the tails, is returned instead; "
        "use more cells",
        ResolutionWarning,
    )
    return replace(L, edges=jumps.positive, transport=(), jumps=replace(jumps, exact=True)), positive, 0


def _residual(L: Generator, m: Array) -> float:
    """Largest net flow into a cell over the largest one-way flow."""
    jumps = _line(L)
    leaving = jumps.outflow * jumps.lift * m + L.edges.outflow * m
    return float(np.abs(L.apply(m)).max() / leaving.max())


def _warn_of_tails(p: Density, tails: dict[bool, Tail]) -> None:
    """Say so where the density has not yet the exponent of its tail where the grid stops."""
    axis, name = p.grid.axes[0], p.grid.names[0]
    for upper, tail in tails.items():
        doubt, share = _doubt(p, axis, upper, tail), p.shares[upper]
        if doubt * share <= TOLERATED_DOUBT:
            continue
        q, end = tail.exponent, axis.hi if upper else axis.lo
        further = (doubt * share / TOLERATED_DOUBT) ** (0.5 / (q - 1.0))
        warn(
            f"{share:.2g} of the mass lies beyond the open end {name}={end:.4g}, known to about {doubt * share:.1g}: "
            f"there p falls off by {doubt:.2g} from its power law |{name}|^-{q:.4g}; extend the grid to "
            f"{name}={tail.center + (end - tail.center) * further:.2g}",
            TruncationWarning,
        )


def _doubt(p: Density, axis: Axis, upper: bool, tail: Tail) -> float:
    """How far the mass beyond may be off, relative: by how much the local exponent near the end differs, over q - 1."""
    end = tail.law.reach(axis, upper)[1]
    y = (axis.nodes - tail.center) * (1.0 if upper else -1.0)
    used = (y > JUST_INSIDE[0] * end) & (y < JUST_INSIDE[1] * end)
    if used.sum() < 2:
        return 1.0
    local = -float(np.polyfit(np.log(y[used]), p.log_values[used], 1)[0])
    return abs(local - tail.exponent) / (tail.exponent - 1.0)
