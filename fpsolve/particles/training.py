"""Real SGD of dense networks, many replicas at once: what densities and noise equilibria are checked against.

    w <- w - eta m,   m <- mu m + g + 2 gamma w,   g the gradient of the minibatch's mean of |f(x) - y|^2

Kernel, sampling and random numbers: fpsolve/kernels/train.py, dense.py, minibatch.py and random.py.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import seed_key, whole
from fpsolve.kernels.train import SHUFFLED, train
from fpsolve.memory import require
from fpsolve.particles.course import check_diverged, first_step, followed, lost_share, recorded_steps, stretch_length
from fpsolve.particles.rates import Rate, Rates
from fpsolve.progress import Progress
from fpsolve.values.swarm import Swarm

__all__ = ["DIVERGED", "Rule", "Wiring", "train_network"]

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
DIVERGED = 1e12  # error of a batch, in units of the data's, from which a replica counts as diverged


@dataclass(frozen=True, eq=False)
class Wiring:
    """A network as its kernel sees it: units per layer, activation and leak, where each normalised group begins."""

    widths: Whole
    activation: int
    leak: float
    groups: Whole

    @property
    def size(self) -> int:
        """How many weights."""
        return int((self.widths[1:] * self.widths[:-1]).sum())


@dataclass(frozen=True, eq=False)
class Rule:
    """How weights are moved, and by which samples: data and source as kernels/train.py has them; scale: of an error."""

    data: Array
    source: int
    batch: int
    scale: float
    decay: float = 0.0
    momentum: float = 0.0
    clip: float = np.inf


def train_network(
    weights: Array,
    wiring: Wiring,
    rule: Rule,
    *,
    learning_rate: Rate,
    steps: int,
    seed: int,
    names: tuple[str, ...],
    observe: Callable[[Array], Array],
    before: Swarm | None = None,
    record: Sequence[int] | NDArray[np.int64] | None = None,
    threads: int | None = None,
    progress: Progress = None,
    max_diverged: float = 0.01,
) -> Swarm:
    """Train replicas that start with `weights`, (n, 1, size), or (n, 2, size) with momentum, the second being m.

    names, observe: what positions are, a function of the weights (n, size) that returns (n, len(names)).
    before: the swarm whose replicas go on.  The returned swarm's `.weights` are (n, size), or (n, 2, size).

    Raises InvalidInput for arguments out of range, NotConverged (its `best` is the swarm) where too many diverge.
    """
    first, n = first_step(before), len(weights)
    marks = recorded_steps(record, first, whole("steps", steps, 1))
    require(
        8.0 * n * (4 * wiring.size + len(names) * marks.size), f"SGD of {n} replicas", "use fewer replicas, record less"
    )
    rates = Rates(learning_rate, first, steps, 0.0 if before is None else float(before.times[-1]))
    threads = 1 if threads is None else whole("threads", threads, 1)
    run = _Run(wiring, rule, rates, seed_key(seed), marks, threads, observe)
    gone = np.full(n, np.inf) if before is None else np.array(before.lost_at)
    state, finished = followed(run, run.begin(weights, gone), lost_share(max_diverged), progress)
    swarm = _swarm(run, state, names, int(seed), finished)
    check_diverged(swarm, max_diverged, float(rates.of(first, first + 1)[0]), f"error > {DIVERGED:g} times the data's")
    return swarm


@dataclass(frozen=True, eq=False)
class _State:
    """Where a run stands; kept: (step, time, positions) as recorded."""

    step: int
    time: float
    weights: Array
    lost_at: Array
    kept: tuple[tuple[int, float, Array], ...]

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Which replicas have diverged."""
        return np.isfinite(self.lost_at)


@dataclass(frozen=True, eq=False)
class _Run:
    wiring: Wiring
    rule: Rule
    rates: Rates
    key: np.uint64
    marks: Whole
    threads: int
    observe: Callable[[Array], Array]

    def begin(self, weights: Array, lost_at: Array) -> _State:
        first, time = self.rates.first, self.rates.origin
        kept = ((first, time, self.observe(weights[:, 0])),) if first in self.marks else ()
        return _State(first, time, weights, lost_at, kept)

    def advance(self, state: _State) -> _State:
        """Up to where something is recorded, or to the end of a stretch."""
        mark = self.marks[np.searchsorted(self.marks, state.step, side="right")]
        end = min(state.step + self._stretch(state.weights.size), int(mark))
        weights, lost, wiring, rule = state.weights.copy(), state.lost, self.wiring, self.rule
        train(
            self.key, np.uint64(state.step), self.rates.of(state.step, end), rule.decay, rule.momentum, rule.clip,
            rule.batch * (DIVERGED * rule.scale) ** 2, wiring.widths, wiring.activation, wiring.leak, wiring.groups,
            rule.data, rule.source, rule.batch, weights, lost, threads=self.threads,
        )  # fmt: skip
        time = float(self.rates.times(state.step, state.time, np.array([end]))[0])
        kept = ((end, time, self.observe(weights[:, 0])),) if end in self.marks else ()
        lost_at = np.where(lost, np.minimum(state.lost_at, time), np.inf)
        return _State(end, time, weights, lost_at, state.kept + kept)

    def _stretch(self, size: int) -> int:
        epoch = -(-len(self.rule.data) // self.rule.batch) if self.rule.source == SHUFFLED else 1
        return stretch_length(self.rates.steps, size * self.rule.batch, epoch)


def _swarm(run: _Run, state: _State, names: tuple[str, ...], seed: int, finished: bool) -> Swarm:
    kept = state.kept
    if not kept or kept[-1][0] != state.step:
        kept += ((state.step, state.time, run.observe(state.weights[:, 0])),)
    steps, times, rows = zip(*kept, strict=True)
    weights = state.weights if state.weights.shape[1] > 1 else state.weights[:, 0]
    later = np.append(times, np.inf)[np.searchsorted(times, state.lost_at)]  # a swarm knows recorded times only
    lost_at = np.where(state.lost_at > run.rates.origin, later, state.lost_at)
    return Swarm(names, np.array(times), np.array(rows), np.array(steps), weights, seed, lost_at, finished)
