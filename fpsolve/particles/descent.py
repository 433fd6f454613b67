"""Stochastic gradient descent of a small model, in numpy over many replicas at once: what its laws are checked against.

    weights <- step(weights, numbers)

Each step draws from a generator of its own, Philox with the seed as key and the step as the highest word of its
counter, so that a run that is split and continued has the bits of the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import reals
from fpsolve.checks import seed_key, whole
from fpsolve.errors import FpsolveWarning, InvalidInput, NotConverged, warn
from fpsolve.memory import require
from fpsolve.progress import Progress, reporting
from fpsolve.values.swarm import Swarm

__all__ = ["descend", "replicas", "replicated"]

Array = NDArray[np.float64]
Step = Callable[[Array, np.random.Generator], Array]
DIVERGED = 1e100  # a weight beyond it is lost
LOST_SHARE = 0.01  # of the replicas: more is an error
REPORTS = 200


def descend(
    step: Step,
    start: Array | Swarm,
    *,
    names: tuple[str, ...],
    observe: Callable[[Array], Array],
    learning_rate: float,
    steps: int,
    seed: int,
    record: Sequence[int] | None = None,
    progress: Progress = None,
    relaxation_time: float | None = None,
) -> Swarm:
    """Run `steps` steps on all replicas and keep `observe(weights)` at the step numbers `record` and at the last.

    step: the weights after a step, from those before, replicas first, and a generator; start: the weights (n, ...), or
    a Swarm whose replicas go on.  observe: the positions (n, len(names)).  learning_rate: times are steps times it.

    Raises InvalidInput for arguments out of range, NotConverged (its `best` is the swarm) where more than 1 % of the
    replicas diverge.

    >>> halved = descend(lambda w, rng: 0.5 * w, np.ones((3, 1)), names=("w",), observe=lambda w: w, learning_rate=0.1,
    ...                  steps=2, seed=1, progress=False)
    >>> halved, halved.at(0.2)[0].tolist()
    (Swarm(w: 3 replicas, t=0.2; 2 steps), [0.25])
    """
    first = _first_step(start)
    last = first + whole("steps", steps, 1)
    marks = _marks(record, first, last)
    weights = np.array(start.weights if isinstance(start, Swarm) else start, dtype=float)
    lost_at = np.array(start.lost_at) if isinstance(start, Swarm) else np.full(len(weights), np.inf)
    require(
        8.0 * len(weights) * len(names) * len(marks), f"{len(weights)} replicas at {len(marks)} steps", "record less"
    )
    key, kept, done = seed_key(seed), [], first
    every = max(1, (last - first) // REPORTS)
    try:
        with reporting(last - first, progress, "SGD steps") as tell:
            while True:
                if done in marks:
                    kept.append((done, observe(weights)))
                if done == last or np.isfinite(lost_at).mean() > LOST_SHARE:
                    break
                weights, lost_at = _moved(step, weights, lost_at, key, done, learning_rate)
                done += 1
                if (done - first) % every == 0 or done == last:
                    tell(done - first)
    except KeyboardInterrupt:
        warn(f"interrupted after step {done} of {last}: a partial swarm", FpsolveWarning)
    if not kept or kept[-1][0] != done:
        kept.append((done, observe(weights)))
    numbers, rows = np.array([number for number, _ in kept]), np.array([row for _, row in kept])
    swarm = Swarm(
        names, numbers * learning_rate, rows, numbers, weights, int(seed), lost_at, done == last, relaxation_time
    )  # fmt: skip
    _check_diverged(swarm, learning_rate)
    return swarm


def replicated(row: Array, n: int | None) -> Array:
    """n replicas of one set of weights, shape (n, weights).  Raises InvalidInput where n is missing or below 1."""
    if n is None:
        raise InvalidInput("n is missing; give the number of replicas")
    return np.repeat(np.asarray(row, dtype=float)[None], whole("n", n, 1), axis=0)


def replicas(start: ArrayLike, n: int | None, parameters: int) -> Array:
    """Where n replicas begin, shape (n, parameters), from one place for all of them or one for each.

    Raises InvalidInput for anything but finite numbers in one of the two shapes, and for another n.
    """
    given = reals("start", start)
    if given.ndim > 2 or given.size == 0 or not np.all(np.isfinite(given)):
        raise InvalidInput(f"start has shape {given.shape}; give finite numbers, one per parameter, or (n, parameters)")
    begin = given if given.ndim == 2 else replicated(np.atleast_1d(given), n)
    if begin.shape[1] != parameters:
        raise InvalidInput(f"start has {begin.shape[1]} numbers per replica; there are {parameters} parameters")
    if n is not None and whole("n", n, 1) != len(begin):
        raise InvalidInput(f"n is {n} but start has {len(begin)} rows; leave n out")
    return begin


def _moved(
    step: Step, weights: Array, lost_at: Array, key: np.uint64, done: int, learning_rate: float
) -> tuple[Array, Array]:
    """One step; a replica that diverges in it stays where it was."""
    with np.errstate(all="ignore"):
        new = step(weights, np.random.Generator(np.random.Philox(key=int(key), counter=[0, 0, 0, done])))
        wild = ~np.all(np.abs(new.reshape(len(new), -1)) <= DIVERGED, axis=1)
    gone = np.isfinite(lost_at) | wild
    if not gone.any():
        return new, lost_at
    new[gone] = weights[gone]
    return new, np.where(wild, np.minimum(lost_at, (done + 1) * learning_rate), lost_at)


def _check_diverged(swarm: Swarm, learning_rate: float) -> None:
    lost = int(swarm.diverged.sum())
    if lost > LOST_SHARE * len(swarm):
        raise NotConverged(
            f"{lost} of {len(swarm)} replicas diverged by t={swarm.times[-1]:g}: the learning rate {learning_rate:g} "
            "is too large where they are; lower it, or enlarge the batch",
            best=swarm,
        )


def _first_step(start: Array | Swarm) -> int:
    if not isinstance(start, Swarm):
        return 0
    if start.steps is None or start.weights is None:
        raise InvalidInput("start is a swarm without weights or step numbers; only one that SGD returned can go on")
    return int(start.steps[-1])


def _marks(record: Sequence[int] | None, first: int, last: int) -> set[int]:
    marks = {whole("record", step, 0) for step in ([] if record is None else record)}
    wrong = [step for step in sorted(marks) if not first <= step <= last]
    if wrong:
        raise InvalidInput(f"record has step {wrong[0]}; this run goes from step {first} to {last}")
    return marks | {last}
