"""Densities in motion: m(t) = exp(t L) m(0), and the solution of dm/dt = L(t) m where coefficients depend on time.

With memory beta < 1, m(t) = E_beta(t^beta L) m(0), and the solution of dm/dt = L(t) D_t^(1-beta) m.
"""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import check_kind
from fpsolve.axis import Axis
from fpsolve.checks import rising_times
from fpsolve.errors import FpsolveWarning, InvalidInput, ResolutionWarning, TruncationWarning, warn
from fpsolve.generator import Generator, generator
from fpsolve.grid import Grid
from fpsolve.initial import Initial, masses, same_cells
from fpsolve.memory import require
from fpsolve.methods.contour import Contour
from fpsolve.methods.fast_l1 import FastL1
from fpsolve.methods.flow import Generators, Operator
from fpsolve.methods.krylov import Krylov
from fpsolve.methods.march import Interrupted, Method
from fpsolve.methods.tr_bdf2 import TRBDF2
from fpsolve.operators.ends import extension
from fpsolve.operators.seams import warn_of_seams
from fpsolve.problem import Problem, check_problem
from fpsolve.progress import Progress
from fpsolve.values.continuation import continued_ends, share_beyond
from fpsolve.values.density import Density
from fpsolve.values.evolution import Evolution
from fpsolve.values.info import Info

__all__ = ["default_method", "evolve", "follow", "with_tails"]

Array = NDArray[np.float64]
VECTORS = 16  # of the length of the state, beside those recorded
TOLERATED_NEGATIVITY = 1e-10  # of the peak
TOLERATED_TRUNCATION = 1e-6
ROUNDING = 1e-13  # of the largest mass: below it a tail has no law
STEPPERS = "fp.Krylov(), fp.TRBDF2(), fp.SDIRK2() or fp.BackwardEuler(dt); with memory fp.Contour() or fp.FastL1()"


def evolve(
    problem: Problem,
    initial: Initial | Evolution,
    times: ArrayLike,
    *,
    method: Method | None = None,
    normalize: bool = False,
    progress: Progress = None,
) -> Evolution:
    """The densities of `problem` at `times`, from a start at t = 0.

        dm/dt = L(t) m, m(0) = the masses of the start;   with memory beta < 1: dm/dt = L(t) D_t^(1-beta) m

    initial: a Gaussian, a Point, a function p of the coordinates, a Density, or an array of cell masses; an Evolution,
        or a Density with a time (`path[-1]`), goes on from its time with its masses as they are; not with memory, where
        the future depends on all of the past.
    normalize: scale a start whose mass on this grid is not 1, instead of refusing it.
    times: rising, >= 0.  progress: as for `stationary`.
    method: a time stepper.  None: Krylov() where the generator does not depend on time, else TRBDF2(); with memory
        Contour() and FastL1(), which alone can.

    Returns an Evolution; `info` has the mass error (None where ends absorb), the smallest value of p, the steps taken
    and the estimated error in time; of Krylov also the floor below which ln p is masked.
    On Ctrl-C the part that is done is returned, `.finished` is False, and an FpsolveWarning says so.
    Raises InvalidInput for starts that are no density, times that do not rise, a dt longer than the run, bad
    coefficients, and a start or a method that memory rules out; NotConverged where steps vanish.
    Warns ResolutionWarning where p falls below -1e-10 of its peak and more than the method's floor (what a Markov
    generator never does: the steps are too long), TruncationWarning where more than a millionth of the mass would lie
    beyond an open end.

    >>> import numpy as np, fpsolve as fp
    >>> ou = fp.Problem(fp.Process(lambda x: -x, 0.5), fp.Grid(x=(-6, 6, 240)))
    >>> path = evolve(ou, fp.Gaussian(2.0, 0.5), [0, 1])
    >>> bool(abs(path.mean()[1] - 2 * np.exp(-1)) < 1e-3), len(path)
    (True, 2)
    """
    check_problem(problem, "evolve(problem, initial, times)")
    first, start = _in_motion(initial)
    L = generator(problem, start)
    warn_of_seams(problem.process, problem.grid, start)
    if L.memory < 1.0 and start != 0.0:
        raise InvalidInput(
            f"the start has the time t={start:g} and the process the memory {L.memory:g}: a density does not say how "
            "long its paths have waited already, so nothing goes on from it; ask for all times in one call from t = 0 "
            "(to begin anew with this density, all clocks set to 0, give p.replace(time=None))"
        )
    if isinstance(first, Density) and first.time is not None and same_cells(first.grid, problem.grid):
        m0 = first.masses  # as they are, whatever became of their sum and signs
    else:
        m0 = masses(first, problem.grid, normalize=normalize)
    stops = rising_times(times, start, "what it goes on from")
    moving = partial(generator, problem) if problem.process.time_dependent else L
    return follow(problem.grid, L, moving, m0, stops, method, start=start, progress=progress)


def follow(
    grid: Grid,
    L: Generator,
    moving: Generators,
    m0: Array,
    stops: Array,
    method: Method | None,
    *,
    start: float,
    progress: Progress,
) -> Evolution:
    """The evolution of masses m0 from `start` through `stops`.

    Beside jumps the generator's masses include the tails beyond open ends, those of the grid do not.

    moving: L itself, or the function of t that L is the first value of.  Raises and warns as `evolve` does.
    """
    method = default_method(moving, L.memory) if method is None else _checked(method, L.memory)
    what, vectors = f"{L.size} cells at {stops.size} times", getattr(method, "vectors", 0)
    remedy = "record fewer times at once: an Evolution can be gone on from"
    require(8.0 * L.size * (stops.size + VECTORS + vectors), what, remedy)
    finished = True
    try:
        whole = m0.ravel() * with_tails(L, grid)
        rows, info = method.states(moving, whole, stops, start=start, progress=progress)
    except Interrupted as stop:
        rows, info, finished = stop.masses, stop.info, False
        remedy = "evolve goes on from it" if L.memory == 1.0 else "with memory nothing goes on from it"
        message = f"interrupted at t={stop.times[-1]:g} of {stops[-1]:g}: a partial evolution; {remedy}"
        warn(message, FpsolveWarning)
        stops = stop.times
    path = _path(grid, moving, stops, rows, info, finished)
    return path.replace(info=_completed(path, L, float(whole.sum())))


def with_tails(L: Operator, grid: Grid) -> Array:
    """The generator's masses over those of the grid: 1 but for cells that carry tails, beside jumps."""
    jumps = L.jumps if isinstance(L, Generator) else None
    return np.ones(grid.size) if jumps is None else jumps.capacity / grid.weights.ravel()


def _path(grid: Grid, moving: Generators, stops: Array, rows: Array, info: Info, finished: bool) -> Evolution:
    """The evolution that has the rows for the generator's masses."""
    shape = (-1, *grid.shape)
    generators = [moving(float(t)) if callable(moving) else moving for t in stops]
    laws = [L.jumps.laws for L in generators if isinstance(L, Generator) and L.jumps is not None]
    if not laws:
        return Evolution(grid, stops, rows.reshape(shape), info, finished)
    masses = rows / np.array([with_tails(L, grid) for L in generators])
    tails = rows.sum(axis=1) - masses.sum(axis=1)
    return Evolution(grid, stops, masses.reshape(shape), info, finished, tails, tuple(laws))


def _in_motion(initial: Initial | Evolution) -> tuple[Initial, float]:
    """What to begin with, and its time: that of a density in motion, else 0."""
    first = initial[-1] if isinstance(initial, Evolution) else initial
    return first, float(first.time) if isinstance(first, Density) and first.time is not None else 0.0


def default_method(moving: Generators, memory: float) -> Method:
    """The time stepper where none is given."""
    if memory < 1.0:
        return FastL1() if callable(moving) else Contour()
    return TRBDF2() if callable(moving) else Krylov()


def _checked(method: Any, memory: float) -> Method:
    check_kind("method", method, Method, f"give a time stepper: {STEPPERS}")
    if memory < 1.0 and not getattr(method, "remembers", False):
        raise InvalidInput(
            f"method is {method!r}, which knows only the last state, and the process has the memory {memory:g}: use "
            "fp.Contour(), or fp.FastL1() where coefficients depend on time"
        )
    return method


def _completed(path: Evolution, L: Generator, before: float) -> Info:
    """What the method knows, and what is seen in the masses; warnings where they are not what they should be."""
    p, floor = path.masses / path.grid.weights, path.info.floor
    ratios = _lowest(p) if floor is None else _lowest(path.masses)
    worst = int(np.argmin(ratios))
    notes = path.info.notes
    if ratios[worst] < -max(TOLERATED_NEGATIVITY, floor or 0.0):
        seen = f"p falls to {ratios[worst]:.2g} of its peak at t={path.times[worst]:g}"
        if L.is_markov:
            remedy = "the steps are too long for what changes there: shorten dt, lower rtol, or use fp.BackwardEuler()"
            warn(f"{seen}: {remedy}", ResolutionWarning)
        else:
            notes = (*notes, f"{seen}: accurate transport undershoots where a pulse is not resolved")
    return dataclasses.replace(
        path.info,
        mass_error=None if np.any(L.killing > 0) else float(np.abs(path.mass - before).max()),
        smallest=float(p.min()),
        edge_mass=_edge_mass(path),
        notes=notes,
    )


def _lowest(rows: Array) -> Array:
    """The smallest entry of each row over its largest."""
    cells = tuple(range(1, rows.ndim))
    peaks = np.abs(rows).max(axis=cells)
    return rows.min(axis=cells) / np.where(peaks > 0.0, peaks, 1.0)


def _edge_mass(path: Evolution) -> float:
    """The largest share that tails would hold beyond the open ends at one time; a warning where it matters."""
    shares = np.zeros(len(path))
    if path.tails is not None:  # power laws that are part of the answer
        return float((path.tails / path.mass).max())
    for k, (name, axis) in enumerate(zip(path.grid.names, path.grid.axes, strict=True)):
        profiles = path.masses.sum(axis=tuple(i + 1 for i in range(path.grid.ndim) if i != k))
        for upper in (False, True):
            if continued_ends(axis)[upper]:
                outward = profiles if upper else profiles[:, ::-1]
                found = np.array([_share(profile) for profile in outward])
                worst = int(np.argmax(found))
                if found[worst] > TOLERATED_TRUNCATION:
                    _warn_of_truncation(axis, name, upper, outward[worst], float(found[worst]), path.times[worst])
                shares += found
    return float(shares.max())


def _share(profile: Array) -> float:
    """The share of the mass beyond the last cell, or in the layer that rises toward it."""
    if profile[-1] <= ROUNDING * profile.max():
        return 0.0
    total = float(profile.sum())
    if profile[-1] < profile[-2]:
        beyond = share_beyond(profile, True)
        return beyond / (total + beyond)
    falls = np.flatnonzero(np.diff(profile) < 0.0)
    return float(profile[falls[-1] + 1 if falls.size else 0 :].sum()) / total


def _warn_of_truncation(axis: Axis, name: str, upper: bool, profile: Array, share: float, t: float) -> None:
    end = f"the open end {name}={axis.hi if upper else axis.lo:.4g}"
    if profile[-1] < profile[-2]:
        slope = float(np.log(profile[-1] / profile[-2])) / axis.ds
        seen = f"{share:.2g} of the mass would lie beyond {end} at t={t:g}"
        remedy = extension(axis, name, slope, share, upper)
    else:
        seen, remedy = f"{share:.2g} of the mass is held back at {end} at t={t:g}", "widen the grid"
    warn(f"{seen}; {remedy}, or make the end reflecting or absorbing", TruncationWarning)
