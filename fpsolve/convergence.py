"""The order that a scheme really has: errors on nested grids, and the power of the cell width that fits them.

Errors against an exact value are C h^q, against the finest grid C (h^q - h_finest^q): that q is fitted.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.errors import InvalidInput
from fpsolve.problem import Problem
from fpsolve.refine import Question, at_coarse_nodes, check_question
from fpsolve.values.density import Density
from fpsolve.values.field import Field

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Convergence", "convergence"]

Array = NDArray[np.float64]
NO_ORDER = 1e-14  # of the answer: errors below are rounding


@dataclass(frozen=True, eq=False, repr=False)
class Convergence:
    """What a quantity does as the grid is refined.

    cells: of the (first axis of the) grids, coarsest first.  values: the answers.
    errors: distance from the exact answer, or of all but the finest from the finest (`relative_to` says which).
    orders: between neighbouring grids.  order: fitted to all; NaN where the errors are rounding.

    >>> import fpsolve as fp
    >>> wall = fp.Grid(x=fp.Axis.uniform(0, 12, 40, ends=("reflecting", "open")))
    >>> found = fp.convergence(lambda pr: fp.stationary(pr).mean(), fp.Problem(fp.Process(-1.0, 1.0), wall), exact=1.0)
    >>> found.cells, found.orders.round(1)
    ((40, 120, 360), array([2., 2.]))
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
    check_question(quantity, problem, "convergence(quantity, problem)")
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


def _distance(problem: Problem, first: int) -> Callable[[Any, int, Any, int | None], tuple[float, float]]:
    """(distance, size) of an answer on a grid refined by k from the truth, itself on one refined by `last` if given."""
    grid = problem.grid

    def numbers(answer: Any, k: int | None) -> Array:
        if isinstance(answer, (Density, Field)):
            return at_coarse_nodes(answer.values, (k or first) // first)
        if callable(answer):
            return np.broadcast_to(np.asarray(answer(*grid.mesh()), dtype=float), grid.shape)
        if np.ndim(answer) or not np.isreal(answer):
            raise InvalidInput(f"quantity returned {shown(answer)}; convergence needs numbers, Densities or Fields")
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
