"""The course of a simulation: steps on the fixed grid t = k dt, what is recorded on it and between, and how it ends.

At a time between steps the particles are where a Brownian bridge over that step takes them; the path itself is not
touched.  Places are (d, n) here, one row per axis, as functions take them; a Swarm has (n, d).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import FpsolveWarning
from fpsolve.particles.euler import Local, LocalCoefficients
from fpsolve.particles.increments import Noise
from fpsolve.particles.walls import Slant, Walls
from fpsolve.progress import Progress, reporting
from fpsolve.values.swarm import Swarm

__all__ = ["LOST_SHARE", "ON_A_STEP", "Run", "State", "followed", "recorded"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
ON_A_STEP = 1e-9  # of a step
DIVERGED = 1e100  # |x| beyond which a particle is lost
VANISHED = 1e-300  # |x| below which it is lost on a log axis
LOST_SHARE = 0.01  # of the particles: more is an error
REPORTS = 200


@dataclass(frozen=True, eq=False)
class State:
    """Where a run stands before a step: one value, so that an interruption finds either the old or the new one.

    x: all places (d, n); ids: the particles that still move; diverged: those that do not since they diverged;
    kept: (time, step, places, gone) as recorded.
    """

    step: int
    x: Array
    ids: NDArray[np.int64]
    diverged: Flags
    kept: tuple[tuple[float, int, Array, Flags], ...]

    @property
    def size(self) -> int:
        """The number of particles."""
        return int(self.x.shape[1])

    @property
    def moving(self) -> NDArray[np.int64] | slice:
        """The particles that still move, as an index."""
        return self.ids if self.ids.size < self.size else slice(None)

    @property
    def gone(self) -> Flags:
        """The particles that do not."""
        gone = np.ones(self.size, dtype=bool)
        gone[self.moving] = False
        return gone


@dataclass(frozen=True, eq=False)
class Run:
    """What does not change from step to step."""

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

    def due(self, state: State) -> list[tuple[float, float]]:
        """(time, fraction of the step) of what is to be recorded before or within the step at hand."""
        found = []
        for t in self.times[len(state.kept) :]:
            step, part = self._place(float(t))
            if step > state.step:
                break
            found.append((float(t), part))
        return found

    def record(self, state: State) -> State:
        """Record what is due at the beginning of the step."""
        rows = tuple((t, state.step, state.x, state.gone) for t, part in self.due(state) if part == 0.0)
        return State(state.step, state.x, state.ids, state.diverged, state.kept + rows)

    def advance(self, state: State) -> State:
        """One step, with what is to be recorded before or within it."""
        state = self.record(state)
        ids, old, normals = state.ids, state.x[:, state.moving], self.noise(state.step)[:, state.moving]
        local = self.coefficients(old, state.step * self.dt)
        new = self.coefficients.moved(old, local, self.dt, normals)
        new = self.walls.confined(new, self._slant(local, state.step * self.dt))
        wild = self._wild(new)
        new = np.where(wild, old, new)
        gone = self.walls.absorb(old, new, local.d * self.dt, state.step, ids) | wild
        x, diverged = state.x.copy(), state.diverged.copy()
        x[:, state.moving] = new
        diverged[ids[wild]] = True
        rows = tuple(self._between(state, t, part, local, gone, x) for t, part in self.due(state))
        return State(state.step + 1, x, ids[~gone] if gone.any() else ids, diverged, state.kept + rows)

    def _between(
        self, state: State, t: float, part: float, local: Local, gone: Flags, after: Array
    ) -> tuple[float, int, Array, Flags]:
        """Places within a step, by a Brownian bridge; of those that leave in it, the share `part` has left."""
        from scipy.special import ndtri

        at, draws = state.moving, self.noise.between(state.step)
        normals = self.noise(state.step)[:, at]
        bridge = np.sqrt(part) * normals + np.sqrt(1.0 - part) * draws[:-1, at]
        place = self.coefficients.moved(state.x[:, at], local, part * self.dt, bridge)
        slant = self._slant(local, state.step * self.dt)
        place = self.walls.confined(place, slant, folding=("reflecting", "absorbing"))
        left = gone & (draws[-1, at] < ndtri(part))
        x, away = state.x.copy(), state.gone
        x[:, at] = np.where(left, after[:, at], np.where(self._wild(place), state.x[:, at], place))
        away[at] = left
        return t, state.step, x, away

    def _slant(self, local: Local, t: float) -> Slant | None:
        """The directions in which walls push, at the places where the step began or where it touches them."""
        if local.r is None:
            return None

        def slant(k: int, index: NDArray[np.int64], touched: Array | None) -> Array:
            if touched is None or self.coefficients.uniform:
                return self.coefficients.slant(local.at(index), k)
            return self.coefficients.slant(self.coefficients(touched, t), k)

        return slant

    def _wild(self, x: Array) -> Flags:
        size, low = np.abs(x), np.where(self.coefficients.logarithmic, VANISHED, 0.0)[:, None]
        return ~np.all((size >= low) & (size <= DIVERGED), axis=0)


def followed(run: Run, state: State, progress: Progress) -> tuple[State, bool]:
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


def recorded(
    run: Run, state: State, names: tuple[str, ...], since: tuple[Array, Array], seed: int, finished: bool
) -> Swarm:
    """What was kept, as a Swarm; since: the times at which particles had diverged and been absorbed before the run."""
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
    positions = np.moveaxis(np.array(rows), 1, 2)
    return Swarm(
        names, np.array(times), positions, np.array(steps), None, seed, lost_at, finished, None, absorbed_at
    )  # fmt: skip
