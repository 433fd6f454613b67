"""Simulated paths: Euler-Maruyama of dX = A dt + sqrt(2 D) dW in the process's own convention, many replicas at once.

    X <- X + a dt + sqrt(2 D dt) g          (a: the Ito drift; on log axes a step of ln|X|: euler.py)

Steps lie on the fixed grid t = k dt, k = 0, 1, ..., and each draws normals from counters (particle, step), so the bits
depend neither on which times are recorded nor on whether a run is split.  At a time between steps the particles are
where a Brownian bridge over that step takes them; the path itself is not touched (run.py).

Source: Kloeden & Platen (1992), ch. 9 and 14: weak order 1.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import number, rising_times, seed_key, whole
from fpsolve.errors import InvalidInput, NotConverged, ResolutionWarning
from fpsolve.initial import Initial
from fpsolve.memory import require
from fpsolve.particles.draws import draw
from fpsolve.particles.euler import LocalCoefficients
from fpsolve.particles.increments import Noise
from fpsolve.particles.run import LOST_SHARE, ON_A_STEP, Run, State, followed, recorded
from fpsolve.particles.walls import Walls
from fpsolve.problem import Problem
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
    times: rising, >= 0.  dt: the step; the bias of averages is proportional to it: compare two, and extrapolate.
    n: the number of particles (left out with a Swarm).  seed: the same seed gives the same bits.

    In several dimensions D may be any symmetric, positive semidefinite tensor: where it has no full rank the noise
    has none, and an axis without noise is carried by its drift alone.
    Ends: reflecting folds back (along D e_k), absorbing stops (`.absorbed`), periodic wraps; at open ends particles
    are free to leave the grid.  Returns a Swarm; a particle beyond 1e100 (on a log axis also below 1e-300) has
    diverged and is counted.
    Raises InvalidInput for arguments out of range, coefficients that fail, and a Stratonovich process whose tensor
    varies and is not diagonal; NotConverged (its `best` is the swarm so far) where more than 1 % of the particles
    diverge.

    >>> import fpsolve as fp
    >>> well = fp.Problem(fp.Process(lambda x: -x, 0.5), fp.Grid(x=(-6, 6, 100)))
    >>> from fpsolve.initial import Point
    >>> simulate(well, Point(1.0), [0, 2], dt=0.01, n=1000, seed=7, progress=False)
    Swarm(x: 1000 replicas, 2 times to t=2; 200 steps)
    >>> turning = fp.Process(lambda x, y: (-x - 2 * y, 2 * x - y), ((1.0, 1.0), (1.0, 1.0)))  # noise along x = y
    >>> plane = fp.Problem(turning, fp.Grid(x=(-6, 6, 50), y=(-6, 6, 50)))
    >>> simulate(plane, Point(0.0, 0.0), [5.0], dt=0.01, n=1000, seed=7, progress=False).at(5.0).shape
    (1000, 2)
    """
    grid = problem.grid
    key, before = seed_key(seed), initial if isinstance(initial, Swarm) else None
    first = float(before.times[-1]) if before else 0.0
    stops = rising_times(times, first, "the swarm")
    dt, step = _check_step(dt, first, float(stops[-1]))
    count = n if isinstance(n, int) else 1
    require(
        8.0 * grid.ndim * count * (stops.size + 12), f"{count} particles at {stops.size} times", "use fewer of either"
    )
    x, lost_at, absorbed_at = _start(problem, initial, n, seed)
    alive = np.minimum(lost_at, absorbed_at) > first
    coefficients = LocalCoefficients(problem.process, grid, x[:, alive], first)
    duration = float(stops[-1]) - first
    _check_stability(coefficients.stiffness(x[:, alive], first, duration), dt, grid.ndim)
    run = Run(coefficients, Walls(grid, key, alive.size), Noise(key, alive.size, grid.ndim), dt, stops)
    state = State(step, x, np.flatnonzero(alive), np.zeros(alive.size, dtype=bool), ())
    state, finished = followed(run, state, progress)
    swarm = recorded(run, state, grid.names, (lost_at, absorbed_at), int(seed), finished)
    if state.diverged.mean() > LOST_SHARE:
        raise NotConverged(
            f"{int(state.diverged.sum())} of {alive.size} particles diverged by t={state.step * dt:g}: dt={dt:g} is "
            "too long for the drift where they are; shorten it, or use a log or reflecting axis",
            best=swarm,
        )
    _check_stability(coefficients.stiffness(state.x[:, state.ids], float(swarm.times[-1]), duration), dt, grid.ndim)
    return swarm


def _check_stability(rate: float, dt: float, ndim: int) -> None:
    """An explicit step multiplies a distance by 1 - rate dt: it oscillates beyond 1, and grows beyond 2."""
    does = "contracts" if ndim == 1 else "contracts or turns"
    if rate * dt > 2.0:
        raise InvalidInput(
            f"dt is {dt:g}, but the drift {does} at rate {rate:.3g} where most particles are: a step overshoots by "
            f"{rate * dt - 1.0:.3g} of the distance, and the next by more; use dt < {0.2 / rate:.1g}"
        )
    if rate * dt > 1.0:
        warnings.warn(
            f"dt is {dt:g} and the drift {does} at rate {rate:.3g}: steps overshoot by {rate * dt - 1.0:.2g} of the "
            f"distance, so variances are off by a factor of about {1.0 / (1.0 - rate * dt / 2.0):.2g}; "
            f"use dt < {0.2 / rate:.1g}",
            ResolutionWarning,
            stacklevel=3,
        )


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
    """Places (d, n), and the times at which particles had diverged, and been absorbed."""
    if not isinstance(initial, Swarm):
        if n is None:
            raise InvalidInput("n is missing; give the number of particles")
        x = np.ascontiguousarray(draw(initial, problem.grid, n, seed).T)
        return x, np.full(x.shape[1], np.inf), np.full(x.shape[1], np.inf)
    if initial.names != problem.grid.names:
        raise InvalidInput(f"the swarm has coordinates {initial.names}; the grid's axes are {problem.grid.names}")
    if n is not None and whole("n", n, 1) != len(initial):
        raise InvalidInput(f"n is {n} but the swarm has {len(initial)} particles; leave n out")
    assert initial.lost_at is not None
    assert initial.absorbed_at is not None
    return np.array(initial.positions[-1].T, order="C"), np.array(initial.lost_at), np.array(initial.absorbed_at)
