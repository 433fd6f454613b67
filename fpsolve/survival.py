"""How long paths stay inside a set: the masses of a killed process in motion."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import rising_times
from fpsolve.errors import FpsolveWarning, warn
from fpsolve.evolve import default_method, follow, with_tails
from fpsolve.generator import generator
from fpsolve.grid import Grid
from fpsolve.initial import Initial, masses
from fpsolve.killed import Killed, at_another_time
from fpsolve.methods.flow import Generators
from fpsolve.methods.march import Method
from fpsolve.operators.state_sets import StateSet
from fpsolve.passage_sets import leaving
from fpsolve.problem import Problem
from fpsolve.progress import Progress
from fpsolve.values.survival import Survival

__all__ = ["survival"]

Array = NDArray[np.float64]


def survival(
    problem: Problem,
    initial: Initial,
    times: ArrayLike,
    inside: StateSet | None = None,
    *,
    method: Method | None = None,
    normalize: bool = False,
    progress: Progress = None,
) -> Survival:
    """The probability that paths are inside a set still, and the density of the time at which they leave.

        S(t) = sum of m(t),  dm/dt = L m inside, p = 0 on the boundary;   exit density = -dS/dt
    with memory beta < 1, dm/dt = L D_t^(1-beta) m: paths leave while their clocks run only, and S ~ t^-beta in the end

    initial: a start at t = 0, as for `evolve`; paths outside from the start have left.
    times: rising, >= 0.  inside: as for `mean_exit_time`; None: until an absorbing end.
    problem, method, normalize, progress: as for `evolve`; the process may depend on t.

    Returns a Survival: numpy takes it for its probabilities; `.exit_density`, `.mean_exit_time()`.  On Ctrl-C the part
    that is done is returned, with a warning.  Second order in the cell width, with jumps as `mean_exit_time`.
    Raises InvalidInput and NotConverged, and warns, as `evolve` and `mean_exit_time` do.
    Source: Redner, A Guide to First-Passage Processes (2001), ch. 1.

    >>> import numpy as np, fpsolve as fp
    >>> walk = fp.Problem(fp.Process(0.0, 0.5), fp.Grid(x=(-2, 2, 201)))
    >>> S = survival(walk, fp.Point(0.0), np.linspace(0, 8, 81), inside=(-1, 1))
    >>> S[0], round(S.mean_exit_time(), 2)
    (1.0, 1.0)
    """
    asked = leaving(problem, inside, at_any_time=True)
    asked.check_escape()
    stops = rising_times(times, 0.0, "the start")
    first = asked.chain
    m0 = np.where(first.owner < 0, masses(initial, problem.grid, normalize=normalize).ravel(), 0.0)

    def at(t: float) -> Killed:
        return at_another_time(first, generator(asked.ended, t))

    timed, memory = problem.process.time_dependent, problem.process.memory
    given = (lambda t: at(t).generator) if timed else first.generator
    grid = _with_dead_ends(problem.grid, first)
    path = follow(grid, first.generator, given, m0, stops, method, start=0.0, progress=progress)
    lift = with_tails(first.generator, problem.grid)
    rows, m0 = path.masses.reshape(len(path), -1) * lift, m0 * lift
    losses = [at(float(t)).loss if timed else first.loss for t in path.times]
    rate, moved, finished = float(m0 @ first.loss), rows, True
    if memory < 1.0:
        rate = np.inf if rate > 0.0 else 0.0  # clocks run infinitely fast at first
        moved, finished = _in_motion(method or default_method(given, memory), given, m0, path.times, progress)
    leaving_now = [float(row @ loss) for row, loss in zip(moved, losses, strict=True)]
    return Survival(
        path.times,
        rows[:, first.free].sum(axis=1),
        np.where(path.times > 0.0, leaving_now, rate),
        (float(m0.sum()), rate),
        path.info,
        path.finished and finished,
        memory,
    )


def _in_motion(method: Any, moving: Generators, m0: Array, times: Array, progress: Progress) -> tuple[Array, bool]:
    """D_t^(1-beta) m at the times, NaN where Ctrl-C came before it; at t = 0 there is none."""
    later, moved = times > 0.0, np.zeros((times.size, m0.size))
    if not np.any(later):
        return moved, True
    try:
        moved[later] = method.moving(moving, m0, times[later], progress=progress)[0]
    except KeyboardInterrupt:
        moved[later] = np.nan
        warn("interrupted: probabilities are known, exit densities are not", FpsolveWarning)
        return moved, False
    return moved, True


def _with_dead_ends(grid: Grid, k: Killed) -> Grid:
    """The grid as the paths see it: an open end beside which no cell is free is no end of theirs."""
    cells = np.arange(grid.size).reshape(grid.shape)
    axes = {}
    for i, (name, axis) in enumerate(zip(grid.names, grid.axes, strict=True)):
        ends = [
            "absorbing" if end == "open" and np.all(k.owner[cells.take(place, axis=i)] >= 0) else end
            for end, place in zip(axis.ends, (0, -1), strict=True)
        ]
        axes[name] = dataclasses.replace(axis, ends=(ends[0], ends[1]))
    return Grid(**axes)
