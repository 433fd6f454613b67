"""The rungs of the ladder: theories of SGD in one coordinate, each with the stationary density that it predicts.

    gaussian             dx = -rate (x - m) dt + sqrt(2 D(m)) dW
    tempered posterior   p ~ exp(-2 L/T)                          (the noise taken for white, of unit variance)
    Bayes' posterior     p ~ exp(-N L/(2 sigma^2))
    Langevin             the flow with the constant noise D(m)
    Ito                  A and D as they are
    Stratonovich, isothermal    the noiseless flow, with D in that convention
    exact moments        b and d of a step, in its own coordinate
    finite rate          b~ and d~: corrected for the learning rate
    third cumulant       and for the skewness of the steps
    stable noise         the flow with stable jumps of the measured index, of the size that D gives them
    memory               Ito with the measured Caputo order: other dynamics, the same stationary law
    refined              the central flow with stable jumps

m is the minimum, L the loss.  A theory that has no density says why.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import FpsolveError, FpsolveWarning
from fpsolve.grid import Grid
from fpsolve.jumps import Stable
from fpsolve.models.finite_rate import FiniteRate
from fpsolve.models.subject import Subject
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.stationary import stationary
from fpsolve.values.density import Density

__all__ = ["Measured", "Rung", "rungs_of"]

Array = NDArray[np.float64]
REACH = 10.0  # deviations of a density that is near a Gaussian
CELLS = 600
JUMPING = 801  # nodes of a density with jumps
FAR = 1e4  # deviations, of those


@dataclass(frozen=True)
class Measured:
    """What was measured on one half of the trajectories: the index of the noise and the memory, with their errors.

    scale: of the noise in a step, sqrt(2 D eta) taken out; None where the noise is not heavy-tailed.
    """

    alpha: float
    alpha_error: float
    scale: float | None
    memory: float
    memory_error: float


@dataclass(frozen=True, eq=False)
class Rung:
    """A theory, and the density it predicts; None, with the reason, where it predicts none.

    fitted: the number of its parameters that come from trajectories.  notes: what was warned of.
    """

    name: str
    density: Density | None
    reason: str = ""
    fitted: int = 0
    notes: tuple[str, ...] = ()


def rungs_of(subject: Subject, measured: Measured | None = None) -> list[Rung]:
    """All theories, those that need measured parameters only where they are given.

    The densities are solved for on grids of their own.
    """
    s, width = subject, subject.deviation
    noise = s.noise_at_minimum
    found = [
        _rung("gaussian", lambda: _local(s, _linear(s), noise, width)),
        _rung("tempered posterior", lambda: _posterior(s, 0.5 * s.temperature)),
    ]
    if s.residual is not None:
        bayes = 2.0 * s.residual / s.samples
        found.append(_rung("Bayes' posterior", lambda: _posterior(s, bayes)))
    found += [
        _rung("Langevin", lambda: _local(s, s.flow, noise, width)),
        _rung("Ito", lambda: _on_its_grid(s, Process(s.drift, s.diffusion))),
        _rung("Stratonovich", lambda: _on_its_grid(s, Process(s.flow, s.diffusion, "stratonovich"))),
        _rung("isothermal", lambda: _on_its_grid(s, Process(s.flow, s.diffusion, "isothermal"))),
    ]
    if s.random_map is not None:
        rate = FiniteRate(s.random_map)
        plain = rate if rate.holds or not s.random_map.logarithmic else _in_its_own_state(rate)
        found += [
            _rung("exact moments", rate.plain),
            _rung("finite rate", plain.corrected),
            _rung("third cumulant", plain.third_order),
        ]
    return found if measured is None else [*found, *_with_measured(s, measured)]


def _with_measured(s: Subject, measured: Measured) -> list[Rung]:
    """Stable noise, memory, and all together."""
    at_edge = s.rate * s.learning_rate >= 2.0
    refused = Rung("refined", None, "the minimum lies beyond the edge of stability, where no density rests", 3)
    if measured.scale is None:
        ito = _rung("", lambda: _on_its_grid(s, Process(s.drift, s.diffusion)))
        same = f"alpha = {measured.alpha:.3g}, bounded or light-tailed: Gaussian, as Ito"
        stable = Rung("stable noise", ito.density, same, 1, ito.notes)
        refined = Rung("refined", ito.density, same + "; below the edge of stability the central flow is the flow", 3)
        noise_law = ito
    else:
        stable = _rung("stable noise", lambda: _jumping(s, measured), 2)
        refined = Rung("refined", stable.density, stable.reason or "below the edge of stability", 3, stable.notes)
        noise_law = _rung("", lambda: _on_its_grid(s, Process(s.drift, s.diffusion)))
    remark = f"memory {measured.memory:.3g} +- {measured.memory_error:.1g}: other dynamics, the stationary law of Ito"
    memory = Rung("memory", noise_law.density, remark, 1, noise_law.notes)
    return [stable, memory, refused if at_edge else refined]


def _rung(name: str, solve: Callable[[], Density], fitted: int = 0) -> Rung:
    """The density, or why there is none; warnings become notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FpsolveWarning)
        try:
            density = solve()
        except FpsolveError as error:
            return Rung(name, None, str(error), fitted)
    notes = tuple(str(w.message) for w in caught if issubclass(w.category, FpsolveWarning))
    return Rung(name, density, "", fitted, notes)


def _on_its_grid(s: Subject, process: Process) -> Density:
    return stationary(Problem(process, s.grid))


def _posterior(s: Subject, d: float) -> Density:
    """p ~ exp(-L/d), the law of dx = -L' dt + sqrt(2 d) dW."""
    x = s.minimum + np.array([-1e-4, 1e-4]) * max(abs(s.minimum), s.deviation)
    curvature = float(np.diff(s.slope(x))[0] / np.diff(x)[0])
    return _local(s, lambda y: -s.slope(y), d, float(np.sqrt(d / curvature)))


def _local(s: Subject, drift: Callable[[Array], Array], d: float, width: float) -> Density:
    """Of constant noise d: on REACH widths about the minimum, up to a wall at 0 where x keeps its sign."""
    lo, hi = s.minimum - REACH * width, s.minimum + REACH * width
    ends: list[str] = ["open", "open"]
    axis = s.grid.axes[0]
    if axis.kind == "log" and lo < 0.0 < hi:
        lo, hi, ends[s.minimum < 0] = (0.0, hi, "reflecting") if s.minimum > 0 else (lo, 0.0, "reflecting")
    grid = Grid(**{s.grid.names[0]: Axis.uniform(lo, hi, CELLS, ends=(ends[0], ends[1]))})
    return stationary(Problem(Process(drift, d), grid))


def _linear(s: Subject) -> Callable[[Array], Array]:
    return lambda x: -s.rate * (x - s.minimum)


def _in_its_own_state(rate: FiniteRate) -> FiniteRate:
    """The same corrections in the state instead of its logarithm, where they hold up to larger learning rates."""
    low, high = (float(u) for u in rate.random_map.state(np.array(rate.span)))
    return FiniteRate(rate.random_map.replace(coordinate="linear", domain=(low, high)), span=(low, high))


def _jumping(s: Subject, measured: Measured) -> Density:
    """The flow with stable jumps: in a step the noise is sqrt(2 D eta) times a stable number of the measured scale."""
    assert measured.scale is not None
    unit = measured.scale * np.sqrt(2.0 * s.learning_rate) * s.learning_rate ** (-1.0 / measured.alpha)
    jumps = Stable(measured.alpha, lambda x: unit * np.sqrt(s.diffusion(x)))
    far = FAR * s.deviation
    axis = Axis.sinh(s.minimum - far, s.minimum + far, JUMPING, scale=s.deviation, center=s.minimum)
    return stationary(Problem(Process(s.flow, jumps=jumps), Grid(**{s.grid.names[0]: axis})))
