"""First passages: mean exit times and their moments, where paths leave, and which of two sets they reach first.

In one dimension by scale and speed (solvers/resistances.py), to rounding wherever the targets lie; in several by
elimination without subtraction on the chain of cells, of second order in the cell width.  Where paths jump
(passage_jumps.py) they have left a set wherever beyond its edge they land.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import whole
from fpsolve.errors import DegenerateWarning, warn
from fpsolve.operators.state_sets import StateSet
from fpsolve.passage_exits import counted_ends, counted_rates, exit_of
from fpsolve.passage_jumps import METHOD as DIRECT
from fpsolve.passage_jumps import chances_with_jumps, moments_with_jumps
from fpsolve.passage_line import Answers, Passage, chances, moments, passages
from fpsolve.passage_open import endless_cells
from fpsolve.passage_sets import Asked, between, leaving
from fpsolve.passage_space import FirstPassage, chances_in_space, chosen, moments_in_space
from fpsolve.problem import Problem
from fpsolve.progress import Progress
from fpsolve.values.field import Field
from fpsolve.values.info import Info

__all__ = ["committor", "exit_probability", "mean_exit_time"]

Array = NDArray[np.float64]
TARGET = 1  # of (source, target)


def mean_exit_time(
    problem: Problem,
    inside: StateSet | None = None,
    *,
    moment: int = 1,
    method: FirstPassage | None = None,
    progress: Progress = None,
) -> Field:
    """The mean time in which paths leave a set, by where they start.

        L* tau = -1 inside, tau = 0 outside and on the boundary

    problem: of a process that does not depend on t.  progress: as for `stationary`.
    inside: (lo, hi) in one dimension, one such pair (or None) per axis in several, or a function of the coordinates
        that is positive inside, whose zero is the boundary; infinite bounds are none.  None: until an absorbing end.
    moment: n for <T^n>.
    method: None: in one dimension scale and speed by Gauss quadrature, exact to rounding; else `GTH()`, second order in
        the cell width with every digit that the chain has, however deep the wells; `SparseLU()` is faster and refuses
        what it would get wrong.  With jumps, None is a direct solve, and `GTH()` is for up to 4000 cells.

    Jumps leave over the edge of a set wherever they land.  At an edge tau falls like distance^(alpha/2): to see it,
    end the axis there and cluster it, Axis.tanh(..., ends="absorbing"); equal cells are of order alpha/2 there, 1 far
    from it.

    Returns a Field, 0 outside.  Where a path may stay for ever it is infinite, with a DegenerateWarning that says why;
    so it is everywhere with memory, where waiting times have no mean: ask for `survival`.
    Raises InvalidInput for sets that hold no node or that nothing leaves, and for processes that depend on t;
    NotNormalizable where it cannot be told whether paths come back from an open end in finite mean time; NotConverged
    where the drift is too strong and too uneven for the quadrature.
    Warns ResolutionWarning for boolean functions, TruncationWarning where much time is spent beyond an open end.
    Source: Gardiner, Stochastic Methods (2009), section 5.5; Risken (1996), section 8.1.

    >>> import fpsolve as fp
    >>> walk = fp.Problem(fp.Process(0.0, 0.5), fp.Grid(x=(-2, 2, 101)))
    >>> tau = mean_exit_time(walk, inside=(-1, 1))
    >>> round(tau(0.0), 12)
    1.0
    """
    started = time.process_time()
    asked, order = leaving(problem, inside), whole("moment", moment, 1)
    asked.check_escape()
    label = "mean exit time" if order == 1 else f"moment {order} of the exit time"
    if problem.process.memory < 1.0:
        answers, name = Answers(_endless(asked, problem.process.memory)), "waiting times have no mean"
        return _field(problem, answers, label, name, started)
    if method is None and asked.in_closed_form:
        found = passages(problem, asked.L, asked.regions, times=True)
        answers, name = moments(found, problem.grid.size, order), _quadrature(found)
    elif method is None and asked.jumps:
        answers = Answers(moments_with_jumps(asked.chain, order, endless_cells(asked, times=True)))
        name = DIRECT
    else:
        solver = chosen(method, asked.chain)
        endless = endless_cells(asked, times=True)
        answers, name = Answers(moments_in_space(asked.chain, order, solver, progress, endless)), solver.name
    return _field(problem, answers, label, name, started)


def exit_probability(
    problem: Problem,
    inside: StateSet | None = None,
    *,
    through: Any,
    method: FirstPassage | None = None,
    progress: Progress = None,
) -> Field:
    """The chance that a path leaves a set through a part of its boundary, by where it starts.

        L* h = 0 inside, h = 1 on that part and 0 on the rest

    problem, inside, method, progress: as for `mean_exit_time`.
    through: "lower" or "upper" in one dimension; (axis, "lower") or (axis, "upper") for a side of a box or an absorbing
        end; or a set, which counts the exits whose place it holds (of first order where it cuts the boundary).  Of a
        jump it is where it lands that counts: "upper" is anywhere above.

    Returns a Field, 0 outside.  Raises InvalidInput where there is no such side, and as `mean_exit_time` does.
    Source: Gardiner, Stochastic Methods (2009), section 5.5.

    >>> import fpsolve as fp
    >>> walk = fp.Problem(fp.Process(0.0, 0.5), fp.Grid(x=(-2, 2, 101)))
    >>> h = exit_probability(walk, inside=(-1, 1), through="upper")
    >>> round(h(0.0), 12), round(h(0.5), 6)
    (0.5, 0.75)
    """
    started = time.process_time()
    asked, exit_ = leaving(problem, inside), exit_of(through, problem.grid)
    asked.check_escape()
    if method is None and asked.in_closed_form:
        found = passages(problem, asked.L, asked.regions, times=False)
        answers = chances(found, problem.grid.size, counted_ends(asked, found, exit_))
        name = _quadrature(found)
    else:
        rates = counted_rates(asked, exit_)
        answers, name = _chances(asked, rates, method, progress)
    return _field(problem, answers, "exit probability", name, started)


def committor(
    problem: Problem,
    source: StateSet,
    target: StateSet,
    *,
    method: FirstPassage | None = None,
    progress: Progress = None,
) -> Field:
    """The chance to reach `target` before `source`, by where a path starts.

        L* q = 0 between them, q = 0 in the source, 1 in the target

    problem, method, progress: as for `mean_exit_time`.  source, target: sets, as `inside` is there.
    Paths that an end absorbs reach neither.

    Returns a Field.  Raises InvalidInput for sets that hold no node or overlap.
    Source: E & Vanden-Eijnden, J. Stat. Phys. 123, 503 (2006).

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 101)))
    >>> q = committor(well, source=(None, -1), target=lambda x: x - 1)
    >>> round(q(0.0), 9), q.values[[0, -1]]
    (0.5, array([0., 1.]))
    """
    started = time.process_time()
    asked = between(problem, source, target)
    if method is None and asked.in_closed_form:
        found = passages(problem, asked.L, asked.regions, times=False)
        counts = [(one.free.below == TARGET, one.free.above == TARGET) for one in found]
        answers, name = chances(found, problem.grid.size, counts), _quadrature(found)
    else:
        answers, name = _chances(asked, asked.chain.into(TARGET), method, progress)
    answers.values[asked.owner == TARGET] = 1.0
    return _field(problem, answers, "committor", name, started)


def _chances(asked: Asked, rates: Array, method: FirstPassage | None, progress: Progress) -> tuple[Answers, str]:
    """On the chain of cells: the chance to leave by transitions at these rates, and by what it was found."""
    endless_cells(asked, times=False)
    if method is None and asked.jumps:
        return Answers(chances_with_jumps(asked.chain, rates)), DIRECT
    solver = chosen(method, asked.chain)
    return Answers(chances_in_space(asked.chain, rates, solver, progress)), solver.name


def _endless(asked: Asked, memory: float) -> Array:
    """Infinite inside, and a warning."""
    warn(
        f"the mean exit time is infinite: with the memory {memory:g} the chance to be inside still falls like "
        f"t^-{memory:g}; use survival",
        DegenerateWarning,
    )
    return np.where(asked.owner < 0, np.inf, 0.0)


def _quadrature(found: list[Passage]) -> str:
    return f"scale and speed by Gauss quadrature, {sum(one.panels for one in found)} panels"


def _field(problem: Problem, answers: Answers, label: str, method: str, started: float) -> Field:
    info = Info(method=method, seconds=time.process_time() - started)
    values = answers.values.reshape(problem.grid.shape)
    return Field(problem.grid, values, label, info, between=tuple(answers.between))
