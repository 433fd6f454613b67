"""Nested grids: Richardson's extrapolation with an error that was measured, and the order that a scheme really has.

Refining an axis by odd factors keeps its nodes: node i is node m i + (m - 1)/2 of the grid m times as fine.  With
answers f1, f3, f9 on n, 3n and 9n cells and an error proportional to h^q,

    3^q = |f3 - f1|/|f9 - f3|,      f = f9 + (f9 - f3)/(3^q - 1).

An observed order within 0.1 of a whole number is taken for it; the two extrapolations, of f1, f3 and of f3, f9,
then differ by the first one's error.  Densities are extrapolated in ln p, so they stay positive.  Errors against an
exact value are C h^q, against the finest grid C (h^q - h_finest^q): that q is fitted.
Source: Richardson & Gaunt (1927); Roache (1998).
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput
from fpsolve.grid import Grid
from fpsolve.problem import Problem
from fpsolve.values.density import Density
from fpsolve.values.field import Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Convergence", "Estimate", "convergence", "refined"]

Array = NDArray[np.float64]
Question = Callable[[Problem], Any]
FACTOR = 3
MATTERS = 1e-8  # of the largest mass: where the error of a density is measured
ROUNDING = 3e-12  # differences below this, relative to the answer's logarithm or size, have no order
WHOLE = 0.1
NO_ORDER = 1e-14  # of the answer: errors below are rounding
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


@dataclass(frozen=True, eq=False, repr=False)
class Convergence:
    """What a quantity does as the grid is refined.

    cells: of the (first axis of the) grids, coarsest first.  values: the answers.
    errors: distance from the exact answer, or of all but the finest from the finest (`relative_to` says which).
    orders: between neighbouring grids.  order: fitted to all; NaN where the errors are rounding.
    """

    cells: tuple[int, ...]
    values: tuple[Any, ...]
    errors: Array
    orders: Array
    order: float
    relative_to: str

    def plot(self, ax: Axes | None = None, *, label: str | None = None, log: bool | None = None) -> Axes:
        """Errors against cells with the fitted slope, in double logarithms (log=False: linear); returns the Axes."""
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.subplots()[1]
        cells = np.array(self.cells[: len(self.errors)], dtype=float)
        ax.plot(cells, self.errors, "o", label=label or f"distance from {self.relative_to}")
        if math.isfinite(self.order):
            seen = self.errors > 0
            level = np.mean(np.log(self.errors[seen]) + self.order * np.log(cells[seen]))
            ax.plot(cells, np.exp(level) * cells**-self.order, "-", label=f"order {self.order:.2f}")
        if log is not False:
            ax.set_xscale("log")
            ax.set_yscale("log")
        ax.set_xlabel("cells")
        ax.set_ylabel("error")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        rows = ", ".join(f"{n}: {e:.3g}" for n, e in zip(self.cells, self.errors, strict=False))
        order = f"order {self.order:.2f}" if math.isfinite(self.order) else "order undetermined: rounding"
        return f"Convergence({order}; distance from {self.relative_to} by cells {rows})"


def refined(question: Question, problem: Problem, *, order: float | None = None) -> Any:
    """The answer to `question`, extrapolated from nested grids, with its error.

    question: a function of a Problem that returns a Density, a Field or a number, such as `stationary`, or
        `lambda problem: stationary(problem).mean()`.
    order: that of the error.  None: observed on n, 3n and 9n cells; given: n and 3n are enough.

    Returns the same kind of value on the problem's own grid.  A Density has `.error`, the largest relative error where
    a cell holds more than 1e-8 of the largest mass; a number comes as an `Estimate`, a float with `.error` and
    `.order`; a Field has `.error` in its own unit.  Where the answers agree to rounding, or have no order between 0.5
    and 12, the finest is returned as it is, its error is the measured difference, and `info.notes` says so.
    Raises InvalidInput for other answers and orders, and for grids that cannot be refined.

    >>> import fpsolve as fp
    >>> wall = fp.Grid(x=fp.Axis.uniform(0, 12, 30, ends=("reflecting", "open")))
    >>> mean = refined(lambda pr: fp.stationary(pr).mean(), fp.Problem(fp.Process(-1.0, 1.0), wall))
    >>> abs(mean - 1.0) < mean.error < 1e-4, round(mean.order, 1)
    (True, 2.0)
    """
    if order is not None and not (math.isfinite(order) and order > 0):
        raise InvalidInput(f"order is {order}; give a positive number, or None to observe it")
    factors = (1, FACTOR) if order is not None else (1, FACTOR, FACTOR**2)
    answers = [question(problem.replace(grid=problem.grid.refined(k)) if k > 1 else problem) for k in factors]
    if all(isinstance(answer, Density) for answer in answers):
        return _of_densities(answers, factors, problem.grid, order)
    if all(isinstance(answer, Field) for answer in answers):
        rows = [_coarsened(answer.values, k) for answer, k in zip(answers, factors, strict=True)]
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


def convergence(
    quantity: Question, problem: Problem, refine: Sequence[int] = (1, 3, 9), *, exact: Any = None
) -> Convergence:
    """Ask `quantity` of `problem` on grids refined by the factors `refine`, and fit the order of its error.

    quantity: a function of a Problem that returns a number, a Density or a Field (these are compared at the coarsest
        grid's nodes, by sum of w |difference|, and need odd factors).
    exact: the right answer, for densities and fields a function of the coordinates or an ExactDensity; None: the
        finest grid's answer.

    Returns a Convergence.  Raises InvalidInput for fewer than two factors (three without `exact`), factors that do not
    rise, and grids that cannot be refined.

    >>> import fpsolve as fp
    >>> wall = fp.Grid(x=fp.Axis.uniform(0, 12, 60, ends=("reflecting", "open")))
    >>> convergence(lambda pr: fp.stationary(pr).mean(), fp.Problem(fp.Process(-1.0, 1.0), wall), exact=1.0)
    Convergence(order 2.00; distance from the exact answer by cells 60: 0.00333, 180: 0.00037, 540: 4.12e-05)
    """
    factors = _check_factors(refine, 2 if exact is not None else 3)
    problems = [problem.replace(grid=problem.grid.refined(k)) if k > 1 else problem for k in factors]
    answers = [quantity(pr) for pr in problems]
    truth = exact if exact is not None else answers[-1]
    compared = answers if exact is not None else answers[:-1]
    distance = _distance(problems[0], factors[0])
    last = factors[-1] if exact is None else None
    found = [distance(a, k, truth, last) for a, k in zip(compared, factors, strict=False)]
    errors = np.array([error for error, _ in found])
    floor = NO_ORDER * max(scale for _, scale in found)
    return Convergence(
        cells=tuple(pr.grid.shape[0] for pr in problems),
        values=tuple(answers),
        errors=errors,
        orders=np.array([_fitted(errors[i : i + 2], factors[i : i + 2], last, floor) for i in range(errors.size - 1)]),
        order=_fitted(errors, factors[: errors.size], last, floor),
        relative_to="the exact answer" if exact is not None else "the finest grid",
    )


def _coarsened(values: Array, factor: int) -> Array:
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
    logs = [_coarsened(p.log_values, k) for p, k in zip(answers, factors, strict=True)]
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
    return p.replace(values=np.exp(logs_out), log_values=logs_out, error=error, time=coarse.time)


def _distance(problem: Problem, first: int) -> Callable[[Any, int, Any, int | None], tuple[float, float]]:
    """(distance, size) of an answer on a grid refined by k from the truth, itself on one refined by `last` if given."""
    grid = problem.grid

    def numbers(answer: Any, k: int | None) -> Array:
        if isinstance(answer, (Density, Field)):
            return _coarsened(answer.values, (k or first) // first)
        if callable(answer):
            return np.broadcast_to(np.asarray(answer(*grid.mesh()), dtype=float), grid.shape)
        if np.ndim(answer) or not np.isreal(answer):
            raise InvalidInput(f"quantity returned {answer!r}; convergence needs numbers, Densities or Fields")
        return np.asarray(float(answer))

    def of(answer: Any, k: int, truth: Any, last: int | None) -> tuple[float, float]:
        one, other = numbers(answer, k), numbers(truth, last)
        if one.shape != other.shape:
            raise InvalidInput(f"the answers have shapes {one.shape} and {other.shape}; they need the same kind")
        if one.ndim == 0:
            return float(abs(one - other)), float(abs(other))
        return float(np.sum(grid.weights * np.abs(one - other))), float(np.sum(grid.weights * np.abs(other)))

    return of


def _fitted(errors: Array, factors: Sequence[int], last: int | None, floor: float) -> float:
    """The order that makes ln e - ln(h^q - h_last^q) most nearly constant; NaN where errors are rounding."""
    if errors.size < 2 or np.any(errors <= floor):
        return math.nan
    h, logs = 1.0 / np.asarray(factors, dtype=float), np.log(errors)
    if last is None:
        return float(np.polyfit(np.log(h), logs, 1)[0])
    from scipy.optimize import minimize_scalar

    def spread(q: float) -> float:
        return float(np.var(logs - np.log(h**q - float(last) ** -q)))

    return float(minimize_scalar(spread, bounds=(0.05, 16.0), method="bounded", options={"xatol": 1e-9}).x)


def _check_factors(refine: Sequence[int], least: int) -> tuple[int, ...]:
    factors = tuple(refine)
    whole = all(isinstance(k, (int, np.integer)) and not isinstance(k, bool) and k >= 1 for k in factors)
    if not whole or len(factors) < least or any(a >= b for a, b in itertools.pairwise(factors)):
        raise InvalidInput(f"refine is {refine}; give {least} or more whole factors >= 1 that rise, such as (1, 3, 9)")
    return tuple(int(k) for k in factors)
