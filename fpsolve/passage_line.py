"""First passages in one dimension: every stretch that the targets leave free, by its resistances."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import DegenerateWarning, NotConverged, NotNormalizable, warn
from fpsolve.generator import Generator
from fpsolve.operators.beyond import Beyond, Beyonds
from fpsolve.operators.ends import described, doubt_beyond, warn_of_truncation
from fpsolve.operators.regions import Region
from fpsolve.operators.stretches import FreeStretch, free_stretches
from fpsolve.problem import Problem
from fpsolve.solvers.line import GAUSS, Line, line_of
from fpsolve.solvers.log1d import log_density
from fpsolve.solvers.resistances import TARGET, End, Stretch

__all__ = ["Answers", "Passage", "chances", "check_agreement", "end_of", "ends_of", "graded", "moments", "passages"]

Array = NDArray[np.float64]
Logs = tuple[Array, Array]  # at breaks, at points
GRADED = 0.5 ** np.arange(30, 0, -1.0)  # panels beside a zero of the noise, of the distance to the last node
LARGEST = 709.0  # ln of what a double holds
SHORT = 0.1  # of the longest panel: between its ends nothing is remembered
AGREED = 1e-7  # between steep panels and their halves
UNKNOWN = 0.5  # of the time on a stretch: what lies beyond an end is known no better than to itself


@dataclass(frozen=True, eq=False)
class Passage:
    """One stretch, solved.  below, above: what lies beyond its ends.  log_d: ln D at its nodes.

    finer: the same on halved panels where some are steep.
    """

    free: FreeStretch
    stretch: Stretch
    below: Beyond
    above: Beyond
    log_d: Array
    finer: Stretch | None = None

    def at_nodes(self, logs: Array) -> Array:
        """What breaks say at the nodes of the cells."""
        return np.asarray(logs[np.searchsorted(self.stretch.line.s, self.free.nodes)])

    def answer(self, log_answer: Callable[[Stretch], Logs]) -> Logs:
        """An answer at breaks and points.  Raises NotConverged where steep panels are too long for it at the nodes."""
        logs = log_answer(self.stretch)
        if self.finer is not None:
            sharper = log_answer(self.finer)[0][np.searchsorted(self.finer.line.s, self.free.nodes)]
            check_agreement(self.at_nodes(logs[0]), sharper)
        return logs

    @property
    def panels(self) -> int:
        """Panels of the quadrature."""
        return int(self.stretch.line.s.size - 1)


@dataclass(eq=False)
class Answers:
    """What is known at the nodes, (cells,), and between them: (s, values) per stretch."""

    values: Array
    between: list[tuple[Array, Array]] = field(default_factory=list)

    def add(self, passage: Passage, logs: Logs) -> None:
        """The answer of one stretch, by its logarithm at breaks and points."""
        line = passage.stretch.line
        with np.errstate(over="ignore"):
            at_breaks, at_points = np.exp(logs[0]), np.exp(logs[1])
        self.values[passage.free.cells] = passage.at_nodes(at_breaks)
        wide = np.diff(line.s) > SHORT * np.diff(line.s).max()
        kept = np.column_stack([np.ones_like(wide), *[wide] * line.points.shape[1]])
        pairs = ((line.s, line.points), (at_breaks, at_points))
        s, f = (np.append(np.column_stack([breaks[:-1], points])[kept], breaks[-1]) for breaks, points in pairs)
        self.between.append((s, f))


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


def end_of(ends: Beyonds, line: Line, side: Beyond, upper: bool, *, times: bool = True) -> End:
    """The end of a stretch that `line` reaches, from what lies beyond it.

    times: whether much time beyond an open end is worth a TruncationWarning, and NotNormalizable where it is all in
        doubt.
    """
    if side.target:
        return TARGET
    if side.law is None or side.scale_law is None:
        return End(np.inf, -np.inf if side.speed == "finite" else np.inf)
    last = -1 if upper else 0  # of the panels and of their points
    width = float(np.diff(line.s)[last])
    away = float(GAUSS[0]) * width
    if side.speed == "finite":
        rate = -side.law.slope
        known = float(line.log_speed[last, last]) - np.log(width)
        log_mass = known - rate * away - np.log(rate) if rate < np.inf else -np.inf
        if times:
            _check_truncation(ends, line, side, log_mass, upper)
        return End(np.inf, log_mass)
    if side.scale == "infinite":
        return End(np.inf, np.inf)
    rate = -side.scale_law.slope
    return End(float(line.log_scale[last, last]) - np.log(width) - rate * away - np.log(rate), np.inf)


def moments(found: Sequence[Passage], cells: int, order: int) -> Answers:
    """The moments <T^order> of the time to leave, 0 in cells that are in no stretch.

    Warns DegenerateWarning where they are infinite, with the end that is to blame.
    """
    answers = Answers(np.zeros(cells))
    for passage in found:
        endless = [side for side in (passage.below, passage.above) if side.speed == "infinite"]
        if endless or not (passage.below.target or passage.above.target):
            _warn_of_infinity((endless or [passage.below])[0])
            answers.values[passage.free.cells] = np.inf
            continue
        logs = passage.answer(lambda stretch: _log_moment(stretch, order))
        if np.any(logs[0] > LARGEST):
            warn(
                f"the largest exit time is 10^{logs[0].max() / np.log(10):.6g}, beyond what a double holds: inf stands "
                "for it; ask for a lower moment, or lower the barrier",
                DegenerateWarning,
            )
        answers.add(passage, logs)
    return answers


def chances(found: Sequence[Passage], cells: int, counts: Sequence[tuple[bool, bool]]) -> Answers:
    """The chance to leave by ends that count (below, above; one pair a stretch), 0 in cells that are in no stretch."""
    answers = Answers(np.zeros(cells))
    for passage, (below, above) in zip(found, counts, strict=True):
        asked = below and passage.below.target, above and passage.above.target
        answers.add(passage, passage.answer(functools.partial(_log_chance, *asked)))
    return answers


def check_agreement(answer: Array | float, sharper: Array | float) -> None:
    """Raises NotConverged where logarithms on steep panels and on their halves differ."""
    near = (np.minimum(answer, sharper) < LARGEST) & (answer != sharper)  # beyond, all are infinite
    change = np.abs(np.expm1(np.asarray(answer)[near] - np.asarray(sharper)[near]))
    if np.max(change, initial=0.0) > AGREED:
        raise NotConverged(
            f"the drift is too strong for the noise: the quadrature changes by {np.max(change):.2g} of the answer when "
            "its panels are halved; give method=fp.GTH() and cells as fine as the layers",
            best=np.exp(sharper),
        )


def _log_moment(stretch: Stretch, order: int) -> Logs:
    logs = None
    for n in range(1, order + 1):
        at_breaks, at_points = stretch.log_moment(logs)
        logs = at_breaks + np.log(n), at_points + np.log(n)
    assert logs is not None
    return logs


def _log_chance(below: bool, above: bool, stretch: Stretch) -> Logs:
    if below and above:
        both = (np.logaddexp(*pair) for pair in zip(stretch.log_downward, stretch.log_upward, strict=True))
        return next(both), next(both)
    if below or above:
        return stretch.log_downward if below else stretch.log_upward
    return np.full(stretch.line.s.size, -np.inf), np.full(stretch.line.log_scale.shape, -np.inf)


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
    low, high = (end_of(ends, line, side, k == 1, times=times) for k, side in enumerate(sides))
    finer = None if line.finer is None else Stretch(line.finer, low, high)
    return Passage(free, Stretch(line, low, high), sides[0], sides[1], ends.log_d[free.cells], finer)


def graded(breaks: Array, below: bool, above: bool) -> Array:
    """Breaks with ever shorter panels toward the ends at which the noise vanishes."""
    if below:
        breaks = np.concatenate([breaks[:1], breaks[0] + GRADED * (breaks[1] - breaks[0]), breaks[1:]])
    if above:
        breaks = np.concatenate([breaks[:-1], breaks[-1] + GRADED[::-1] * (breaks[-2] - breaks[-1]), breaks[-1:]])
    return breaks


def _check_truncation(ends: Beyonds, line: Line, side: Beyond, log_mass: float, upper: bool) -> None:
    assert side.law is not None
    share = float(np.exp(log_mass - np.logaddexp(log_mass, line.log_integral(0.0))))
    mode = ends.axis.nodes[int(np.argmax(ends.log_m + np.log(ends.axis.weights)))]
    reach = abs((ends.axis.hi if upper else ends.axis.lo) - float(mode))
    # a law that is taken for finite since p has vanished there tells nothing about a stretch that is all tail
    doubt = doubt_beyond(ends.axis, side.law, share, reach) if side.law.verdict == "finite" else share
    if doubt >= UNKNOWN:
        raise _undecided(ends.axis, ends.name, side, upper, True)
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
    warn(f"the mean exit time is infinite: {what}", DegenerateWarning)


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
