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

m is the minimum, L the loss.  A theory that has no density says why.  Each is solved for a second time on half as many
cells: what its own grid contributes to its error.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.distance import distance
from fpsolve.errors import FpsolveError, FpsolveWarning
from fpsolve.grid import Grid
from fpsolve.jumps import Stable
from fpsolve.models.finite_rate import FiniteRate
from fpsolve.models.own_grid import line_for
from fpsolve.models.subject import Subject
from fpsolve.problem import Problem
from fpsolve.process import Process
from fpsolve.stationary import stationary
from fpsolve.values.density import Density

__all__ = ["Measured", "Rung", "measured_rungs", "plain_rungs"]

Array = NDArray[np.float64]
Solve = Callable[[float], Density]  # by the share of the usual cells
REACH = 10.0  # deviations of a density that is near a Gaussian
CELLS = 600
NODES = 1000  # of the corrections for finite steps
JUMPING = 801  # nodes of a density with jumps
FAR = 1e4  # deviations, of those
COARSE = 0.5


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

    grid: KS distance between the densities on its cells and on half as many: a bound on what the grid contributes.
    fitted: the number of its parameters that come from trajectories.  notes: what was warned of.
    """

    name: str
    density: Density | None
    reason: str = ""
    grid: float | None = None
    fitted: int = 0
    notes: tuple[str, ...] = ()


def plain_rungs(subject: Subject) -> list[Rung]:
    """All theories that need no trajectories, each on a grid of its own."""
    s, noise = subject, subject.noise_at_minimum
    found = [
        _rung("gaussian", lambda share: _local(s, _linear(s), noise, share)),
        _rung("tempered posterior", lambda share: _posterior(s, 0.5 * s.temperature, share)),
    ]
    bayes = s.bayes_noise
    if bayes is not None:
        found.append(_rung("Bayes' posterior", lambda share: _posterior(s, bayes, share)))
    found += [
        _rung("Langevin", lambda share: _local(s, s.flow, noise, share)),
        _rung("Ito", _on_its_grid(s, Process(s.drift, s.diffusion))),
        _rung("Stratonovich", _on_its_grid(s, Process(s.flow, s.diffusion, "stratonovich"))),
        _rung("isothermal", _on_its_grid(s, Process(s.flow, s.diffusion, "isothermal"))),
    ]
    return found if s.random_map is None else [*found, *_of_steps(FiniteRate(s.random_map, nodes=NODES))]


def measured_rungs(subject: Subject, measured: Measured, plain: Sequence[Rung]) -> list[Rung]:
    """Stable noise, memory, and all together, from what trajectories gave; plain: the theories that need none."""
    (ito,) = (rung for rung in plain if rung.name == "Ito")
    remark = f"memory {measured.memory:.3g} +- {measured.memory_error:.1g}: other dynamics, the stationary law of Ito"
    memory = dataclasses.replace(ito, name="memory", fitted=1, reason=ito.reason if ito.density is None else remark)
    if measured.scale is None:
        why = f"index {measured.alpha:.3g}, no heavy tails: Gaussian noise, as Ito"
        stable = dataclasses.replace(ito, name="stable noise", fitted=1, reason=ito.reason or why)
    else:
        stable = _rung("stable noise", lambda share: _jumping(subject, measured, share), fitted=2)
        if stable.density is not None:
            why = f"index {measured.alpha:.3g} +- {measured.alpha_error:.1g}, measured"
            stable = dataclasses.replace(stable, reason=why)
    if subject.rate * subject.learning_rate >= 2.0:
        refused = "the minimum lies beyond the edge of stability, where no density rests"
        return [stable, memory, Rung("refined", None, refused, fitted=3)]
    below = "below the edge of stability the central flow is the flow"
    reason = stable.reason if stable.density is None else below
    return [stable, memory, dataclasses.replace(stable, name="refined", fitted=3, reason=reason)]


def _rung(name: str, solve: Solve, fitted: int = 0) -> Rung:
    """The density and the grid's part in it, or why there is none; warnings become notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", FpsolveWarning)
        try:
            density = solve(1.0)
        except FpsolveError as error:
            return Rung(name, None, str(error), None, fitted)
    others = [w for w in caught if not issubclass(w.category, FpsolveWarning)]
    for w in others:
        warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    notes = tuple(dict.fromkeys(str(w.message) for w in caught if issubclass(w.category, FpsolveWarning)))
    return Rung(name, density, "", _of_the_grid(density, solve), fitted, notes)


def _of_the_grid(density: Density, solve: Solve) -> float | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FpsolveWarning)  # the finer one has been heard
        try:
            return distance(density, solve(COARSE), "KS")
        except FpsolveError:
            return None


def _on_its_grid(s: Subject, process: Process) -> Solve:
    return lambda share: stationary(Problem(process, _thinned(s.grid, share)))


def _thinned(grid: Grid, share: float) -> Grid:
    axis = grid.axes[0]
    return Grid(**{grid.names[0]: dataclasses.replace(axis, cells=round(share * axis.cells))})


def _posterior(s: Subject, d: float, share: float) -> Density:
    """p ~ exp(-L/d), the law of dx = -L' dt + sqrt(2 d) dW."""
    return _local(s, lambda x: -s.slope(x), d, share)


def _local(s: Subject, drift: Callable[[Array], Array], d: float, share: float) -> Density:
    """Of constant noise d, as far as it lives; up to a wall at 0 where x keeps its sign."""
    x = s.minimum + np.array([-1e-4, 1e-4]) * max(abs(s.minimum), s.deviation)
    width = float(np.sqrt(d * np.diff(x)[0] / -np.diff(drift(x))[0]))
    cells, axis = round(share * CELLS), s.grid.axes[0]
    if axis.kind != "log":
        own = line_for(lambda y: drift(y) / d, lambda y: False, s.minimum, width, cells)
        return stationary(Problem(Process(drift, d), Grid(**{s.grid.names[0]: own})))
    lo, hi = s.minimum - REACH * width, s.minimum + REACH * width
    ends = ["open", "open"]
    if lo < 0.0 < hi:
        lo, hi, ends[s.minimum < 0] = (0.0, hi, "reflecting") if s.minimum > 0 else (lo, 0.0, "reflecting")
    own = Axis.uniform(lo, hi, cells, ends=(ends[0], ends[1]))
    return stationary(Problem(Process(drift, d), Grid(**{s.grid.names[0]: own})))


def _linear(s: Subject) -> Callable[[Array], Array]:
    return lambda x: -s.rate * (x - s.minimum)


def _of_steps(rate: FiniteRate) -> list[Rung]:
    """The theories made of a step's moments; corrected in the state where they do not hold in its logarithm."""
    logarithmic = rate.random_map.logarithmic
    chosen = rate if rate.holds or not logarithmic else _in_its_own_state(rate)
    coarse = {id(one): dataclasses.replace(one, nodes=round(COARSE * NODES)) for one in (rate, chosen)}

    def of(one: FiniteRate, question: Callable[[FiniteRate], Density]) -> Solve:
        return lambda share: question(one if share == 1.0 else coarse[id(one)])

    return [
        _rung("exact moments", of(rate, FiniteRate.plain)),
        _rung("finite rate", of(chosen, FiniteRate.corrected)),
        _rung("third cumulant", of(chosen, FiniteRate.third_order)),
    ]


def _in_its_own_state(rate: FiniteRate) -> FiniteRate:
    """The same corrections in the state instead of its logarithm, where they hold up to larger learning rates."""
    low, high = (float(u) for u in rate.random_map.state(np.array(rate.span)))
    own = rate.random_map.replace(coordinate="linear", domain=(low, high))
    return dataclasses.replace(rate, random_map=own, span=(low, high))


def _jumping(s: Subject, measured: Measured, share: float) -> Density:
    """The flow with stable jumps: in a step the noise is sqrt(2 D eta) times a stable number of the measured scale."""
    assert measured.scale is not None
    unit = measured.scale * np.sqrt(2.0 * s.learning_rate) * s.learning_rate ** (-1.0 / measured.alpha)
    jumps = Stable(measured.alpha, lambda x: unit * np.sqrt(s.diffusion(x)))
    far = FAR * s.deviation
    cells = 2 * round(0.5 * share * JUMPING) + 1
    axis = Axis.sinh(s.minimum - far, s.minimum + far, cells, scale=s.deviation, center=s.minimum)
    return stationary(Problem(Process(s.flow, jumps=jumps), Grid(**{s.grid.names[0]: axis})))
