"""Stationary densities: the null vector of L, one per closed class.

In one dimension in closed form (stationary_line.py), in two and three by elimination (stationary_space.py); beside
jumps along one axis by a direct solve (stationary_jumps.py).
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, InvalidInput, NotConverged, NotNormalizable, Reducible, warn
from fpsolve.generator import Generator, generator
from fpsolve.operators.seams import warn_of_seams
from fpsolve.problem import Problem, check_problem
from fpsolve.progress import Progress
from fpsolve.schemes import Accurate
from fpsolve.solvers.classes import ClosedClass, closed_classes
from fpsolve.solvers.gth import GTH
from fpsolve.solvers.lu import SparseLU
from fpsolve.solvers.null_vector import NullVector, check_null_vector
from fpsolve.solvers.sets import closed_sets
from fpsolve.stationary_jumps import density_with_jumps
from fpsolve.stationary_jumps_plane import density_with_jumps_in_space
from fpsolve.stationary_line import density_on_line
from fpsolve.stationary_space import LARGEST_RESIDUAL, density_in_space
from fpsolve.values.density import Density

__all__ = ["components", "stationary"]

SIGNED_RATES = 1e-2  # LU's estimate of its error takes every rate for a loss; the residual is checked as always


def stationary(problem: Problem, *, method: NullVector | None = None, progress: Progress = None) -> Density:
    """The stationary density of `problem`.

        0 = L p, sum(masses) + beyond = 1

    method: for two and three dimensions.  Default `GTH()`: elimination without subtraction, every mass right to
        rounding relative to itself, so that tails and the weights of wells far apart can be trusted; `SparseLU()` for
        generators with negative rates, as second-order transport has; `Multigrid()` for what is too large for memory.
        One dimension is solved in closed form unless a method is given; jumps leave none to choose.
    progress: a bar for long eliminations (None: on a terminal).

    Returns a Density; `info` has the residual, the mass error, the edge mass and, in one dimension, bounds on the
    relaxation time.  Beside jumps p goes on beyond open ends as the power law that its drift
    gives it, `p.beyond` is what it holds there, and `info.notes` says which law and where its exponent comes from;
    `Positive()` is of first order there, `Accurate()` of order 4 - alpha.
    Raises NotNormalizable where an open end (or a zero of the noise) holds infinite mass, with the exponent;
    Reducible where several closed classes share the grid (then `components` gives one density each); InvalidInput
    for bad coefficients, time-dependent processes and absorbing ends; NotEnoughMemory before a grid too large is begun.
    Warns TruncationWarning, ResolutionWarning, DegenerateWarning, each with the consequence as a number; what
    `Positive()` adds along an axis without noise is in `info.notes`, and above 1 % of a variance a ResolutionWarning.
    Source: Risken, The Fokker-Planck Equation (1996), ch. 5 and 6.

    >>> import fpsolve as fp
    >>> p = stationary(fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 400))))
    >>> round(p.mean(), 12) + 0.0, round(p.var(), 6)
    (0.0, 0.832745)
    >>> spiral = fp.Process(lambda x, y: (-x - 1.5 * y, 0.5 * x - y), ((1.0, 0.4), (0.4, 0.5)))
    >>> p = stationary(fp.Problem(spiral, fp.Grid(x=(-7, 7, 48), y=(-5, 5, 48))))
    >>> bool(p.values.min() > 0), round(p.mass, 12)
    (True, 1.0)
    """
    L = _checked_generator(problem, method)
    if L.jumps is not None:
        return _with_jumps(problem, L, method)
    classes = _classes(L)
    if not classes:
        raise InvalidInput(_no_class(problem))
    if len(classes) > 1:
        sizes = [_size(c) for c in classes]
        shown = ", ".join(str(size) for size in sizes[:6]) + (", ..." if len(sizes) > 6 else "")
        raise Reducible(
            f"the chain falls into {len(sizes)} closed classes (of {shown} cells): ergodicity is broken, and the "
            "stationary density depends on the start; fp.components(problem) gives one density each",
            sizes=sizes,
        )
    return _solve(problem, L, classes[0], method, progress)


def components(
    problem: Problem, *, skip: bool = False, method: NullVector | None = None, progress: Progress = None
) -> list[Density]:
    """One stationary density per closed class, each normalised to 1 and zero outside its class.

    problem, method, progress: as for `stationary`.  skip: leave out the classes without a normalisable density.

    Returns a list, in the order of the grid.  Raises NotNormalizable for the first such class without skip, and what
    `stationary` raises, Reducible apart.

    >>> import fpsolve as fp
    >>> two = components(fp.Problem(fp.Process(lambda x: x - x**3, lambda x: 0.1 * x**2), fp.Grid(x=(-3, 3, 400))))
    >>> [round(p.mean(), 4) for p in two]
    [-0.9227, 0.9227]
    """
    L = _checked_generator(problem, method)
    if L.jumps is not None:
        return [_with_jumps(problem, L, method)]
    found = []
    for closed in _classes(L):
        try:
            found.append(_solve(problem, L, closed, method, progress))
        except NotNormalizable:
            if not skip:
                raise
    return found


def _with_jumps(problem: Problem, L: Generator, method: NullVector | None) -> Density:
    """The one density where jumps join every cell with every other."""
    if method is not None:
        raise InvalidInput(f"method is {method!r}; beside jumps the density is solved for directly: leave method out")
    solve = density_with_jumps if problem.grid.ndim == 1 else density_with_jumps_in_space
    return _checked(solve(problem, L))


def _classes(L: Generator) -> list[ClosedClass] | list[NDArray[np.int64]]:
    return closed_classes(L.chain) if len(L.shape) == 1 else closed_sets(L.edges, L.transport)


def _size(closed: ClosedClass | NDArray[np.int64]) -> int:
    return int(closed.cells.size if isinstance(closed, ClosedClass) else closed.size)


def _solve(
    problem: Problem,
    L: Generator,
    closed: ClosedClass | NDArray[np.int64],
    method: NullVector | None,
    progress: Progress,
) -> Density:
    if isinstance(closed, ClosedClass) and method is None:
        p = density_on_line(problem, L, closed)
    else:
        cells = closed.cells if isinstance(closed, ClosedClass) else closed
        chosen = method or (GTH() if L.is_markov else SparseLU(rtol=SIGNED_RATES))
        p = density_in_space(problem, L, cells, chosen, progress)
    bounds = p.info.relaxation_time
    if bounds is not None and L.memory < 1.0:  # a mode is E_beta(-(t/time)^beta)
        bounds = (bounds[0] ** (1.0 / L.memory), bounds[1] ** (1.0 / L.memory))
    info = dataclasses.replace(p.info, relaxation_time=bounds, notes=(*p.info.notes, *_notes(problem, L)))
    return _checked(p.replace(info=info))


def _checked_generator(problem: Problem, method: NullVector | None) -> Generator:
    check_problem(problem)
    check_null_vector(method)
    if problem.process.time_dependent:
        raise InvalidInput("the process depends on t and has no stationary density; freeze it: process.at(t)")
    L = generator(problem)
    warn_of_seams(problem.process, problem.grid, 0.0)
    if L.jumps is not None:
        return L
    message = _noiseless_on_line(problem, L) if problem.grid.ndim == 1 else _noiseless_in_space(problem, L)
    if message:
        warn(message, DegenerateWarning)
    return L


def _noiseless_on_line(problem: Problem, L: Generator) -> str:
    flat = L.edges.noiseless
    if not np.any(flat & np.roll(flat, 1) & np.roll(flat, -1)):  # an isolated zero takes two edges at most
        return ""
    places = L.chain.zeros[flat]
    return (
        f"diffusion is 0 on {int(flat.sum())} of {flat.size} edges, between {problem.grid.names[0]}="
        f"{places.min():.4g} and {places.max():.4g}: mass only drifts there, and may not return"
    )


def _noiseless_in_space(problem: Problem, L: Generator) -> str:
    """Only what is unexpected: an axis that has no noise anywhere is a model's choice."""
    edges, grid = L.edges, problem.grid
    across = np.argmax(edges.offsets != 0, axis=1)
    fitted = [bool(np.any(~edges.noiseless & (edges.offsets[:, k] != 0))) for k in range(grid.ndim)]
    flat = edges.noiseless & np.array(fitted)[across]
    if not np.any(flat):
        return ""
    places = np.unravel_index(np.concatenate([edges.left[flat], edges.right[flat]]), grid.shape)
    box = ", ".join(
        f"{name} in [{axis.nodes[place.min()]:.4g}, {axis.nodes[place.max()]:.4g}]"
        for name, axis, place in zip(grid.names, grid.axes, places, strict=True)
    )
    return (
        f"diffusion is 0 between {int(flat.sum())} pairs of neighbouring cells of {grid.size} cells, within {box}: "
        "mass only drifts there, and may not return"
    )


def _no_class(problem: Problem) -> str:
    grid = problem.grid
    absorbing = [name for name, axis in zip(grid.names, grid.axes, strict=True) if "absorbing" in axis.ends]
    if absorbing:
        return (
            f"every path ends at the absorbing end of {', '.join(absorbing)}, so no stationary density exists; "
            "make the end reflecting or open"
        )
    names = ", ".join(grid.names)
    return f"no set of cells of {names} keeps its mass: the drift carries it through regions without noise"


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


def _notes(problem: Problem, L: Generator) -> tuple[str, ...]:
    waiting = (f"the same with and without memory ({L.memory:g}), which changes how it is approached",)
    return _notes_of_scheme(problem, L) + (waiting if L.memory < 1.0 else ())


def _notes_of_scheme(problem: Problem, L: Generator) -> tuple[str, ...]:
    if not isinstance(problem.scheme, Accurate):
        return ()
    if L.transport:
        return ("second-order transport: rates of both signs, so small undershoots are possible",)
    return ("no transport and no jumps: Accurate() equals Positive() here",)
