"""Learning rates: one number, one per step, or a function of the step number.  Time is their sum."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.asking import ask, reals
from fpsolve.axis import read_only
from fpsolve.errors import InvalidInput

__all__ = ["Rate", "Rates"]

Array = NDArray[np.float64]
Rate = ArrayLike | Callable[[int], float]


@dataclass(frozen=True, eq=False)
class Rates:
    """The learning rates of steps first .. first + steps - 1, and the time, `origin` at step `first`.

    Raises InvalidInput for an array of another length than `steps`, and for any rate that is not finite and > 0: those
    of an array, and the first and last of a function, before the run; the others when their turn comes.

    >>> Rates(lambda step: 1 / (1 + step), first=0, steps=10).of(2, 4)
    array([0.33333333, 0.25      ])
    """

    rate: Rate
    first: int
    steps: int
    origin: float = 0.0

    def __post_init__(self) -> None:
        if not callable(self.rate):
            rates = np.array(reals("learning_rate", self.rate))
            if rates.ndim > 1 or (rates.ndim == 1 and rates.size != self.steps):
                raise InvalidInput(
                    f"learning_rate has shape {rates.shape}; give a number, one for each of {self.steps} steps, or a "
                    "function of the step number"
                )
            object.__setattr__(self, "rate", read_only(rates))
            _check(np.atleast_1d(rates), self.first)
        last = self.first + self.steps
        self.of(self.first, self.first + 1)
        self.of(last - 1, last)

    def of(self, begin: int, end: int) -> Array:
        """The rates of steps begin .. end - 1."""
        if callable(self.rate):
            rates = reals("learning_rate", [ask(self.rate, "learning_rate", step) for step in range(begin, end)])
            _check(rates, begin)
            return rates
        given = cast(Array, self.rate)
        return np.full(end - begin, given) if given.ndim == 0 else given[begin - self.first : end - self.first].copy()

    def times(self, begin: int, time: float, stops: NDArray[np.int64]) -> Array:
        """The time at each of the step numbers `stops`, rising, after `begin`, when it is `time`."""
        if not callable(self.rate) and np.ndim(self.rate) == 0:
            later: Array = (stops - self.first).astype(np.float64)
            return self.origin + float(cast(Array, self.rate)) * later  # without the rounding of the sum
        sums: Array = np.cumsum(self.of(begin, int(stops[-1])), dtype=np.float64)
        return time + sums[stops - begin - 1]


def _check(rates: Array, begin: int) -> None:
    wrong = np.flatnonzero(~(np.isfinite(rates) & (rates > 0)))
    if wrong.size:
        raise InvalidInput(
            f"learning_rate is {rates[wrong[0]]} at step {begin + wrong[0]}; a step of SGD needs a finite number > 0"
        )
