"""Simulated paths: Euler-Maruyama of dX = A dt + sqrt(2 D) dW in the process's own convention, many replicas at once.

    X <- X + a dt + sqrt(2 D dt) g          (a: the Ito drift; on log axes a step of ln|X|: euler.py)

Steps lie on the fixed grid t = k dt, k = 0, 1, ..., and each draws normals from counters (particle, step), so the bits
depend neither on which times are recorded nor on whether a run is split.  At a time between steps the particles are
where a Brownian bridge over that step takes them; the path itself is not touched.

Source: Kloeden & Platen (1992), ch. 9 and 14: weak order 1.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import Axis
from fpsolve.checks import number, seed_key, whole
from fpsolve.errors import FpsolveWarning, InvalidInput, NotConverged, ResolutionWarning
from fpsolve.initial import Initial
from fpsolve.memory import require
from fpsolve.particles.draws import draw
from fpsolve.particles.euler import LocalCoefficients
from fpsolve.particles.increments import Noise
from fpsolve.particles.walls import Walls
from fpsolve.problem import Problem
from fpsolve.progress import Progress, reporting
from fpsolve.values.swarm import Swarm

__all__ = ["simulate"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
ON_A_STEP = 1e-9  # of a step
DIVERGED = 1e100  # |x| beyond which a particle is lost
VANISHED = 1e-300  # |x| below which it is lost on a log axis
LOST_SHARE = 0.01  # of the particles: more is an error
REPORTS = 200


def simulate(
    problem: Problem,
    initial: Initial | Swarm,
    times: ArrayLike,
    *,
    dt: float,
    n: int | None = None,
    seed: int,
    progress: Progress = None,
) -> Swarm:
    """Simulate n particles of `problem` in one dimension and record them at `times`.

    initial: the start at t = 0, as for `masses`; or a Swarm, whose particles go on from its last time: with the same
        dt and seed the bits are those of one run.
    times: rising, >= 0.  dt: the step; the bias of averages is proportional to it: compare two, and extrapolate.
    n: the number of particles (left out with a Swarm).  seed: the same seed gives the same bits.

    Ends: reflecting folds back, absorbing stops (`.absorbed`), periodic wraps; at open ends particles are free to
    leave the grid.  Returns a Swarm; a particle beyond 1e100 (on a log axis also below 1e-300)
    has diverged and is counted.
    Raises InvalidInput for arguments out of range, coefficients that fail, and grids of several dimensions;
    NotConverged (its `best` is the swarm so far) where more than 1 % of the particles diverge.

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: -x, 0.5), fp.Grid(x=(-6, 6, 100)))
    >>> from fpsolve.initial import Point
    >>> simulate(well, Point(1.0), [0, 2], dt=0.01, n=1000, seed=7, progress=False)
    Swarm(x: 1000 replicas, 2 times to t=2; 200 steps)
    """
    axis = _only_axis(problem)
    key, before = seed_key(seed), initial if isinstance(initial, Swarm) else None
    first = float(before.times[-1]) if before else 0.0
    stops = _check_times(times, first)
    dt, step = _check_step(dt, first, float(stops[-1]))
    count = n if isinstance(n, int) else 1
    require(8.0 * count * (stops.size + 12), f"{count} particles at {stops.size} times", "use fewer of either")
    x, lost_at, absorbed_at = _start(problem, initial, n, seed)
    alive = np.minimum(lost_at, absorbed_at) > first
    coefficients = LocalCoefficients(problem.process, axis, problem.grid.names[0], x[alive], first)
    _check_stability(coefficients.contraction(x[alive], first), dt)
    run = _Run(coefficients, Walls(axis, key, x.size), Noise(key, x.size), dt, stops)
    state = _State(step, x, np.flatnonzero(alive), np.zeros(x.size, dtype=bool), ())
    state, finished = _followed(run, state, progress)
    swarm = _swarm(run, state, problem.grid.names, (lost_at, absorbed_at), int(seed), finished)
    if state.diverged.mean() > LOST_SHARE:
        raise NotConverged(
            f"{int(state.diverged.sum())} of {x.size} particles diverged by t={state.step * dt:g}: dt={dt:g} is too "
            "long for the drift where they are; shorten it, or use a log or reflecting axis",
            best=swarm,
        )
    _check_stability(coefficients.contraction(state.x[state.ids], float(swarm.times[-1])), dt)
    return swarm


def _check_stability(rate: float, dt: float) -> None:
    """An explicit step multiplies a distance by 1 - rate dt: it oscillates beyond 1, and grows beyond 2."""
    if rate * dt > 2.0:
        raise InvalidInput(
            f"dt is {dt:g}, but the drift contracts at rate {rate:.3g} where most particles are: a step overshoots by "
            f"{rate * dt - 1.0:.3g} of the distance, and the next by more; use dt < {0.2 / rate:.1g}"
        )
    if rate * dt > 1.0:
        warnings.warn(
            f"dt is {dt:g} and the drift contracts at rate {rate:.3g}: steps overshoot by {rate * dt - 1.0:.2g} of the "
            f"distance, so variances are off by a factor of about {1.0 / (1.0 - rate * dt / 2.0):.2g}; "
            f"use dt < {0.2 / rate:.1g}",
            ResolutionWarning,
            stacklevel=3,
        )


@dataclass(frozen=True, eq=False)
class _State:
    """Where a run stands before a step: one value, so that an interruption finds either the old or the new one.

    x: all positions; ids: the particles that still move; diverged: those that do not since they diverged;
    kept: (time, step, positions, gone) as recorded.
    """

    step: int
    x: Array
    ids: NDArray[np.int64]
    diverged: Flags
    kept: tuple[tuple[float, int, Array, Flags], ...]

    @property
    def moving(self) -> NDArray[np.int64] | slice:
        """The particles that still move, as an index."""
        return self.ids if self.ids.size < self.x.size else slice(None)

    @property
    def gone(self) -> Flags:
        """The particles that do not."""
        gone = np.ones(self.x.size, dtype=bool)
        gone[self.moving] = False
        return gone


@dataclass(frozen=True, eq=False)
class _Run:
    coefficients: LocalCoefficients
    walls: Walls
    noise: Noise
    dt: float
    times: Array

    @property
    def last(self) -> int:
        """The step after which every time is recorded."""
        step, part = self._place(float(self.times[-1]))
        return step + (part > 0.0)

    def _place(self, t: float) -> tuple[int, float]:
        """The step that t lies in and how far; 0.0 on the grid of steps."""
        steps = t / self.dt
        if abs(steps - round(steps)) <= ON_A_STEP * max(1.0, steps):
            return round(steps), 0.0
        return int(steps), steps - int(steps)

    def due(self, state: _State) -> list[tuple[float, float]]:
        """(time, fraction of the step) of what is to be recorded before or within the step at hand."""
        found = []
        for t in self.times[len(state.kept) :]:
            step, part = self._place(float(t))
            if step > state.step:
                break
            found.append((float(t), part))
        return found

    def record(self, state: _State) -> _State:
        """Record what is due at the beginning of the step."""
        rows = tuple((t, state.step, state.x, state.gone) for t, part in self.due(state) if part == 0.0)
        return _State(state.step, state.x, state.ids, state.diverged, state.kept + rows)

    def advance(self, state: _State) -> _State:
        """One step, with what is to be recorded before or within it."""
        state = self.record(state)
        ids, old = state.ids, state.x[state.moving]
        a, d = self.coefficients(old, state.step * self.dt)
        new = self.walls.confined(self.coefficients.moved(old, a, d, self.dt, self.noise(state.step)[state.moving]))
        wild = self._wild(new)
        new = np.where(wild, old, new)
        gone = self.walls.absorb(old, new, d * self.dt, state.step, ids) | wild
        x, diverged = state.x.copy(), state.diverged.copy()
        x[state.moving] = new
        diverged[ids[wild]] = True
        rows = tuple(self._between(state, t, part, (a, d), gone, x) for t, part in self.due(state))
        return _State(state.step + 1, x, ids[~gone] if gone.any() else ids, diverged, state.kept + rows)

    def _between(
        self, state: _State, t: float, part: float, local: tuple[Array, Array], gone: Flags, after: Array
    ) -> tuple[float, int, Array, Flags]:
        """Positions within a step, by a Brownian bridge; of those that leave in it, the share `part` has left."""
        from scipy.special import ndtri

        at, draws = state.moving, self.noise.between(state.step)
        bridge = np.sqrt(part) * self.noise(state.step)[at] + np.sqrt(1.0 - part) * draws[at, 0]
        place = self.coefficients.moved(state.x[at], *local, part * self.dt, bridge)
        place = self.walls.confined(place, folding=("reflecting", "absorbing"))
        left = gone & (draws[at, 1] < ndtri(part))
        x, away = state.x.copy(), state.gone
        x[at] = np.where(left, after[at], np.where(self._wild(place), state.x[at], place))
        away[at] = left
        return t, state.step, x, away

    def _wild(self, x: Array) -> Flags:
        size, low = np.abs(x), VANISHED if self.coefficients.logarithmic else 0.0
        return ~((size >= low) & (size <= DIVERGED))


def _followed(run: _Run, state: _State, progress: Progress) -> tuple[_State, bool]:
    """The last state, and whether that is the end: not so after Ctrl-C, or where too many particles have diverged."""
    first, last = state.step, run.last
    every = max(1, (last - first) // REPORTS)
    try:
        with reporting(last - first, progress, "steps") as tell:
            while state.step < last and state.diverged.mean() <= LOST_SHARE:
                state = run.advance(state)
                if (state.step - first) % every == 0 or state.step == last:
                    tell(state.step - first)
        state = run.record(state)
    except KeyboardInterrupt:
        message = f"interrupted at t={state.step * run.dt:g} of {run.times[-1]:g}: a partial swarm"
        warnings.warn(message, FpsolveWarning, stacklevel=4)
    return state, len(state.kept) == run.times.size


def _swarm(
    run: _Run, state: _State, names: tuple[str, ...], since: tuple[Array, Array], seed: int, finished: bool
) -> Swarm:
    kept = state.kept
    if not finished and not (kept and kept[-1][0] >= state.step * run.dt):
        kept += ((state.step * run.dt, state.step, state.x, state.gone),)
    lost_at, absorbed_at = since
    before = np.isfinite(np.minimum(lost_at, absorbed_at))
    for time, _, _, gone in kept:
        new = gone & ~before
        lost_at = np.where(new & state.diverged, np.minimum(lost_at, time), lost_at)
        absorbed_at = np.where(new & ~state.diverged, np.minimum(absorbed_at, time), absorbed_at)
    times, steps, rows, _ = zip(*kept, strict=True)
    positions = np.array(rows)[:, :, None]
    return Swarm(
        names, np.array(times), positions, np.array(steps), None, seed, lost_at, finished, None, absorbed_at
    )  # fmt: skip


def _only_axis(problem: Problem) -> Axis:
    if problem.grid.ndim != 1:
        raise InvalidInput(f"the grid has axes {problem.grid.names}; simulate works in one dimension")
    return problem.grid.axes[0]


def _check_times(times: ArrayLike, first: float) -> Array:
    stops = np.atleast_1d(np.asarray(times, dtype=float))
    if stops.ndim != 1 or stops.size == 0 or not np.all(np.isfinite(stops)):
        raise InvalidInput(f"times is {times!r}; give finite times, one or more, in a row")
    if stops[0] < first:
        begins = "the start is at t=0" if first == 0 else f"the swarm ends at t={first:g}"
        raise InvalidInput(f"times begins with {stops[0]:g}, but {begins}; give later times")
    wrong = np.flatnonzero(np.diff(stops) <= 0)
    if wrong.size:
        i = int(wrong[0])
        raise InvalidInput(f"times[{i + 1}]={stops[i + 1]:g} follows times[{i}]={stops[i]:g}; times must rise")
    return stops


def _check_step(dt: float, first: float, last: float) -> tuple[float, int]:
    """dt, and the number of the step at which the run begins."""
    if not number("dt", dt) > 0:
        raise InvalidInput(f"dt is {dt}; a step must be positive and finite")
    if dt > last - first:
        raise InvalidInput(f"dt is {dt:g} but the run lasts {last - first:g}; give a step no longer than that")
    step = round(first / dt)
    if abs(first / dt - step) > ON_A_STEP * max(1.0, step):
        raise InvalidInput(
            f"the swarm ends at t={first:g}, which is {first / dt:.9g} steps of dt={dt:g}; it goes on only from a "
            "whole number of steps: record such a time, or give another dt"
        )
    return float(dt), step


def _start(problem: Problem, initial: Initial | Swarm, n: int | None, seed: int) -> tuple[Array, Array, Array]:
    """Positions (n,), and the times at which particles had diverged, and been absorbed."""
    if not isinstance(initial, Swarm):
        if n is None:
            raise InvalidInput("n is missing; give the number of particles")
        x = draw(initial, problem.grid, n, seed)[:, 0]
        return x, np.full(x.size, np.inf), np.full(x.size, np.inf)
    if initial.names != problem.grid.names:
        raise InvalidInput(f"the swarm has coordinates {initial.names}; the grid's axes are {problem.grid.names}")
    if n is not None and whole("n", n, 1) != len(initial):
        raise InvalidInput(f"n is {n} but the swarm has {len(initial)} particles; leave n out")
    assert initial.lost_at is not None
    assert initial.absorbed_at is not None
    return np.array(initial.positions[-1, :, 0]), np.array(initial.lost_at), np.array(initial.absorbed_at)
