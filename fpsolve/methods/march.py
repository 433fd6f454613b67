"""What one-step methods share: the loop over output times, the steps, the factorisations kept, interruptions.

A one-step method is a frozen dataclass with dt (None: adaptive), rtol and order, whose `states` calls `march`, and a
    step(flow, t, h, m, estimate) -> (the masses at t + h, their estimated local error, or None if not asked for)
that knows the generator only by its flow: `flow.apply(t, m)` is L(t) m, `flow.solve(t, z, b)` is (z - L(t))^-1 b.
The size of an error is the sum of its magnitudes over that of the masses.  exp(t L) of a Markov generator lengthens no
difference in this norm, so the estimates of all steps add up to a bound on the error in time.

    carry     (flow, t, h, e) -> what at most becomes of a difference e over a step: the error allowed is then 3 rtol at
              any time of the run, shared by all steps (budget.py); else rtol a step
    positive  a step that a Markov generator leaves with a mass below -1e-10 of the largest is taken again by shorter
              ones, and where 64 of equal steps are not short enough by backward Euler, positive for every step
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.methods.budget import Budget
from fpsolve.methods.flow import Flow, Generators
from fpsolve.methods.steps import Adaptive, Equal, Steps
from fpsolve.progress import Progress, reporting
from fpsolve.values.info import Info

__all__ = ["Interrupted", "Method", "OneStep", "march"]

Array = NDArray[np.float64]
Carry = Callable[[Flow, float, float, Array], Array]
MOST = 3.0  # of rtol: what a bound may reach so that the error itself, some of which cancels, is about rtol
UNDERSHOOT = 1e-10  # of the largest mass
DEEPEST = 6  # halvings of a step that leaves negative masses
THOUSANDTHS = 1000  # progress is told in parts of the run's time


@runtime_checkable
class Method(Protocol):
    """A time stepper."""

    def states(
        self, generator: Generators, m0: Array, times: Array, *, start: float = 0.0, progress: Progress = None
    ) -> tuple[Array, Info]:
        """The masses (len(times), cells) at rising times >= start, from m0 at `start`.

        generator: a Generator, or a function of t that returns one.
        Raises Interrupted, with what there is, on Ctrl-C.
        """


class OneStep(Protocol):
    """A method that knows how to take one step."""

    @property
    def dt(self) -> float | None:
        """The longest step, or None: steps from rtol."""

    @property
    def rtol(self) -> float:
        """The error allowed per step."""

    @property
    def order(self) -> int:
        """The local error goes like h^(order + 1)."""

    def step(self, flow: Flow, t: float, h: float, m: Array, estimate: bool) -> tuple[Array, Array | None]:
        """The masses at t + h, and an estimate of their local error where asked for."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a run.  times, masses (k, cells), info: what there is, the last state being where it stopped."""

    def __init__(self, times: Array, masses: Array, info: Info) -> None:
        super().__init__(f"interrupted at t={times[-1]:g}")
        self.times = times
        self.masses = masses
        self.info = info

    @classmethod
    def at(cls, times: Array, rows: list[Array], now: tuple[float, Array], info: Info) -> Interrupted:
        """With the rows recorded at the first of `times`, and the state `now` unless it is one of them."""
        t, m = now
        done = [float(x) for x in times[: len(rows)]]
        if not done or done[-1] < t:
            done, rows = [*done, t], [*rows, m]
        return cls(np.array(done), np.array(rows), info)


def march(
    method: OneStep,
    generator: Generators,
    m0: Array,
    times: Array,
    *,
    start: float = 0.0,
    progress: Progress = None,
    carry: Carry | None = None,
    positive: bool = False,
) -> tuple[Array, Info]:
    """Take steps of `method` from m0 at `start` through all `times`: `Method.states`, for one-step methods.

    carry, positive: as the head of this module says.

    Raises InvalidInput where dt is longer than the run; NotConverged where masses are not finite, or steps vanish.
    """
    flow = Flow(generator)
    positive = positive and flow.at(start).is_markov
    stops = np.asarray(times, dtype=float)
    run = _Run(method, flow, start, np.array(m0, dtype=float), stops, carry=carry, positive=positive)
    try:
        with reporting(THOUSANDTHS, progress, "evolve") as tell:
            run.follow(tell)
    except KeyboardInterrupt as stop:
        raise Interrupted.at(run.times, run.rows, run.now, run.info()) from stop
    return np.array(run.rows), run.info()


class _Run:
    """One run: `now` is (t, m) at the last step taken, one tuple, so that an interruption finds a whole state."""

    def __init__(
        self,
        method: OneStep,
        flow: Flow,
        start: float,
        m0: Array,
        times: Array,
        *,
        carry: Carry | None,
        positive: bool,
    ) -> None:
        self.method, self.flow, self.start, self.times, self.positive = method, flow, start, times, positive
        self.carry = carry
        self.now, self.errors = (start, m0), np.zeros_like(m0)
        self.rows: list[Array] = []
        self.again = self.by_euler = 0
        self.began = time.process_time()
        self.steps = self._steps(m0, float(times[-1]) - start)

    def _steps(self, m0: Array, length: float) -> Steps:
        method = self.method
        if method.dt is not None:
            if method.dt > length > 0:
                raise InvalidInput(f"dt is {method.dt:g} but the run lasts {length:g}; give a step no longer than that")
            return Equal(method.dt)
        rate, power = _ratio(_size(self.flow.apply(self.start, m0)), _size(m0)), method.order + 1
        shared = self.carry is not None and length > 0
        if not rate:
            first = np.inf
        elif shared:  # (rate h)^power = rtol h/length
            first = (method.rtol / (rate * length)) ** (1.0 / (power - 1)) / rate
        else:
            first = method.rtol ** (1.0 / power) / rate
        scale = 1.0 / rate if rate else length
        budget = Budget(MOST * method.rtol, self.start, length, scale) if shared else None
        return Adaptive(method.rtol, method.order, first, budget)

    def follow(self, tell: Callable[[int], object]) -> None:
        """Through all times."""
        length = float(self.times[-1]) - self.start
        for end in self.times:
            if end > self.now[0]:
                self.steps.enter(self.now[0], float(end))
                while self.steps.left:
                    self._try()
                    tell(int(THOUSANDTHS * (self.now[0] - self.start) / length))
            self.rows.append(self.now[1])

    def _try(self) -> None:
        """One step, taken or refused."""
        steps, m, adaptive = self.steps, self.now[1], self.method.dt is None
        t, h = steps.t, steps.h
        new, error = self.method.step(self.flow, t, h, m, adaptive)
        sound = self._sound(m, new)
        if not (sound or adaptive):
            new = self._halves(t, h, m, 1)
        size = _size(new)
        if not np.isfinite(size):
            raise NotConverged(
                f"the masses are no longer finite at t={t + h:g}; a coefficient is out of bounds", best=m
            )
        carried, kept = self._carried(t, h, _ratio(_size(m), size))
        if steps.judge(None if error is None else _ratio(_size(error), size), sound, kept):
            self.now = (steps.t if steps.left else steps.end, new)
            self.errors = carried if error is None else carried + error

    def _carried(self, t: float, h: float, shrunk: float) -> tuple[Array, float]:
        """What becomes of the errors so far over a step, and how much of their size relative to the masses' it keeps.

        shrunk: the masses before the step over those after it.
        """
        before = _size(self.errors)
        if self.carry is None or self.method.dt is not None or not before:
            return self.errors, 1.0
        carried = self.carry(self.flow, t, h, self.errors)
        return carried, min(1.0, shrunk * _size(carried) / before)

    def _sound(self, m: Array, new: Array) -> bool:
        """Whether no mass is more negative than before or rounding; else it is counted."""
        sound = not self.positive or float(new.min()) >= min(-UNDERSHOOT * float(new.max()), float(m.min()))
        self.again += not sound
        return sound

    def _halves(self, t: float, h: float, m: Array, depth: int) -> Array:
        """A step in two halves, each again in two where that is needed."""
        h *= 0.5
        for _ in range(2):
            new, _ = self.method.step(self.flow, t, h, m, False)
            if not self._sound(m, new):
                shortest = depth == DEEPEST
                new = self.flow.solve(t + h, 1.0 / h, m) / h if shortest else self._halves(t, h, m, depth + 1)
                self.by_euler += shortest
            t, m = t + h, new
        return m

    def info(self) -> Info:
        """How it went."""
        steps = self.steps
        adaptive = isinstance(steps, Adaptive)
        notes = [f"{steps.taken} steps, {steps.refused} refused, {self.flow.factored} factorisations"]
        error = None
        if isinstance(steps, Adaptive) and steps.budget is not None:
            error = steps.budget.worst
            notes.append(f"what is left of the estimated errors of all steps never exceeds {error:.2g} of the mass")
        elif adaptive:
            error = steps.total
            notes.append(f"the estimated errors of all steps add up to {error:.2g} of the mass")
        if self.again:
            euler = f", {self.by_euler} of these by backward Euler" if self.by_euler else ""
            notes.append(f"{self.again} steps that left a negative density were taken again by shorter ones{euler}")
        return Info(
            method=repr(self.method),
            seconds=time.process_time() - self.began,
            steps=steps.taken,
            time_error=error,
            notes=tuple(notes),
        )


def _size(m: Array) -> float:
    return float(np.abs(m).sum())


def _ratio(part: float, whole: float) -> float:
    """part/whole, 0 where ends have absorbed everything."""
    return part / whole if whole > 0.0 else 0.0
