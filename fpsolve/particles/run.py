"""The course of a simulation: steps on the fixed grid t = k dt, what is recorded on it and between, and how it ends.

At a time between steps the particles are where a Brownian bridge over that step takes them (with jumps: moves.py); the
path itself is not touched.  Places are (d, n) here, one row per axis, as functions take them; a Swarm has (n, d).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import FpsolveWarning, warn
from fpsolve.particles.moves import Moves, Step
from fpsolve.progress import Progress, reporting
from fpsolve.values.swarm import Swarm

__all__ = ["LOST_SHARE", "ON_A_STEP", "Run", "State", "gone_from", "walked"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Recorded = tuple[float, int, Array, Flags]  # time, step, places, gone
ON_A_STEP = 1e-9  # of a step
LOST_SHARE = 0.01  # of the particles: more is an error
REPORTS = 200


@dataclass(frozen=True, eq=False)
class State:
    """Where a run stands before a step: one value, so that an interruption finds either the old or the new one.

    x: all places (d, n); ids: the particles that still move; diverged: those that do not since they diverged;
    kept: what was recorded.
    """

    step: int
    x: Array
    ids: NDArray[np.int64]
    diverged: Flags
    kept: tuple[Recorded, ...]

    @classmethod
    def begun(cls, step: int, x: Array, ids: NDArray[np.int64]) -> State:
        """The state before a run of the particles ids."""
        return cls(step, x, ids, np.zeros(x.shape[1], dtype=bool), ())

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

    moves: Moves
    times: Array

    @property
    def dt(self) -> float:
        """The step."""
        return self.moves.dt

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
        made = self.moves.step(state.x[:, state.moving], state.step * self.dt, state.step, state.ids)
        x, diverged = state.x.copy(), state.diverged.copy()
        x[:, state.moving] = made.new
        diverged[made.ids[made.wild]] = True
        rows = tuple(self._between(state, t, part, made) for t, part in self.due(state))
        ids = made.ids[~made.gone] if made.gone.any() else made.ids
        return State(state.step + 1, x, ids, diverged, state.kept + rows)

    def _between(self, state: State, t: float, part: float, made: Step) -> Recorded:
        """Places within a step; of those that leave in it, the share `part` has left."""
        from scipy.special import ndtri

        draws = self.moves.noise.between(state.step)[:, state.moving]
        left = made.gone & (draws[-1] < ndtri(part))
        x, away = state.x.copy(), state.gone
        x[:, state.moving] = self.moves.between(made, part, draws[:-1], left)
        away[state.moving] = left
        return t, state.step, x, away


def walked(
    run: Run, state: State, since: tuple[Array, Array], names: tuple[str, ...], seed: int, progress: Progress
) -> tuple[Swarm, Flags]:
    """The Swarm of a run, and who has diverged in it.

    since: the times at which particles had diverged, and been absorbed, before.
    """
    state, finished = _followed(run, state, progress)
    return _recorded(run, state, names, since, seed, finished), state.diverged


def _followed(run: Run, state: State, progress: Progress) -> tuple[State, bool]:
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
        warn(message, FpsolveWarning)
    return state, len(state.kept) == run.times.size


def _recorded(
    run: Run, state: State, names: tuple[str, ...], since: tuple[Array, Array], seed: int, finished: bool
) -> Swarm:
    """What was kept, as a Swarm."""
    kept = state.kept
    if not finished and not (kept and kept[-1][0] >= state.step * run.dt):
        kept += ((state.step * run.dt, state.step, state.x, state.gone),)
    times, steps, rows, gone = zip(*kept, strict=True)
    gone_since = gone_from(times, gone, state.diverged, since)
    positions = np.moveaxis(np.array(rows), 1, 2)
    return Swarm(
        names, np.array(times), positions, np.array(steps), None, seed, gone_since[0], finished, None, gone_since[1]
    )  # fmt: skip


def gone_from(
    times: Sequence[float], gone: Sequence[Flags], diverged: Flags, since: tuple[Array, Array]
) -> tuple[Array, Array]:
    """The first recorded times at which particles had diverged, and been absorbed, shape (n,) each.

    gone: who was gone at each of the times; diverged: who is gone because of that; since: the same before the run.
    """
    lost_at, absorbed_at = since
    before = np.isfinite(np.minimum(lost_at, absorbed_at))
    for time, away in zip(times, gone, strict=True):
        new = away & ~before
        lost_at = np.where(new & diverged, np.minimum(lost_at, time), lost_at)
        absorbed_at = np.where(new & ~diverged, np.minimum(absorbed_at, time), absorbed_at)
    return lost_at, absorbed_at
