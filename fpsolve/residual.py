"""Does a density solve the stationary equation?  Asked of the strong form, with derivatives that the scheme never took.

With l = ln p, r = A/D, k = ln D, all at the nodes, ' = d/dx, and c = 1, 1/2, 0 for the process's convention,

    J/p = D g,  g = r - c k' - l',      (L p)/p = -D [g' + g (k' + l')].

Derivatives are finite differences in the computational coordinate s (findiff), divided by x'(s): an equation in
logarithms, so the far tails count as the bulk does.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import check_kind
from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.functions import Points
from fpsolve.operators.jump_terms import refuse_jumps
from fpsolve.problem import Problem, check_problem
from fpsolve.process import CONVENTIONS
from fpsolve.values.density import Density
from fpsolve.values.field import Field
from fpsolve.values.info import Info

__all__ = ["strong_residual"]

Array = NDArray[np.float64]
MATTERS = 1e-8  # of the largest density in s


def strong_residual(problem: Problem, p: Density, accuracy: int = 4) -> Field:
    """(L p)/p at the nodes by finite differences, over the size of its own terms: how far p is from stationary.

        residual = |(L p)/p| / (S + <S>),  S = sum of the moduli of the terms of (L p)/p, <S> its average over p

    p: on the problem's grid or any other with the same axis name.  accuracy: order of the differences, even.

    Returns a Field, dimensionless and >= 0, NaN where D or p vanishes; `info.residual` is its maximum where p x'(s)
    exceeds 1e-8 of its peak.  Expect the differences' own error, of order ds^accuracy, not rounding.
    Raises InvalidInput in several dimensions, for time-dependent processes, other accuracies, and where no node
    is left.

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: x - x**3, 0.25), fp.Grid(x=(-3, 3, 400)))
    >>> strong_residual(well, fp.stationary(well)).info.residual < 1e-6
    True
    """
    axis = _checked_axis(problem, p, accuracy)
    ratio, log_d = _coefficients(problem, axis)
    with np.errstate(invalid="ignore", over="ignore"):
        c = CONVENTIONS[problem.process.convention]
        total, size = _terms(_derivative(axis, accuracy), ratio, log_d, p.log_values, c)
        rate, scale = np.exp(log_d) * total, np.exp(log_d) * size
    usable = np.isfinite(rate) & np.isfinite(scale)
    bulk = usable & (p.masses > MATTERS * p.masses.max())
    if not np.any(bulk):
        raise InvalidInput("no node is left where p and D are positive together with their neighbours")
    average = float(np.sum((p.masses * scale)[bulk]) / np.sum(p.masses[bulk]))
    with np.errstate(invalid="ignore"):
        values = np.where(usable, np.abs(rate) / (scale + average if average > 0 else 1.0), np.nan)
    info = Info(method=f"strong form, findiff, accuracy {accuracy}", residual=float(values[bulk].max()))
    return Field(p.grid, values, "strong-form residual", info)


def _checked_axis(problem: Problem, p: Density, accuracy: int) -> Axis:
    check_problem(problem, "strong_residual(problem, p)")
    check_kind("p", p, Density, "give an fp.Density (strong_residual(problem, p))")
    if problem.grid.ndim != 1 or problem.grid.names != p.grid.names:
        raise InvalidInput(f"the problem has axes {problem.grid.names}, p {p.grid.names}; both need the same one")
    refuse_jumps(problem.process, "strong_residual")
    if problem.process.time_dependent:
        raise InvalidInput("the process depends on t, so nothing is stationary; freeze it: process.at(t)")
    if accuracy not in (2, 4, 6, 8):
        raise InvalidInput(f"accuracy is {accuracy}; use 2, 4, 6 or 8")
    axis = p.grid.axes[0]
    if axis.cells < 2 * accuracy + 1:
        raise InvalidInput(f"{axis.cells} cells are too few for differences of order {accuracy}: {2 * accuracy + 1}")
    return axis


def _terms(
    derivative: Callable[[Array], Array], ratio: Array, log_d: Array, log_p: Array, c: float
) -> tuple[Array, Array]:
    """g' + g (k' + l'), and the sum of the moduli of what it is made of."""
    slope_d, slope_p = derivative(log_d), derivative(log_p)
    parts = (ratio, -c * slope_d, -slope_p)
    g, lever = ratio - c * slope_d - slope_p, slope_d + slope_p
    total = derivative(g) + g * lever
    levers = np.abs(slope_d) + np.abs(slope_p)
    size = np.sum([np.abs(derivative(part)) + np.abs(part) * levers for part in parts], axis=0)
    return total, size


def _derivative(axis: Axis, accuracy: int) -> Callable[[Array], Array]:
    """d/dx on the nodes of the axis, through s."""
    from findiff import Diff  # it loads sympy: a second and a half

    difference = Diff(0, axis.ds, periodic=axis.periodic, acc=accuracy)
    return lambda values: difference(values) / axis.dx(axis.s_nodes)


def _coefficients(problem: Problem, axis: Axis) -> tuple[Array, Array]:
    """A/D and ln D at the nodes, from their direct forms where the process has them."""
    process, t = problem.process, 0.0
    points = Points(problem.grid.names, (axis.nodes,), (("cell", axis.nodes.shape),))
    known = process.functions
    if "log_diffusion" in known and "drift_over_diffusion" in known:
        return process.direct_at("drift_over_diffusion", points, t), process.direct_at("log_diffusion", points, t)
    drift, diffusion = process.drift_at(points, t)[0], process.diffusion_at(points, t)[0, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return drift / diffusion, np.log(diffusion)
