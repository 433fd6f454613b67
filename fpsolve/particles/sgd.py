"""Real minibatch SGD of the diagonal linear network, many replicas at once: what densities are checked against.

Network f(x) = v x, v = sum over d columns of the product of n = depth + 1 weights, loss (f - y)^2 + gamma |w|^2; a step
moves every weight by -eta times the gradient of its minibatch's mean loss.  At depth 1, width 1, weights (u, w) and
z = u^2 - w^2 obey path by path, with g the minibatch mean of (v x - y) x,

    z' = z [(1 - 2 eta gamma)^2 - 4 eta^2 g^2].

Ziyin, Li & Ueda, arXiv 2308.06671.  Sampling and random numbers: fpsolve/kernels/walk.py and random.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.checks import seed_key, whole
from fpsolve.errors import FpsolveWarning, InvalidInput, NotConverged
from fpsolve.kernels.walk import walk_layers, walk_pair
from fpsolve.memory import require
from fpsolve.particles.rates import Rate, Rates
from fpsolve.particles.starts import Start, start_weights
from fpsolve.progress import Progress, reporting
from fpsolve.values.swarm import Swarm

__all__ = ["DIVERGED", "diagonal_sgd"]

Array = NDArray[np.float64]

DIVERGED = 1e12  # |v| from which a replica counts as diverged: each further step would square it
STRETCHES = (10, 40)  # how often a short and a long run return to Python: so often the progress bar moves
STRETCH_WORK = (1_000_000, 400_000_000)  # weights moved in one: milliseconds at least, seconds at most


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
    first, before = _first_step(start), start if isinstance(start, Swarm) else None
    rates = Rates(learning_rate, first, steps, float(before.times[-1]) if before else 0.0)
    run = _Run(
        data, rates, _batch(batch, data.shape[1]), _decay(weight_decay), seed_key(seed),
        not replacement, _marks(record, first, steps), 1 if threads is None else whole("threads", threads, 1),
        tuple(names), observe,
    )  # fmt: skip
    state, finished = _followed(run, run.begin(weights), _share(max_diverged), progress)
    swarm = _swarm(run, state, before, int(seed), finished).replace(relaxation_time=relaxation_time)
    _check_diverged(swarm, max_diverged, float(rates.of(first, first + 1)[0]))
    return swarm


@dataclass(frozen=True, eq=False)
class _State:
    """Where a run stands: one value, so that an interruption finds either the old or the new one.

    kept: (step, time, v, positions) as recorded.
    """

    step: int
    time: float
    weights: Array
    v: Array
    kept: tuple[tuple[int, float, Array, Array], ...]


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
        end = min(state.step + self._stretch(state.weights.size), self.rates.first + self.rates.steps)
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

    def _stretch(self, size: int) -> int:
        work = size * self.batch
        count = min(max(self.rates.steps * work // STRETCH_WORK[0], STRETCHES[0]), STRETCHES[1])
        steps = min(-(-self.rates.steps // count), max(1, STRETCH_WORK[1] // work))
        # a stretch shuffles its first epoch again: let it be at least one epoch long
        return max(steps, -(-self.data.shape[1] // self.batch)) if self.shuffled else steps

    def _walk(self, weights: Array, step: int, rates: Array, stops: NDArray[np.int64]) -> Array:
        v = np.empty((stops.size, len(weights)))
        walk = walk_pair if weights.shape[1:] == (2, 1) else walk_layers
        walk(
            self.key, np.uint64(step), rates, self.decay, DIVERGED, self.data, self.batch, self.shuffled, weights,
            stops, v, threads=self.threads,
        )  # fmt: skip
        return v


def _followed(run: _Run, state: _State, max_diverged: float, progress: Progress) -> tuple[_State, bool]:
    """The last state, and whether that is the end: not so after Ctrl-C, or where too many replicas have diverged."""
    first, steps = run.rates.first, run.rates.steps
    try:
        with reporting(steps, progress, "SGD steps") as tell:
            while state.step < first + steps and _lost(state.v).mean() <= max_diverged:
                state = run.advance(state)
                tell(state.step - first)
    except KeyboardInterrupt:
        warnings.warn(f"interrupted after step {state.step} of {first + steps}: a partial swarm", FpsolveWarning, 3)
    return state, state.step == first + steps


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


def _check_diverged(swarm: Swarm, allowed: float, rate: float) -> None:
    lost = int(swarm.diverged.sum())
    if lost > allowed * len(swarm):
        assert swarm.steps is not None
        raise NotConverged(
            f"{lost} of {len(swarm)} replicas diverged (|v| > {DIVERGED:g}) by step {swarm.steps[-1]}, more than "
            f"max_diverged={allowed:g} allows: the learning rate ({rate:g} at first) is too large for these data; "
            "lower it, enlarge the batch, or raise max_diverged to get the swarm with them marked as diverged",
            best=swarm,
        )


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


def _batch(batch: int, samples: int) -> int:
    if whole("batch", batch, 1) > samples:
        raise InvalidInput(f"batch is {batch} but the data have {samples} samples; give a batch of at most that")
    return int(batch)


def _decay(weight_decay: float) -> float:
    if not (np.isfinite(weight_decay) and weight_decay >= 0):
        raise InvalidInput(f"weight_decay is {weight_decay}; give a finite number >= 0")
    return float(weight_decay)


def _share(max_diverged: float) -> float:
    if not 0 <= max_diverged <= 1:
        raise InvalidInput(f"max_diverged is {max_diverged}; it is a share of the replicas: give one in [0, 1]")
    return float(max_diverged)


def _first_step(start: Start) -> int:
    if not isinstance(start, Swarm):
        return 0
    if start.steps is None:
        raise InvalidInput("start is a swarm without step numbers; only a swarm that SGD returned can be continued")
    return int(start.steps[-1])


def _marks(record: Sequence[int] | NDArray[np.int64] | None, first: int, steps: int) -> NDArray[np.int64]:
    marks = np.unique(np.asarray([] if record is None else record))
    if marks.size and marks.dtype.kind not in "iu":
        raise InvalidInput(f"record has dtype {marks.dtype}; give whole step numbers")
    wrong = marks[(marks < first) | (marks > first + steps)]
    if wrong.size:
        raise InvalidInput(f"record has step {wrong[0]}; this run goes from step {first} to {first + steps}")
    return np.union1d(marks.astype(np.int64), first + steps)
