"""First passages in one dimension: every stretch that the targets leave free, by its resistances."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import DegenerateWarning, NotNormalizable
from fpsolve.generator import Generator
from fpsolve.operators.beyond import Beyond, Beyonds
from fpsolve.operators.ends import described, warn_of_truncation
from fpsolve.operators.regions import Region
from fpsolve.operators.stretches import FreeStretch, free_stretches
from fpsolve.problem import Problem
from fpsolve.process import CONVENTIONS
from fpsolve.solvers.log1d import log_density
from fpsolve.solvers.resistances import TARGET, End, Line, Stretch, line_of

__all__ = ["Passage", "chances", "end_of", "ends_of", "graded", "moments", "passages"]

Array = NDArray[np.float64]
GRADED = 0.5 ** np.arange(30, 0, -1.0)  # panels beside a zero of the noise, of the distance to the last node
LARGEST = 709.0  # ln of what a double holds


@dataclass(frozen=True, eq=False)
class Passage:
    """One stretch, solved.  below, above: what lies beyond its ends.  log_d: ln D at its nodes."""

    free: FreeStretch
    stretch: Stretch
    below: Beyond
    above: Beyond
    log_d: Array

    def at_nodes(self, logs: Array) -> Array:
        """What breaks say at the nodes of the cells."""
        return np.asarray(logs[np.searchsorted(self.stretch.line.s, self.free.nodes)])

    @property
    def panels(self) -> int:
        """Panels of the quadrature."""
        return int(self.stretch.line.s.size - 1)


def passages(problem: Problem, L: Generator, regions: Sequence[Region], *, times: bool) -> list[Passage]:
    """The stretches that `regions` leave free.

    times: whether mean times are asked for, or chances only.
    Raises NotNormalizable where it cannot be told whether paths come back from an open end (in finite mean time).
    """
    ends = ends_of(problem, L)
    return [_passage(problem, ends, free, times) for free in free_stretches(regions, problem.grid.axes[0])]


def ends_of(problem: Problem, L: Generator) -> Beyonds:
    """What lies beyond the ends of the axis."""
    axis, name = problem.grid.axes[0], problem.grid.names[0]
    log_m = np.zeros(axis.cells) if axis.periodic else log_density(L.chain.step, np.log(axis.weights))
    return Beyonds(problem.process, axis, name, L.chain, log_m)


def end_of(problem: Problem, ends: Beyonds, line: Line, side: Beyond, upper: bool, *, times: bool = True) -> End:
    """The end of a stretch that `line` reaches, from what lies beyond it.

    times: whether much time beyond an open end is worth a TruncationWarning.
    """
    if side.target:
        return TARGET
    if side.law is None or side.scale_law is None:
        return End(np.inf, -np.inf if side.speed == "finite" else np.inf)
    axis, cell = ends.axis, -1 if upper else 0
    node = axis.s_nodes[cell]
    log_m = float(line.psi[np.searchsorted(line.s, node)] - CONVENTIONS[problem.process.convention] * ends.log_d[cell])
    length, half = float(np.log(axis.dx(node))), 0.5 * axis.ds
    if side.speed == "finite":
        rate = -side.law.slope
        log_mass = log_m + length - rate * half - np.log(rate) if rate < np.inf else -np.inf
        if times:
            _warn_of_truncation(ends, line, side, log_mass, upper)
        return End(np.inf, log_mass)
    if side.scale == "infinite":
        return End(np.inf, np.inf)
    rate = -side.scale_law.slope
    return End(float(-log_m - ends.log_d[cell] + length - rate * half - np.log(rate)), np.inf)


def moments(found: Sequence[Passage], cells: int, order: int) -> Array:
    """The moments <T^order> of the time to leave, 0 in cells that are in no stretch; (cells,).

    Warns DegenerateWarning where they are infinite, with the end that is to blame.
    """
    values = np.zeros(cells)
    for passage in found:
        endless = [side for side in (passage.below, passage.above) if side.speed == "infinite"]
        if endless or not (passage.below.target or passage.above.target):
            _warn_of_infinity((endless or [passage.below])[0])
            values[passage.free.cells] = np.inf
            continue
        logs = None
        for n in range(1, order + 1):
            at_breaks, at_points = passage.stretch.log_moment(logs)
            logs = at_breaks + np.log(n), at_points + np.log(n)
        assert logs is not None
        answer = passage.at_nodes(logs[0])
        if np.any(answer > LARGEST):
            warnings.warn(
                f"the largest exit time is 10^{answer.max() / np.log(10):.6g}, beyond what a double holds: inf stands "
                "for it; ask for a lower moment, or lower the barrier",
                DegenerateWarning,
                stacklevel=3,
            )
        with np.errstate(over="ignore"):
            values[passage.free.cells] = np.exp(answer)
    return values


def chances(found: Sequence[Passage], values: Array, counts: Sequence[tuple[bool, bool]]) -> Array:
    """The chance to leave by ends that count (below, above; one pair a stretch), filled into `values` (cells,)."""
    for passage, (below, above) in zip(found, counts, strict=True):
        logs = np.full(passage.panels + 1, -np.inf)
        if above and passage.above.target:
            logs = np.logaddexp(logs, passage.stretch.log_upward[0])
        if below and passage.below.target:
            logs = np.logaddexp(logs, passage.stretch.log_downward[0])
        values[passage.free.cells] = np.exp(passage.at_nodes(logs))
    return values


def _passage(problem: Problem, ends: Beyonds, free: FreeStretch, times: bool) -> Passage:
    sides = []
    for upper, owner in ((False, free.below), (True, free.above)):
        s, node = (free.stop, free.nodes[-1]) if upper else (free.start, free.nodes[0])
        side = ends.end(upper) if owner is None else ends.target(s, float(node))
        asked = side.speed if times else side.scale if side.speed != "finite" else "finite"
        if asked == "undecided":
            raise _undecided(ends.axis, ends.name, side, upper, times)
        sides.append(side)
    breaks = np.concatenate([[free.start], free.nodes, [free.stop]])
    line = line_of(problem.process, ends.axis, ends.name, 0.0, graded(breaks, sides[0].zero, sides[1].zero))
    low, high = (end_of(problem, ends, line, side, k == 1, times=times) for k, side in enumerate(sides))
    return Passage(free, Stretch(line, low, high), sides[0], sides[1], ends.log_d[free.cells])


def graded(breaks: Array, below: bool, above: bool) -> Array:
    """Breaks with ever shorter panels toward the ends at which the noise vanishes."""
    if below:
        breaks = np.concatenate([breaks[:1], breaks[0] + GRADED * (breaks[1] - breaks[0]), breaks[1:]])
    if above:
        breaks = np.concatenate([breaks[:-1], breaks[-1] + GRADED[::-1] * (breaks[-2] - breaks[-1]), breaks[-1:]])
    return breaks


def _warn_of_truncation(ends: Beyonds, line: Line, side: Beyond, log_mass: float, upper: bool) -> None:
    assert side.law is not None
    share = float(np.exp(log_mass - np.logaddexp(log_mass, line.log_integral(0.0))))
    mode = ends.axis.nodes[int(np.argmax(ends.log_m + np.log(ends.axis.weights)))]
    reach = abs((ends.axis.hi if upper else ends.axis.lo) - float(mode))
    warn_of_truncation(ends.axis, ends.name, side.law, share, reach, upper)


def _warn_of_infinity(side: Beyond) -> None:
    if side.speed != "infinite":
        what = f"{side.why or 'both ends are walls'}, so paths never reach an end of the set"
    elif side.zero:
        what = f"{side.why}, so paths that come near take for ever to {'reach it' if side.target else 'come back'}"
    else:
        what = (
            f"{side.why}, its integral diverges, so paths that wander off there take for ever to come back, if they do"
        )
    warnings.warn(f"the mean exit time is infinite: {what}", DegenerateWarning, stacklevel=4)


def _undecided(axis: Axis, name: str, side: Beyond, upper: bool, times: bool) -> NotNormalizable:
    law = side.law if times else side.scale_law
    assert law is not None
    _, end, exponent, error = described(axis, name, law, upper)
    what = "the mean exit time is finite" if times else "paths come back from there"
    return NotNormalizable(
        f"{side.why}, and whether {what} is undecided at this open end ({name}={axis.hi if upper else axis.lo:.4g}); "
        "widen the grid, or make the end reflecting or absorbing",
        end=end,
        exponent=exponent,
        uncertainty=error,
    )
