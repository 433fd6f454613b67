"""The course of a training run, whatever is trained: its arguments, and its stretches from look to look.

A run hands its state from stretch to stretch; a state is one value, so that an interruption finds either the old or
the new one.  Bits do not depend on how a run is cut: random numbers are known by the step's number alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import number, whole
from fpsolve.errors import FpsolveWarning, InvalidInput, NotConverged, warn
from fpsolve.particles.rates import Rates
from fpsolve.progress import Progress, reporting
from fpsolve.values.swarm import Swarm

__all__ = [
    "batch_size",
    "check_diverged",
    "decay_rate",
    "first_step",
    "followed",
    "lost_share",
    "recorded_steps",
    "stretch_length",
]

STRETCHES = (10, 40)  # how often a short and a long run return to Python: so often the progress bar moves
STRETCH_WORK = (1_000_000, 400_000_000)  # weights moved in one: milliseconds at least, seconds at most


class State(Protocol):
    """Where a run stands: the steps made, and which replicas have diverged."""

    @property
    def step(self) -> int: ...

    @property
    def lost(self) -> NDArray[np.bool_]: ...


S = TypeVar("S", bound=State)


class Run(Protocol[S]):
    """What does not change from step to step."""

    @property
    def rates(self) -> Rates: ...

    def advance(self, state: S) -> S:
        """The state a stretch later."""
        ...


def followed(run: Run[S], state: S, max_diverged: float, progress: Progress) -> tuple[S, bool]:
    """The last state, and whether that is the end: not so after Ctrl-C, or where too many replicas have diverged."""
    first, steps = run.rates.first, run.rates.steps
    try:
        with reporting(steps, progress, "SGD steps") as tell:
            while state.step < first + steps and state.lost.mean() <= max_diverged:
                state = run.advance(state)
                tell(state.step - first)
    except KeyboardInterrupt:
        warn(f"interrupted after step {state.step} of {first + steps}: a partial swarm", FpsolveWarning)
    return state, state.step == first + steps


def check_diverged(swarm: Swarm, allowed: float, rate: float, sign: str) -> None:
    """Raise NotConverged, whose `best` is the swarm, where a larger share than `allowed` has diverged; sign: how."""
    lost = int(swarm.diverged.sum())
    if lost > allowed * len(swarm):
        assert swarm.steps is not None
        raise NotConverged(
            f"{lost} of {len(swarm)} replicas diverged ({sign}) by step {swarm.steps[-1]}, more than "
            f"max_diverged={allowed:g} allows: the learning rate ({rate:g} at first) is too large for these data; "
            "lower it, enlarge the batch, or raise max_diverged to get the swarm with them marked as diverged",
            best=swarm,
        )


def stretch_length(steps: int, work: int, epoch: int) -> int:
    """How many of `steps` steps, each moving `work` weights, to make in one stretch.

    epoch: the steps of one, where data are shuffled (else 1): a stretch shuffles its first epoch again, so let it be
    at least one epoch long.
    """
    count = min(max(steps * work // STRETCH_WORK[0], STRETCHES[0]), STRETCHES[1])
    return max(min(-(-steps // count), max(1, STRETCH_WORK[1] // work)), epoch)


def batch_size(batch: int, samples: int) -> int:
    """A batch that the data allow."""
    if whole("batch", batch, 1) > samples:
        raise InvalidInput(f"batch is {batch} but the data have {samples} samples; give a batch of at most that")
    return int(batch)


def decay_rate(weight_decay: float) -> float:
    """A weight decay that shrinks."""
    if not number("weight_decay", weight_decay) >= 0:
        raise InvalidInput(f"weight_decay is {weight_decay}; give a finite number >= 0")
    return float(weight_decay)


def lost_share(max_diverged: float) -> float:
    """A share of the replicas."""
    if not 0 <= number("max_diverged", max_diverged) <= 1:
        raise InvalidInput(f"max_diverged is {max_diverged}; it is a share of the replicas: give one in [0, 1]")
    return float(max_diverged)


def first_step(start: object) -> int:
    """The step number at which a run begins: 0, or a swarm's last."""
    if not isinstance(start, Swarm):
        return 0
    if start.steps is None:
        raise InvalidInput("start is a swarm without step numbers; only a swarm that SGD returned can be continued")
    return int(start.steps[-1])


def recorded_steps(record: Sequence[int] | NDArray[np.int64] | None, first: int, steps: int) -> NDArray[np.int64]:
    """The step numbers to record, rising; the last is always among them."""
    marks = np.unique(np.asarray([] if record is None else record))
    if marks.size and marks.dtype.kind not in "iu":
        raise InvalidInput(f"record has dtype {marks.dtype}; give whole step numbers")
    wrong = marks[(marks < first) | (marks > first + steps)]
    if wrong.size:
        raise InvalidInput(f"record has step {wrong[0]}; this run goes from step {first} to {first + steps}")
    return np.union1d(marks.astype(np.int64), first + steps)
