"""The rungs of the ladder in two parameters: theories of SGD near a minimum of a loss, each with its density.

    gaussian               dx = -H (x - m) dt + sqrt(2 D(m)) dW
    tempered posterior     p ~ exp(-2 L/T)
    isotropic Langevin     the gradient flow with the constant noise tr D(m)/2 in every direction
    anisotropic Langevin   the gradient flow with the constant tensor D(m)
    Ito                    the gradient flow with D(x)
    isothermal             the same D, in that convention

Only noise that is no multiple of the identity drives a current: where H and D(m) do not commute, the two that are
isotropic miss the rotation whatever their temperature.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.current import current
from fpsolve.distance import distance
from fpsolve.errors import FpsolveError, FpsolveWarning, InvalidInput
from fpsolve.grid import Grid
from fpsolve.models.from_gradients import FromGradients
from fpsolve.models.linear_gaussian import LinearGaussian
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.stationary import stationary
from fpsolve.values.density import Density

__all__ = ["PlaneRung", "plane_rungs"]

Array = NDArray[np.float64]
CELLS = 96
DEVIATIONS = 8.0
THIN = 1e-9  # of the largest eigenvalue of D(m): a smaller one is none


@dataclass(frozen=True, eq=False)
class PlaneRung:
    """A theory, its density, and how fast its current turns, counterclockwise: radians per unit of time.

    density: None, with the reason, where there is none.  coarse: on half as many cells each way.  grid: sliced W2
        between the two.
    """

    name: str
    density: Density | None
    coarse: Density | None = None
    rotation: float | None = None
    grid: float | None = None
    reason: str = ""
    notes: tuple[str, ...] = ()


def plane_rungs(model: FromGradients) -> list[PlaneRung]:
    """All theories of a model of two parameters, each on 96 x 96 cells of 8 of its own deviations.

    Raises InvalidInput where the noise at the minimum has no full rank, and densities collapse on a line or point.
    """
    law, process = model.gaussian(), model.process()
    flow = process.drift
    sizes = np.linalg.eigvalsh(law.diffusion)
    if not sizes[0] > THIN * sizes[-1]:
        raise InvalidInput(
            f"the noise at the minimum has the eigenvalues {sizes[0]:.3g} and {sizes[1]:.3g}: along one direction "
            "there is none, and a density has nothing to spread it there (balanced layers collapse on a line); use the "
            "model's one remaining coordinate, or RescalingPair"
        )
    even, posterior = 0.5 * float(np.trace(law.diffusion)) * np.eye(2), 0.5 * model.temperature * np.eye(2)
    chosen: list[tuple[str, Array, Process]] = [
        ("gaussian", law.diffusion, law.process()),
        ("tempered posterior", posterior, _langevin(flow, posterior)),
        ("isotropic Langevin", even, _langevin(flow, even)),
        ("anisotropic Langevin", law.diffusion, _langevin(flow, law.diffusion)),
        ("Ito", law.diffusion, process),
        ("isothermal", law.diffusion, process.replace(convention="isothermal")),
    ]
    return [_rung(name, model, one, noise) for name, noise, one in chosen]


def rotation_of(mean_momentum: float, covariance: Array) -> float:
    """Radians per unit of time from int (x1 J2 - x2 J1) dx: for a linear flow, that of J/p where S is a circle."""
    return mean_momentum / (2.0 * float(np.sqrt(np.linalg.det(covariance))))


def _langevin(flow: Callable[..., object], noise: Array) -> Process:
    return Process(flow, tuple(tuple(row) for row in noise.tolist()))


def _rung(name: str, model: FromGradients, process: Process, noise: Array) -> PlaneRung:
    problem, coarse = (Problem(process, _grid(model, noise, cells)) for cells in (CELLS, CELLS // 2))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FpsolveWarning)
        try:
            p = stationary(problem)
        except FpsolveError as error:
            return PlaneRung(name, None, reason=str(error))
        fewer = stationary(coarse)
        grid = distance(p, fewer, "sliced W2")
        turning = _rotation(problem, p)
    notes = tuple(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, FpsolveWarning)))
    return PlaneRung(name, p, fewer, turning, grid, "", notes)


def _grid(model: FromGradients, noise: Array, cells: int) -> Grid:
    """Eight deviations of the linear process with this noise."""
    widths = np.sqrt(np.diag(LinearGaussian(model.hessian, noise).covariance))
    return Grid(
        **{
            name: Axis.uniform(m - DEVIATIONS * w, m + DEVIATIONS * w, cells)
            for name, m, w in zip(model.names, model.minimum, widths, strict=True)
        }
    )


def _rotation(problem: Problem, p: Density) -> float:
    J = current(problem, p).at_nodes
    x, y = (part - mean for part, mean in zip(p.grid.mesh(), p.mean(), strict=True))
    momentum = float(np.sum((x * J[1].values - y * J[0].values) * p.grid.weights))
    return rotation_of(momentum, np.asarray(p.covariance()))
