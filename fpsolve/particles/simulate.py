"""Simulated paths: Euler-Maruyama of dX = A dt + sqrt(2 D) dW + scale dL, many replicas at once.

    X <- X + a dt + sqrt(2 D dt) g + scale dt^(1/alpha) S    (a: the Ito drift; on log axes a step of ln|X|: euler.py)

Steps lie on the fixed grid t = k dt, k = 0, 1, ..., and each draws its numbers from counters (particle, step), so the
bits depend neither on which times are recorded nor on whether a run is split.  At a time between steps the particles
are where a Brownian bridge over that step takes them; the path itself is not touched (run.py).  Jumps: leaps.py, and
moves.py for their place in the step; drift too steep for a step: steep.py; particles that wait, whose steps lie on a
grid of operational time: waiting.py.

Source: Kloeden & Platen (1992), ch. 9 and 14: weak order 1; Janicki & Weron (1994), ch. 3, for jumps.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import number, rising_times, seed_key, whole
from fpsolve.errors import InvalidInput, NotConverged, ResolutionWarning, warn
from fpsolve.initial import Initial
from fpsolve.memory import require
from fpsolve.particles.draws import draw
from fpsolve.particles.euler import LocalCoefficients
from fpsolve.particles.increments import Noise
from fpsolve.particles.leaps import Leaps
from fpsolve.particles.moves import Moves
from fpsolve.particles.run import LOST_SHARE, ON_A_STEP, Run, State, walked
from fpsolve.particles.waiting import Waiting, operational_time, waited
from fpsolve.particles.walls import Walls
from fpsolve.problem import Problem, check_problem
from fpsolve.process import Process
from fpsolve.progress import Progress
from fpsolve.values.swarm import Swarm

__all__ = ["simulate"]

Array = NDArray[np.float64]


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
    """Simulate n particles of `problem` and record them at `times`.

    initial: the start at t = 0, as for `masses`; or a Swarm, whose particles go on from its last time: with the same
        dt and seed the bits are those of one run.
    times: rising, >= 0.  dt: the step (with memory, of operational time); the bias of averages is proportional to it
        (beside absorbing ends and jumps with alpha > 1, to dt^(1/alpha)): compare two, and extrapolate.
    n: the number of particles (left out with a Swarm).  seed: the same seed gives the same bits.

    D may be a tensor of any rank: an axis without noise is carried by its drift alone.
    Ends: reflecting folds back (along D e_k), absorbing stops (`.absorbed`), periodic wraps; at open ends particles
    are free to leave the grid.  A jump that would end beyond a reflecting end does not happen; beyond an absorbing one
    it is the last.  Returns a Swarm; a particle beyond 1e100 (on a log axis also below 1e-300) has diverged.
    Raises InvalidInput for arguments out of range, coefficients that fail, a Stratonovich process whose tensor varies
    and is not diagonal, and a Swarm with memory; NotConverged (`best`: the swarm so far) where over 1 % diverge.

    >>> import fpsolve as fp
    >>> flight = fp.Process(lambda x: -x, jumps=fp.Stable(alpha=1.5))
    >>> well = fp.Problem(flight, fp.Grid(x=fp.Axis.sinh(-1e3, 1e3, 201)))
    >>> simulate(well, fp.Point(1.0), [0, 2], dt=0.01, n=1000, seed=7, progress=False)
    Swarm(x: 1000 replicas, 2 times to t=2; 200 steps)
    """
    check_problem(problem, "simulate(problem, initial, times, dt=..., n=..., seed=...)")
    key, before = seed_key(seed), initial if isinstance(initial, Swarm) else None
    process, names = problem.process, problem.grid.names
    first = float(before.times[-1]) if before else 0.0
    stops = rising_times(times, first, "the swarm")
    duration = float(stops[-1]) - first if process.memory == 1.0 else operational_time(float(stops[-1]), process.memory)
    dt, step = _check_step(dt, first, duration)
    _check_room(problem, n, stops.size)
    x, since = _start(problem, initial, n, seed)
    ids = np.flatnonzero(np.minimum(*since) > first)
    moves = _moves(problem, x[:, ids], first, x.shape[1], key, dt)
    rate = partial(moves.coefficients.stiffness, duration=duration)
    _check_stability(rate(x[:, ids], first), dt, problem.grid.ndim)
    if process.memory < 1.0:
        swarm, diverged = waited(Waiting(moves, process.memory, stops), x, names, int(seed), progress)
    else:
        swarm, diverged = walked(Run(moves, stops), State.begun(step, x, ids), since, names, int(seed), progress)
    _check_divergence(diverged, process, dt, swarm)
    _check_stability(rate(swarm.positions[-1, swarm.alive()].T, float(swarm.times[-1])), dt, problem.grid.ndim)
    return swarm


def _moves(problem: Problem, x: Array, t: float, n: int, key: np.uint64, dt: float) -> Moves:
    """The steps of n particles, the coefficients checked at the places x and time t of those that move."""
    process, grid = problem.process, problem.grid
    own_times = process.memory < 1.0
    coefficients = LocalCoefficients(process, grid, x, t, own_times)
    leaps = None if process.jumps is None else Leaps(process, grid, key, x, t, own_times)
    return Moves(coefficients, Walls(grid, key, n), Noise(key, n, grid.ndim), leaps, dt)


def _check_room(problem: Problem, n: int | None, times: int) -> None:
    count = n if isinstance(n, int) else 1
    bytes_needed = 8.0 * problem.grid.ndim * count * (times + 12)
    require(bytes_needed, f"{count} particles at {times} times", "use fewer of either")


def _check_divergence(diverged: NDArray[np.bool_], process: Process, dt: float, swarm: Swarm) -> None:
    """More than a few lost particles are no sample of the process."""
    if diverged.mean() <= LOST_SHARE:
        return
    what = f"{int(diverged.sum())} of {diverged.size} particles diverged by t={swarm.times[-1]:g}"
    if process.jumps is None:
        why = f"dt={dt:g} is too long for the drift where they are; shorten it, or use a log or reflecting axis"
    else:
        why = (
            f"after jumps by {process.jumps!r} the drift does not bring them back, or they go beyond 1e100 by "
            "themselves; check the signs of drift and scale, or give the axis reflecting or absorbing ends"
        )
    raise NotConverged(f"{what}: {why}", best=swarm)


def _check_stability(rate: float, dt: float, ndim: int) -> None:
    """An explicit step multiplies a distance by 1 - rate dt: it oscillates beyond 1, and grows beyond 2."""
    does = "contracts" if ndim == 1 else "contracts or turns"
    if rate * dt > 2.0:
        raise InvalidInput(
            f"dt is {dt:g}, but the drift {does} at rate {rate:.3g} where most particles are: a step overshoots by "
            f"{rate * dt - 1.0:.3g} of the distance, and the next by more; use dt < {0.2 / rate:.1g}"
        )
    if rate * dt > 1.0:
        warn(
            f"dt is {dt:g} and the drift {does} at rate {rate:.3g}: steps overshoot by {rate * dt - 1.0:.2g} of the "
            f"distance, so variances are off by a factor of about {1.0 / (1.0 - rate * dt / 2.0):.2g}; "
            f"use dt < {0.2 / rate:.1g}",
            ResolutionWarning,
        )


def _check_step(dt: float, first: float, duration: float) -> tuple[float, int]:
    """dt, and the number of the step at which the run begins; duration: of the run, in operational time."""
    if not number("dt", dt) > 0:
        raise InvalidInput(f"dt is {dt}; a step must be positive and finite")
    if duration == 0.0:
        raise InvalidInput(f"times ends at t={first:g}, where the run begins; give a later time")
    if dt > duration:
        raise InvalidInput(f"dt is {dt:g} but the run lasts {duration:g}; give a step no longer than that")
    step = round(first / dt)
    if abs(first / dt - step) > ON_A_STEP * max(1.0, step):
        raise InvalidInput(
            f"the swarm ends at t={first:g}, which is {first / dt:.9g} steps of dt={dt:g}; it goes on only from a "
            "whole number of steps: record such a time, or give another dt"
        )
    return float(dt), step


def _start(problem: Problem, initial: Initial | Swarm, n: int | None, seed: int) -> tuple[Array, tuple[Array, Array]]:
    """Places (d, n), and the times at which particles had diverged, and been absorbed."""
    if not isinstance(initial, Swarm):
        if n is None:
            raise InvalidInput("n is missing; give the number of particles")
        x = np.ascontiguousarray(draw(initial, problem.grid, n, seed).T)
        return x, (np.full(x.shape[1], np.inf), np.full(x.shape[1], np.inf))
    if problem.process.memory < 1.0:
        raise InvalidInput(
            f"the start is a swarm and the process has memory={problem.process.memory:g}: what comes next depends on "
            "how long each particle has waited, which positions do not tell; give all times to one run"
        )
    if initial.names != problem.grid.names:
        raise InvalidInput(f"the swarm has coordinates {initial.names}; the grid's axes are {problem.grid.names}")
    if n is not None and whole("n", n, 1) != len(initial):
        raise InvalidInput(f"n is {n} but the swarm has {len(initial)} particles; leave n out")
    assert initial.lost_at is not None
    assert initial.absorbed_at is not None
    places = np.array(initial.positions[-1].T, order="C")
    return places, (np.array(initial.lost_at), np.array(initial.absorbed_at))
