"""Nested grids: Richardson's extrapolation, with an error that was measured.

Refining an axis by odd factors keeps its nodes: node i is node m i + (m - 1)/2 of the grid m times as fine.  With
answers f1, f3, f9 on n, 3n and 9n cells and an error proportional to h^q,

    3^q = |f3 - f1|/|f9 - f3|,      f = f9 + (f9 - f3)/(3^q - 1).

An observed order within 0.1 of a whole number is taken for it; the two extrapolations, of f1, f3 and of f3, f9,
then differ by the first one's error.  Densities are extrapolated in ln p, so they stay positive.
Source: Richardson & Gaunt (1927); Roache (1998).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.errors import InvalidInput, ResolutionWarning, warn
from fpsolve.grid import Grid
from fpsolve.problem import Problem, check_problem
from fpsolve.upwind import UPWIND
from fpsolve.values.density import Density
from fpsolve.values.field import Field

__all__ = ["Estimate", "Question", "at_coarse_nodes", "check_question", "refined"]

Array = NDArray[np.float64]
Question = Callable[[Problem], Any]
FACTOR = 3
MATTERS = 1e-8  # of the largest mass: where the error of a density is measured
ROUNDING = 3e-12  # differences below this, relative to the answer's logarithm or size, have no order
WHOLE = 0.1
DOUBTFUL = 1.0  # of ln p: the error of a density
LOWEST, HIGHEST = 0.5, 12.0  # observed orders in between are believed


class Estimate(float):
    """A number with the error and the order that nested grids gave it; otherwise a float.

    >>> Estimate(0.25, error=1e-9, order=2.0)
    0.25 +- 1e-09 (order 2.00)
    """

    error: float
    order: float | None

    def __new__(cls, value: float, error: float, order: float | None) -> Estimate:
        number = super().__new__(cls, value)
        object.__setattr__(number, "error", error)
        object.__setattr__(number, "order", order)
        return number

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an Estimate is frozen: {name} cannot be set")

    def __repr__(self) -> str:
        order = "order undetermined" if self.order is None else f"order {self.order:.2f}"
        return f"{float(self):.12g} +- {self.error:.1g} ({order})"


def refined(question: Question, problem: Problem, *, order: float | None = None) -> Any:
    """The answer to `question`, extrapolated from nested grids, with its error.

    question: a function of a Problem that returns a Density, a Field or a number, such as `stationary`, or
        `lambda problem: stationary(problem).mean()`.
    order: that of the error.  None: observed on n, 3n and 9n cells; given: n and 3n are enough.

    Returns the same kind of value on the problem's own grid.  A Density has `.error`, the largest relative error where
    a cell holds more than 1e-8 of the largest mass; a number comes as an `Estimate`, a float with `.error` and
    `.order`; a Field has `.error` in its own unit.  Where the answers agree to rounding, or have no order between 0.5
    and 12, the finest is returned as it is, its error is the measured difference, and `info.notes` says so.
    Raises InvalidInput for other answers and orders, and for grids that cannot be refined.  Warns ResolutionWarning
    where ln p of a density moves by more than 1, as it does in the tails under transport of first order: numbers that
    do not hang on the tails are extrapolated well all the same, one by one.

    >>> import fpsolve as fp
    >>> wall = fp.Grid(x=fp.Axis.uniform(0, 12, 30, ends=("reflecting", "open")))
    >>> mean = refined(lambda pr: fp.stationary(pr).mean(), fp.Problem(fp.Process(-1.0, 1.0), wall))
    >>> abs(mean - 1.0) < mean.error < 1e-4, round(mean.order, 1)
    (True, 2.0)
    """
    check_question(question, problem, "refined(question, problem)")
    if order is not None and not (math.isfinite(order) and order > 0):
        raise InvalidInput(f"order is {order}; give a positive number, or None to observe it")
    factors = (1, FACTOR) if order is not None else (1, FACTOR, FACTOR**2)
    answers = [_asked(question, problem, k, finest=k == factors[-1]) for k in factors]
    if all(isinstance(answer, Density) for answer in answers):
        return _of_densities(answers, factors, problem.grid, order)
    if all(isinstance(answer, Field) for answer in answers):
        rows = [at_coarse_nodes(answer.values, k) for answer, k in zip(answers, factors, strict=True)]
        scale = float(np.nanmax(np.abs(rows[-1])))
        best = _extrapolated(rows, np.isfinite(sum(rows)), scale, order)
        info = dataclasses.replace(answers[0].info, notes=(*answers[0].info.notes, best.note))
        return answers[0].replace(values=best.values, info=info, error=best.error)
    if all(np.ndim(answer) == 0 and np.isreal(answer) for answer in answers):
        rows = [np.array([float(answer)]) for answer in answers]
        best = _extrapolated(rows, np.isfinite(sum(rows)), abs(float(rows[-1][0])), order)
        return Estimate(float(best.values[0]), best.error, best.order)
    kinds = ", ".join(type(answer).__name__ for answer in answers)
    raise InvalidInput(f"question returned {kinds}; refined needs Densities, Fields or numbers, the same on every grid")


def check_question(question: object, problem: object, call: str) -> None:
    """InvalidInput unless they are a function and a Problem.  call: their order, for the message."""
    if not callable(question):
        raise InvalidInput(f"{shown(question)} is no function of a Problem; give {call}")
    check_problem(problem, call)


def _asked(question: Question, problem: Problem, factor: int, *, finest: bool) -> Any:
    """The answer on the grid `factor` times as fine; only the finest says what it does not resolve.

    What upwind transport adds no grid says: it is what the extrapolation takes away.
    """
    if factor > 1:
        problem = problem.replace(grid=problem.grid.refined(factor))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", UPWIND, ResolutionWarning)
        if not finest:
            warnings.simplefilter("ignore", ResolutionWarning)
        return question(problem)


def at_coarse_nodes(values: Array, factor: int) -> Array:
    """What a grid `factor` times as fine says at the coarse nodes; odd factors only."""
    if factor % 2 == 0:
        raise InvalidInput(f"refining by {factor} does not keep the nodes; use odd factors")
    return values[tuple(slice(factor // 2, None, factor) for _ in values.shape)]


@dataclass(frozen=True, eq=False)
class _Best:
    """The extrapolated values, their largest error where that counts, and the order (None: undetermined)."""

    values: Array
    error: float
    order: float | None

    @property
    def note(self) -> str:
        if self.order is None:
            return f"nested grids differ by {self.error:.1e} at most: order undetermined, the finest grid's values"
        return f"extrapolated on nested grids with order {self.order:.2f}, error {self.error:.1e}"


def _extrapolated(rows: list[Array], counts: NDArray[np.bool_], scale: float, order: float | None) -> _Best:
    """Extrapolate rows of values from ever finer grids; the order is observed where `counts`."""
    if not np.any(counts):
        return _Best(rows[-1], math.nan, None)
    steps = [np.abs(fine - coarse)[counts] for coarse, fine in itertools.pairwise(rows)]
    sizes = [float(np.sqrt(np.mean(step**2))) for step in steps]
    if sizes[0] <= ROUNDING * scale:
        return _Best(rows[-1], float(steps[-1].max()), None)
    seen = order if order is not None else math.log(sizes[0] / sizes[1], FACTOR) if sizes[1] > 0 else math.inf
    if not LOWEST <= seen <= HIGHEST and order is None:
        return _Best(rows[-1], float(steps[-1].max()), None)
    whole = order is None and abs(seen - round(seen)) <= WHOLE
    gain = 1.0 / (FACTOR ** (round(seen) if whole else seen) - 1.0)
    tries = [fine + gain * (fine - coarse) for coarse, fine in itertools.pairwise(rows)]
    with np.errstate(invalid="ignore"):
        values = np.where(np.isfinite(tries[-1]), tries[-1], rows[-1])
        # with an order fitted to the three answers, the two extrapolations agree whatever the error
        error = np.abs(values - (tries[0] if whole else rows[-1]))[counts].max()
    return _Best(values, float(error), seen)


def _of_densities(answers: list[Density], factors: tuple[int, ...], grid: Grid, order: float | None) -> Density:
    """Extrapolate ln p, each grid's values normalised on the coarse grid first; the mass is extrapolated apart."""
    coarse = answers[0]
    logs = [at_coarse_nodes(p.log_values, k) for p, k in zip(answers, factors, strict=True)]
    logs = [np.where(np.isfinite(log), log, -np.inf) for log in logs]
    level = [Density.from_log(grid, log, continued=coarse.continued) for log in logs]
    rows = [p.log_values for p in level]
    positive = np.all([np.isfinite(row) for row in rows], axis=0)
    counts = positive & (level[-1].masses > MATTERS * level[-1].masses.max())
    with np.errstate(invalid="ignore"):
        best = _extrapolated(rows, counts, 1.0 + float(np.abs(rows[-1][counts]).max(initial=0.0)), order)
    totals = [np.array([p.mass]) for p in answers]
    total = float(_extrapolated(totals, np.ones(1, dtype=bool), 1.0, order).values[0])
    info = dataclasses.replace(coarse.info, notes=(*coarse.info.notes, best.note))
    p = Density.from_log(grid, best.values, info=info, continued=coarse.continued)
    shift = math.log(total) if abs(total - 1.0) > ROUNDING else 0.0
    logs_out = p.log_values + shift
    logs = [np.where(positive, log, 0.0) for log in logs]
    own = _extrapolated(logs, counts, 1.0 + float(np.abs(logs[-1][counts]).max(initial=0.0)), order)
    # every grid has its own normalisation: where they differ, that is an error of the values too
    error = max(best.error, own.error, float(np.abs(logs_out[counts] - own.values[counts]).max(initial=0.0)))
    if error > DOUBTFUL:
        _warn_of_doubt(grid, np.where(counts, np.abs(logs_out - rows[-1]), 0.0), level[-1].masses, error, order)
    return p.replace(values=np.exp(logs_out), log_values=logs_out, error=error, time=coarse.time)


def _warn_of_doubt(grid: Grid, moved: Array, masses: Array, error: float, order: float | None) -> None:
    """ln p is off by more than a number can be: say where, and that other numbers need not be."""
    place = np.unravel_index(int(np.argmax(moved)), grid.shape)
    where = ", ".join(f"{n}={axis.nodes[i]:.4g}" for n, axis, i in zip(grid.names, grid.axes, place, strict=True))
    name, given = grid.names[0], "" if order is None else f", order={order:g}"
    warn(
        f"ln p is not extrapolated well everywhere: it is known to about {error:.2g} at {where}, and to "
        f"{float(np.sum(masses * moved) / masses.sum()):.2g} on average over the mass; extrapolate the number that is "
        f'wanted, such as fp.refined(lambda pr: fp.stationary(pr).var("{name}"), problem{given}), or use more cells',
        ResolutionWarning,
    )
