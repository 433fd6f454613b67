"""Stationary densities: the null vector of L, one per closed class.

In one dimension a class without current is summed in log space, exact at equilibrium to the quadrature of A/D; a ring
carries its constant current in closed form.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, InvalidInput, NotConverged, NotNormalizable, Reducible
from fpsolve.generator import Generator, generator
from fpsolve.kernels.fluxes import face_fluxes
from fpsolve.operators.ends import check_noise_zero, check_open_end, warn_of_singularity, warn_of_truncation
from fpsolve.operators.local import Edges
from fpsolve.problem import Problem
from fpsolve.relaxation import relaxation_bounds
from fpsolve.resolution import warn_if_nearly_reducible, warn_of_coarse_cells
from fpsolve.schemes import Accurate
from fpsolve.solvers.classes import ClosedClass, closed_classes
from fpsolve.solvers.cyclic import log_density_and_current
from fpsolve.solvers.log1d import log_density
from fpsolve.values.continuation import EndLaw, continued_ends
from fpsolve.values.density import Density
from fpsolve.values.info import Info

__all__ = ["components", "stationary"]

Array = NDArray[np.float64]
LARGEST_RESIDUAL = 1e-6


def stationary(problem: Problem) -> Density:
    """The stationary density of `problem`.

    0 = L p, sum(masses) + beyond = 1

    Returns a Density; `info` has the residual, the mass error, the edge mass and bounds on the relaxation time.
    Raises NotNormalizable where an open end (or a zero of the noise) holds infinite mass, with the exponent;
    Reducible where several closed classes share the grid (then `components` gives one density each); InvalidInput
    for bad coefficients, time-dependent processes and absorbing ends.
    Warns TruncationWarning, DegenerateWarning, each with the consequence as a number.
    Source: Risken, The Fokker-Planck Equation (1996), ch. 5.

    >>> import fpsolve as fp
    >>> p = stationary(fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 400))))
    >>> round(p.mean(), 12) + 0.0, round(p.var(), 6)
    (0.0, 0.832745)
    """
    L = _checked_generator(problem)
    classes = closed_classes(L.edges)
    if not classes:
        raise InvalidInput(_no_class(problem))
    if len(classes) > 1:
        sizes = [c.cells.size for c in classes]
        shown = ", ".join(str(size) for size in sizes[:6]) + (", ..." if len(sizes) > 6 else "")
        raise Reducible(
            f"the chain falls into {len(sizes)} closed classes (of {shown} cells): ergodicity is broken, and the "
            "stationary density depends on the start; fp.components(problem) gives one density each",
            sizes=sizes,
        )
    return _solve(problem, L, classes[0])


def components(problem: Problem, *, skip: bool = False) -> list[Density]:
    """One stationary density per closed class, each normalised to 1 and zero outside its class.

    Raises NotNormalizable for the first class without a normalisable density; with skip=True such classes are
    left out.  Raises InvalidInput as `stationary` does.

    >>> import fpsolve as fp
    >>> two = components(fp.Problem(fp.Process(lambda x: x - x**3, lambda x: 0.1 * x**2), fp.Grid(x=(-3, 3, 400))))
    >>> [round(p.mean(), 4) for p in two]
    [-0.9227, 0.9227]
    """
    L = _checked_generator(problem)
    found = []
    for closed in closed_classes(L.edges):
        try:
            found.append(_solve(problem, L, closed))
        except NotNormalizable:
            if not skip:
                raise
    return found


def _checked_generator(problem: Problem) -> Generator:
    if isinstance(problem, Problem) and problem.process.time_dependent:
        raise InvalidInput("the process depends on t and has no stationary density; freeze it: process.at(t)")
    L = generator(problem)
    flat = L.edges.noiseless
    region = flat & np.roll(flat, 1) & np.roll(flat, -1)  # an isolated zero takes two edges at most
    if np.any(region):
        places = L.edges.zeros[flat]
        warnings.warn(
            f"diffusion is 0 on {int(flat.sum())} of {flat.size} edges, between {problem.grid.names[0]}="
            f"{places.min():.4g} and {places.max():.4g}: mass only drifts there, and may not return",
            DegenerateWarning,
            stacklevel=3,
        )
    return L


def _no_class(problem: Problem) -> str:
    axis, name = problem.grid.axes[0], problem.grid.names[0]
    if "absorbing" in axis.ends:
        return (
            f"every path ends at the absorbing end of {name}, so no stationary density exists; "
            "make the end reflecting or open"
        )
    return f"no set of cells of {name} keeps its mass: the drift carries it through regions without noise"


@dataclass(frozen=True, eq=False)
class _Ends:
    """What the ends of a class say: laws at open ends (by upper?), and (cell, exponent, place) of its noise zeros."""

    laws: dict[bool, EndLaw]
    singular: list[tuple[int, float, float]]


def _solve(problem: Problem, L: Generator, closed: ClosedClass) -> Density:
    """The density of one closed class."""
    started = time.process_time()
    axis, edges = problem.grid.axes[0], L.edges
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
    warn_of_coarse_cells(p, edges, closed.cells.size)
    info = Info(
        method="ring in closed form" if closed.ring else "log-space sum of exponentially fitted edges",
        residual=_residual(p, edges, closed, current or 0.0),
        mass_error=abs(p.mass - 1.0),
        smallest=float(p.values.min()),
        edge_mass=p.beyond,
        seconds=time.process_time() - started,
        current=current,
        relaxation_time=bounds,
        notes=_notes(problem),
    )
    return _checked(p.replace(info=info))


def _log_density(edges: Edges, closed: ClosedClass, log_w: Array) -> tuple[Array, float | None]:
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
            warn_of_truncation(axis, name, law, p.shares[upper], reach, upper)
    for cell, exponent, place in ends.singular:
        warn_of_singularity(float(p.masses[cell]), name, exponent, place)


def _checked(p: Density) -> Density:
    """The density, unless it is no null vector."""
    residual = p.info.residual
    if residual is not None and residual < LARGEST_RESIDUAL:
        return p
    raise NotConverged(
        f"the density does not solve L p = 0: residual {residual:.3g} of the largest one-way flow; a coefficient is "
        "beyond what double precision resolves here; the estimate is in the error's `best`",
        best=p,
        history=(residual,) if residual is not None else (),
    )


def _check_ends(problem: Problem, L: Generator, closed: ClosedClass, log_p: Array) -> _Ends:
    axis, name, edges, cells = problem.grid.axes[0], problem.grid.names[0], L.edges, closed.cells
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


def _residual(p: Density, edges: Edges, closed: ClosedClass, current: float) -> float:
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


def _notes(problem: Problem) -> tuple[str, ...]:
    if isinstance(problem.scheme, Accurate):
        return ("no transport and no jumps: Accurate() equals Positive() here",)
    return ()
