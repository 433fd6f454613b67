"""Particles with memory: a path in operational time, and a clock that makes each particle wait.

    X(t) = Y(E_t),   dY = A(Y, T) dtau + sqrt(2 D(Y, T)) dW_tau + scale dL_tau,   E_t = inf{tau: T(tau) > t}

T, the physical time, is a stable subordinator of index beta (the memory), E exp(-s T) = exp(-tau s^beta).  Over each
operational step dt it grows by dt^(1/beta) S (kernels/stable.py), coefficients are read at its value before the step,
and between its jumps the particle rests.  So the law of the number of steps made by any physical times is exact,
jointly for all of them.  A recorded time falls into the jump of T over one step, which came at a share u of that step,
uniform in (0, 1): the particle is recorded there, by a bridge (moves.py), once for all times that the step spans.
What remains is the bias of the Euler step and of reading coefficients before the step: of first order in dt.

Source: Magdziarz, Weron & Weron, Phys. Rev. E 75, 016708 (2007); Meerschaert & Sikorskii (2012), ch. 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import FpsolveWarning, warn
from fpsolve.kernels.random import CROSSINGS
from fpsolve.particles.increments import uniforms
from fpsolve.particles.leaps import waits
from fpsolve.particles.moves import Moves, Step
from fpsolve.particles.run import LOST_SHARE, gone_from
from fpsolve.progress import Progress, reporting
from fpsolve.values.swarm import Swarm

__all__ = ["Records", "Waiting", "operational_time", "waited"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Ids = NDArray[np.int64]


def operational_time(t: float, memory: float) -> float:
    """<E_t> = t^memory/Gamma(1 + memory): how long the path is, on average, by the physical time t.

    >>> operational_time(2.0, 1.0)
    2.0
    """
    from scipy.special import gamma

    return float(t**memory / gamma(1.0 + memory))


@dataclass(frozen=True, eq=False)
class _State:
    """The particles `ids` that are still on their way: places (d, ids) and clocks (ids,) before a step."""

    step: int
    ids: Ids
    x: Array
    clock: Array


class Records:
    """Places (times, d, n) and who is gone (times, n), written as particles pass the times, each at its own step."""

    def __init__(self, times: Array, x: Array) -> None:
        self.times = times
        self.rows = np.repeat(x[None], times.size, axis=0)
        self.gone = np.zeros((times.size, x.shape[1]), dtype=bool)
        self.diverged = np.zeros(x.shape[1], dtype=bool)

    def ended(self, made: Step, passed: NDArray[np.intp]) -> None:
        """Those that stop in a step are where it leaves them from then on; passed: the times before its end."""
        for i in np.flatnonzero(made.gone):
            self.rows[passed[i] :, :, made.ids[i]] = made.new[:, i]
            self.gone[passed[i] :, made.ids[i]] = True
        self.diverged[made.ids[made.wild]] = True


@dataclass(frozen=True, eq=False)
class Waiting:
    """A run of n particles with memory."""

    moves: Moves
    memory: float
    times: Array

    def advance(self, state: _State, records: Records) -> _State:
        """One operational step, with the times that it spans."""
        ids, t = state.ids, state.clock
        made = self.moves.step(state.x, t, state.step, ids)
        later = t + waits(self.moves.walls.key, state.step, ids, self.memory, self.moves.dt)
        first, passed = (np.searchsorted(self.times, clock) for clock in (t, later))
        if state.step == 0 and self.times[0] == 0.0:
            first += 1  # the start itself
        index = np.flatnonzero(passed > first)
        if index.size:
            self._record(made.at(index), first[index], passed[index], records)
        records.ended(made, passed)
        on = ~made.gone & (passed < self.times.size)
        if on.all():
            return _State(state.step + 1, ids, made.new, later)
        return _State(state.step + 1, ids[on], made.new[:, on], later[on])

    def _record(self, made: Step, first: NDArray[np.intp], passed: NDArray[np.intp], records: Records) -> None:
        """Write the places of those whose clocks jump over recorded times, first <= number < passed."""
        from scipy.special import ndtri

        draws = uniforms(self.moves.walls.key, made.number, CROSSINGS, made.ids, len(made.old) + 2)
        part = draws[0]
        left = made.gone & (draws[1] < part)
        place = self.moves.between(made, part, ndtri(draws[2:]), left)
        for k in range(int(first.min()), int(passed.max())):
            here = (first <= k) & (k < passed)
            records.rows[k][:, made.ids[here]] = place[:, here]
            records.gone[k, made.ids[here]] = left[here]


def waited(waiting: Waiting, x: Array, names: tuple[str, ...], seed: int, progress: Progress) -> tuple[Swarm, Flags]:
    """The Swarm of a run from the places x (d, n) at t = 0, and who has diverged in it.

    After Ctrl-C, or where too many diverge, it has the times that all particles have passed.
    """
    n, records = x.shape[1], Records(waiting.times, x)
    state = _State(0, np.arange(n), x, np.zeros(n))
    try:
        with reporting(n, progress, "particles") as tell:
            while state.ids.size and records.diverged.mean() <= LOST_SHARE:
                state = waiting.advance(state, records)
                tell(n - state.ids.size)
    except KeyboardInterrupt:
        passed = f"{n - state.ids.size} of {n} particles had passed t={waiting.times[-1]:g}"
        warn(f"interrupted when {passed}: a partial swarm", FpsolveWarning)
    return _swarm(state, records, x, names, seed), records.diverged


def _swarm(state: _State, records: Records, x: Array, names: tuple[str, ...], seed: int) -> Swarm:
    """The times that all particles have passed; the start, where there are none."""
    whole = int(np.searchsorted(records.times, state.clock.min())) if state.ids.size else records.times.size
    times, rows, gone = records.times[:whole], records.rows[:whole], records.gone[:whole]
    if whole == 0:
        times, rows, gone = np.zeros(1), x[None], np.zeros((1, x.shape[1]), dtype=bool)
    never = np.full(x.shape[1], np.inf)
    lost_at, absorbed_at = gone_from(tuple(times), tuple(gone), records.diverged, (never, never))
    positions, finished = np.moveaxis(rows, 1, 2), whole == records.times.size
    return Swarm(names, times, positions, None, None, seed, lost_at, finished, None, absorbed_at)
