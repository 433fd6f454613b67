"""How long steps are: equal ones of at most dt, or as long as the estimated local error allows.

Every interval between output times is cut into a whole number of equal steps; adaptive steps are halves of halves of
it or thirds of those, and change from one division to another where both are cut.  So output times are met without a
remainder, and few step sizes occur, each with a factorisation that serves for many steps.
Source: Hairer & Wanner, Solving Ordinary Differential Equations II (1996), ch. IV.8, for the choice from the error.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

from fpsolve.checks import number
from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.methods.budget import Budget

__all__ = ["Adaptive", "Equal", "Steps", "check_steps"]

SAFETY = 0.9
MOST_GROWTH, MOST_SHRINKING = 8.0, 1.0 / 64.0
MOST_STEPS = 2**128  # in one interval: far below any step that rates in double precision ask for
ALIKE = 1e-12  # relative difference of step sizes that share a factorisation
REMEMBERED = 32  # step sizes
EPSILON = 2.0**-52


def check_steps(dt: float | None, rtol: float) -> None:
    """Raises InvalidInput unless dt is None or positive and finite, and rtol lies between 0 and 1."""
    if dt is not None and not number("dt", dt) > 0:
        raise InvalidInput(f"dt is {dt}; a step must be positive and finite (None: steps from rtol)")
    if not 0 < number("rtol", rtol) < 1:
        raise InvalidInput(f"rtol is {rtol}; the error of a step relative to the mass must lie between 0 and 1")


class Steps(ABC):
    """Steps through one interval after another: `enter` it; while `left`, try the step (t, h) and `judge` its error.

    taken, refused: how many.  total: the sum of the estimated errors of those taken.
    """

    def __init__(self) -> None:
        self.taken = self.refused = 0
        self.total = 0.0
        self.begin = self.end = 0.0
        self.place, self.count = 0, 1
        self._sizes: list[float] = []

    def enter(self, begin: float, end: float) -> None:
        """Go on with the interval from `begin` to `end`."""
        self.begin, self.end, self.place = begin, end, 0
        self.count = self._parts(end - begin)

    @property
    def left(self) -> bool:
        """Whether steps are left in the interval."""
        return self.place < self.count

    @property
    def t(self) -> float:
        """Where the next step begins."""
        return self.begin + (self.end - self.begin) * (self.place / self.count)

    @property
    def h(self) -> float:
        """The length of the next step; one that differs from an earlier one by the rounding of times is that one."""
        length = self.end - self.begin
        h = length / self.count
        alike = ALIKE + 2.0 * EPSILON * abs(self.end) / length
        for known in self._sizes:
            if abs(known - h) <= alike * h:
                return known
        self._sizes = [h, *self._sizes[: REMEMBERED - 1]]
        return h

    @abstractmethod
    def judge(self, error: float | None, sound: bool = True, kept: float = 1.0) -> bool:
        """Whether the step that was tried is taken, given its estimated error relative to the mass.

        sound: False where it must not be, whatever its error, if a shorter one can take its place.
        kept: what remains of earlier errors after it.
        """

    @abstractmethod
    def _parts(self, length: float) -> int:
        """How many steps to cut an interval into."""


class Equal(Steps):
    """The fewest equal steps of at most dt in every interval."""

    def __init__(self, dt: float) -> None:
        super().__init__()
        self.dt = dt

    def judge(self, error: float | None, sound: bool = True, kept: float = 1.0) -> bool:
        """Every step is taken."""
        self.taken += 1
        self.place += 1
        return True

    def _parts(self, length: float) -> int:
        return max(1, math.ceil(length / self.dt * (1.0 - ALIKE)))


class Adaptive(Steps):
    """Steps whose estimated error is small enough, each an interval over 2^a or 3 2^a.

    rtol: what a step may err by; with a `budget` that decides, by the errors of all steps.
    order: of the method, whose local error goes like h^(order + 1).  first: the step to begin with, inf if unknown.
    """

    def __init__(self, rtol: float, order: int, first: float, budget: Budget | None = None) -> None:
        super().__init__()
        self.rtol, self.order, self.wanted, self.budget = rtol, order, first, budget

    def judge(self, error: float | None, sound: bool = True, kept: float = 1.0) -> bool:
        """Take the step if its error is allowed; the next is the longest that should be, cut where this one ends."""
        assert error is not None
        h, budget = self.h, self.budget
        allowed = self.rtol if budget is None else budget.allowed(self.t, h, kept)
        ratio = allowed / error if error > 0 else math.inf
        power = 1.0 / (self.order + (budget is None))  # a share is about proportional to h
        factor = min(MOST_GROWTH if sound else 0.5, max(MOST_SHRINKING, SAFETY * ratio**power))
        self.wanted = factor * h
        taken = sound and error <= allowed
        if taken:
            self.taken += 1
            self.total += error
            self.place += 1
            if budget is not None:
                budget.take(error, kept)
        else:
            self.refused += 1
        if self.left:
            self._cut()
        return taken

    def _cut(self) -> None:
        """The fewest parts that are no longer than wanted and are cut where the last step ended."""
        count = self._parts(self.end - self.begin)
        while self.place * count % self.count:
            count = _next_part(count)
        self.place, self.count = self.place * count // self.count, count
        if count > MOST_STEPS:
            raise NotConverged(
                f"the step fell to {self.h:.3g} at t={self.t:.9g} and its error still exceeds rtol={self.rtol:g}: a "
                "coefficient jumps in time there (record that time, so that a step ends on it), or is not finite"
            )

    def _parts(self, length: float) -> int:
        if self.wanted >= length:
            return 1
        least = min(length / self.wanted, float(4 * MOST_STEPS)) * (1.0 - ALIKE)
        whole = 2 ** math.ceil(math.log2(least))
        return 3 * whole // 4 if whole >= 4 and 3 * whole // 4 >= least else whole


def _next_part(count: int) -> int:
    """1, 2, 3, 4, 6, 8, 12, ...: the next one."""
    return count // 3 * 4 if count % 3 == 0 else max(2, count + count // 2)
