"""Real minibatch SGD of the diagonal linear network, many replicas at once: what densities are checked against.

Network f(x) = v x, v = sum over d columns of the product of n = depth + 1 weights, loss (f - y)^2 + gamma |w|^2; a step
moves every weight by -eta times the gradient of its minibatch's mean loss.  At depth 1, width 1, weights (u, w) and
z = u^2 - w^2 obey path by path, with g the minibatch mean of (v x - y) x,

    z' = z [(1 - 2 eta gamma)^2 - 4 eta^2 g^2].

Ziyin, Li & Ueda, arXiv 2308.06671.  Sampling and random numbers: fpsolve/kernels/walk.py and random.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import seed_key, whole, yes_or_no
from fpsolve.errors import InvalidInput
from fpsolve.kernels.walk import walk_layers, walk_pair
from fpsolve.memory import require
from fpsolve.particles.course import (
    batch_size,
    check_diverged,
    decay_rate,
    first_step,
    followed,
    lost_share,
    recorded_steps,
    stretch_length,
)
from fpsolve.particles.rates import Rate, Rates
from fpsolve.particles.starts import Start, start_weights
from fpsolve.progress import Progress
from fpsolve.values.swarm import Swarm

__all__ = ["DIVERGED", "diagonal_sgd"]

Array = NDArray[np.float64]

DIVERGED = 1e12  # |v| from which a replica counts as diverged: each further step would square it


def diagonal_sgd(
    x: ArrayLike,
    y: ArrayLike,
    *,
    learning_rate: Rate,
    steps: int,
    seed: int,
    n: int | None = None,
    depth: int = 1,
    width: int = 1,
    batch: int = 1,
    weight_decay: float = 0.0,
    start: Start = None,
    replacement: bool = True,
    record: Sequence[int] | NDArray[np.int64] | None = None,
    threads: int | None = None,
    progress: Progress = None,
    max_diverged: float = 0.01,
    relaxation_time: float | None = None,
    names: tuple[str, ...] = ("v",),
    observe: Callable[[Array], Array] | None = None,
) -> Swarm:
    """Run `steps` steps of minibatch SGD on n replicas; the positions are v, and t is the sum of the learning rates.

    x, y: data (samples,).  learning_rate: eta > 0, a function of the step number, or one value per step of this run.
    seed: the same seed gives the same bits for any `threads`, and for a run that is split and continued.
    start: None (balanced weights at the least-squares v), a v, one v per replica, weights (layers, width) or
    (n, layers, width), or a Swarm: its replicas go on from its last step, with as many replicas.
    replacement: minibatches drawn independently; False shuffles the data anew for each epoch and replica.
    record: the step numbers to keep, counted from the first run's start; the last step is always kept.
    threads: 1 unless told.  progress: see fpsolve.progress.  max_diverged: the share of replicas that may diverge.
    relaxation_time: handed to the swarm.
    names, observe: other positions than v, a function of the weights (n, layers, width) that returns (n, len(names)).

    Returns a Swarm; interrupted from the keyboard, what there is, with `finished` False and a FpsolveWarning.
    Raises InvalidInput for arguments out of range, NotConverged (its `best` is the swarm) where too many diverge.

    >>> swarm = diagonal_sgd([1.0, -1.0, 2.0], [1.0, -0.5, 1.0], learning_rate=0.01, steps=1000, n=64, seed=1)
    >>> swarm
    Swarm(v: 64 replicas, t=10; 1000 steps)
    >>> more = diagonal_sgd([1.0, -1.0, 2.0], [1.0, -0.5, 1.0], learning_rate=0.01, steps=500, seed=1, start=swarm)
    >>> int(more.steps[-1]), more.weights.shape
    (1500, (64, 2, 1))
    """
    layers, width, steps = whole("depth", depth, 0) + 1, whole("width", width, 1), whole("steps", steps, 1)
    replicas = n if isinstance(n, int) else 1
    require(8.0 * replicas * (3 * layers * width + 2), f"SGD of {replicas} replicas", "use fewer replicas")
    data = _moments(x, y)
    weights = start_weights(start, n, layers, width, data[1].mean() / data[0].mean())
    first, before = first_step(start), start if isinstance(start, Swarm) else None
    rates = Rates(learning_rate, first, steps, float(before.times[-1]) if before else 0.0)
    run = _Run(
        data, rates, batch_size(batch, data.shape[1]), decay_rate(weight_decay), seed_key(seed),
        not yes_or_no("replacement", replacement), recorded_steps(record, first, steps),
        1 if threads is None else whole("threads", threads, 1),
        tuple(names), observe,
    )  # fmt: skip
    state, finished = followed(run, run.begin(weights), lost_share(max_diverged), progress)
    swarm = _swarm(run, state, before, int(seed), finished).replace(relaxation_time=relaxation_time)
    check_diverged(swarm, max_diverged, float(rates.of(first, first + 1)[0]), f"|v| > {DIVERGED:g}")
    return swarm


@dataclass(frozen=True, eq=False)
class _State:
    """Where a run stands; kept: (step, time, v, positions) as recorded."""

    step: int
    time: float
    weights: Array
    v: Array
    kept: tuple[tuple[int, float, Array, Array], ...]

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Which replicas have diverged."""
        return _lost(self.v)


@dataclass(frozen=True, eq=False)
class _Run:
    data: Array
    rates: Rates
    batch: int
    decay: float
    key: np.uint64
    shuffled: bool
    marks: NDArray[np.int64]
    threads: int
    names: tuple[str, ...]
    observe: Callable[[Array], Array] | None

    def begin(self, weights: Array) -> _State:
        first, time = self.rates.first, self.rates.origin
        v = self._walk(weights, first, np.empty(0), np.zeros(1, np.int64))[0]
        kept = ((first, time, v, self.positions(v, weights)),) if first in self.marks else ()
        return _State(first, time, weights, v, kept)

    def advance(self, state: _State) -> _State:
        epoch = -(-self.data.shape[1] // self.batch) if self.shuffled else 1
        length = stretch_length(self.rates.steps, state.weights.size * self.batch, epoch)
        end = min(state.step + length, self.rates.first + self.rates.steps)
        inside = self.marks[(self.marks > state.step) & (self.marks <= end)]
        if self.observe is not None and inside.size:  # the weights are seen where a stretch ends
            inside, end = inside[:1], int(inside[0])
        stops, weights = np.union1d(inside, end), state.weights.copy()
        v = self._walk(weights, state.step, self.rates.of(state.step, end), stops - state.step)
        times = self.rates.times(state.step, state.time, stops)
        kept = tuple(
            (int(s), float(t), row, self.positions(row, weights))
            for s, t, row in zip(stops, times, v, strict=True)
            if s in inside
        )
        return _State(end, float(times[-1]), weights, v[-1], state.kept + kept)

    def positions(self, v: Array, weights: Array) -> Array:
        """What is recorded of replicas with these outputs and weights, (n, d)."""
        return v[:, None] if self.observe is None else self.observe(weights)

    def _walk(self, weights: Array, step: int, rates: Array, stops: NDArray[np.int64]) -> Array:
        v = np.empty((stops.size, len(weights)))
        walk = walk_pair if weights.shape[1:] == (2, 1) else walk_layers
        walk(
            self.key, np.uint64(step), rates, self.decay, DIVERGED, self.data, self.batch, self.shuffled, weights,
            stops, v, threads=self.threads,
        )  # fmt: skip
        return v


def _lost(v: Array) -> NDArray[np.bool_]:
    return ~(np.abs(v) <= DIVERGED)


def _swarm(run: _Run, state: _State, before: Swarm | None, seed: int, finished: bool) -> Swarm:
    kept = state.kept
    if not kept or kept[-1][0] != state.step:
        kept += ((state.step, state.time, state.v, run.positions(state.v, state.weights)),)
    steps, times, outputs, rows = zip(*kept, strict=True)
    lost_at = np.full(state.v.size, np.inf) if before is None else np.array(before.lost_at)
    for time, v in zip(times, outputs, strict=True):
        lost_at = np.where(_lost(v), np.minimum(lost_at, time), lost_at)
    return Swarm(run.names, np.array(times), np.array(rows), np.array(steps), state.weights, seed, lost_at, finished)


def _moments(x: ArrayLike, y: ArrayLike) -> Array:
    columns = [np.asarray(x, dtype=float), np.asarray(y, dtype=float)]
    if columns[0].ndim != 1 or columns[0].shape != columns[1].shape or columns[0].size == 0:
        raise InvalidInput(f"x has shape {columns[0].shape}, y {columns[1].shape}; give two columns of one length >= 1")
    for name, column in zip("xy", columns, strict=True):
        wrong = np.flatnonzero(~np.isfinite(column))
        if wrong.size:
            raise InvalidInput(
                f"{name}[{wrong[0]}] is {column[wrong[0]]}; drop what is not finite ({wrong.size} samples)"
            )
    if not np.any(columns[0]):
        raise InvalidInput("x is 0 in every sample, so the loss does not depend on v; give another column")
    return np.array([columns[0] ** 2, columns[0] * columns[1]])
