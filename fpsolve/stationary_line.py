"""Stationary densities of one closed class in one dimension.

A class without current is summed in log space, exact at equilibrium to the quadrature of A/D; a ring carries its
constant current in closed form.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.generator import Generator
from fpsolve.kernels.fluxes import face_fluxes
from fpsolve.operators.ends import check_noise_zero, check_open_end, warn_of_singularity, warn_of_truncation
from fpsolve.operators.local import Chain
from fpsolve.problem import Problem
from fpsolve.relaxation import relaxation_bounds
from fpsolve.resolution import warn_if_nearly_reducible, warn_of_coarse_cells
from fpsolve.solvers.classes import ClosedClass
from fpsolve.solvers.cyclic import log_density_and_current
from fpsolve.solvers.log1d import log_density
from fpsolve.values.continuation import EndLaw, continued_ends
from fpsolve.values.density import Density
from fpsolve.values.info import Info

__all__ = ["density_on_line"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Ends:
    """What the ends of a class say: laws at open ends (by upper?), and (cell, exponent, place) of its noise zeros."""

    laws: dict[bool, EndLaw]
    singular: list[tuple[int, float, float]]


def density_on_line(problem: Problem, L: Generator, closed: ClosedClass) -> Density:
    """The density of one closed class."""
    started = time.process_time()
    axis, edges = problem.grid.axes[0], L.chain
    log_p, current = _log_density(edges, closed, np.log(axis.weights))
    ends = _Ends({}, []) if closed.ring else _check_ends(problem, L, closed, log_p)
    goes_on = continued_ends(axis)
    continued = (False in ends.laws and goes_on[0], True in ends.laws and goes_on[1])
    p = Density.from_log(problem.grid, log_p, continued=(continued,))
    bounds = None
    if not closed.ring and closed.cells.size > 1:
        inside = closed.cells[:-1]
        bounds = relaxation_bounds(edges.log_coefficients[0][inside] + p.log_values[inside], p.masses[closed.cells])
        warn_if_nearly_reducible(p, edges, closed.cells, bounds)
    _warn_of_ends(p, ends)
    warn_of_coarse_cells(p, edges, closed.cells)
    info = Info(
        method="ring in closed form" if closed.ring else "log-space sum of exponentially fitted edges",
        residual=_residual(p, edges, closed, current or 0.0),
        mass_error=abs(p.mass - 1.0),
        smallest=float(p.values.min()),
        edge_mass=p.beyond,
        seconds=time.process_time() - started,
        current=current,
        relaxation_time=bounds,
    )
    return p.replace(info=info)


def _log_density(edges: Chain, closed: ClosedClass, log_w: Array) -> tuple[Array, float | None]:
    """ln p of the class, -inf outside it, and the current that a ring carries."""
    if closed.ring:
        forward, backward = edges.log_coefficients
        with np.errstate(divide="ignore"):
            forward = np.where(edges.noiseless, np.log(edges.up) + log_w, forward)
            backward = np.where(edges.noiseless, np.log(edges.down) + np.roll(log_w, -1), backward)
        return log_density_and_current(edges.step, forward, backward, log_w)
    log_p = np.full(log_w.size, -np.inf)
    log_p[closed.cells] = log_density(edges.step[closed.cells[:-1]], log_w[closed.cells])
    return log_p, None


def _warn_of_ends(p: Density, ends: _Ends) -> None:
    axis, name = p.grid.axes[0], p.grid.names[0]
    for upper, law in ends.laws.items():
        if p.ends[0][upper]:
            reach = abs((axis.hi if upper else axis.lo) - float(axis.nodes[int(np.argmax(p.masses))]))
            warn_of_truncation(axis, name, law, p.shares[upper], reach, upper, p.log_values)
    for cell, exponent, place in ends.singular:
        warn_of_singularity(float(p.masses[cell]), name, exponent, place)


def _check_ends(problem: Problem, L: Generator, closed: ClosedClass, log_p: Array) -> _Ends:
    axis, name, edges, cells = problem.grid.axes[0], problem.grid.names[0], L.chain, closed.cells
    found = _Ends({}, [])
    for upper, edge in ((False, closed.edge_below), (True, closed.edge_above)):
        natural = edge is None and axis.ends[upper] in ("open", "reflecting") and edges.natural[upper]
        if edge is not None or natural:
            place = float(edges.zeros[edge]) if edge is not None else (axis.hi if upper else axis.lo)
            exponent = check_noise_zero(axis.nodes[cells], name, log_p[cells], place, upper)
            found.singular.append((int(cells[-1] if upper else cells[0]), exponent, place))
        elif axis.ends[upper] == "open":
            found.laws[upper] = check_open_end(axis, name, log_p, upper)
    return found


def _residual(p: Density, edges: Chain, closed: ClosedClass, current: float) -> float:
    """Largest net flux off the constant current over the largest one-way flux, on the edges inside the class."""
    used = closed.cells[: edges.step.size] if closed.ring else closed.cells[:-1]
    used = used[~edges.noiseless[used]]
    if used.size == 0:
        return 0.0
    left, right = p.log_values[edges.left[used]], p.log_values[edges.right[used]]
    fluxes, affinities = np.empty(used.size), np.empty(used.size)
    face_fluxes(edges.step[used], edges.log_conductance[used], left, right, fluxes, affinities)
    forward, backward = edges.log_coefficients
    largest = float(np.exp(max((forward[used] + left).max(), (backward[used] + right).max())))
    return float(np.abs(fluxes - current).max()) / largest if largest > 0 else 0.0
