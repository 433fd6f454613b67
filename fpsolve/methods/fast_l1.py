"""L1 with a short memory, for generators with memory that depend on time: positive, and the mass is kept.

    dm/dt = L(t) D_t^(1-beta) m     (Riemann-Liouville)
Coefficients are those of the time t, and act while the clock of the process runs.
With g = I^beta m, the time that clocks have run times what moved, it is dm = L(t) dg and m = D_t^beta g (Caputo), so
    m_k = m_{k-1} + L(t*) (g_k - g_{k-1}),   m_k = z (g_k - g_{k-1}) + history,   z = step^-beta/Gamma(2-beta),
    (z - L(t*)) (g_k - g_{k-1}) = m_{k-1} - history,
t* the mean time of t^(beta-1) over the step.  For a constant L this is L1 for D_t^beta m = L m.  L1 gives what is
longer past less weight, so the right-hand side is >= 0, and with it m, for every step.
On steps graded like k^r the error at worst goes like steps^-min(r beta, 2 - beta); r = (2 - beta)/beta by default.
Sources: Stynes, O'Riordan & Gracia, SIAM J. Numer. Anal. 55, 1057 (2017); Magdziarz, Weron & Klafter, Phys. Rev. Lett.
101, 210601 (2008), for the equation.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.methods.flow import Flow, Generators
from fpsolve.methods.history import History, graded, mean_time
from fpsolve.methods.march import Interrupted
from fpsolve.progress import Progress, reporting
from fpsolve.values.info import Info

__all__ = ["FastL1"]

Array = NDArray[np.float64]
FEWEST, MOST = 64, 2**16  # steps that are tried
STEEPEST = 30.0  # grading
EPS = 1e-12  # of a history


@dataclass(frozen=True)
class FastL1:
    """The default with memory where coefficients depend on time: positive for every step.

    steps: how many; None: twice as many until the answer changes by less than rtol, summed over the cells and relative
    to the mass.
    grading: r, of the times (k/steps)^r of the last; None: (2 - memory)/memory.

    The past is held in a few dozen vectors, their number growing like ln(steps).
    Raises InvalidInput unless steps >= 1, 0 < rtol < 1 and grading >= 1; `states` does without memory; NotConverged
    where 2^16 steps are not enough.

    >>> FastL1(steps=512)
    FastL1(steps=512, rtol=0.001, grading=None)
    """

    steps: int | None = None
    rtol: float = 1e-3
    grading: float | None = None
    remembers: ClassVar[bool] = True
    vectors: ClassVar[int] = 200  # of the length of the state: a history, and one more while it moves on

    def __post_init__(self) -> None:
        if self.steps is not None:
            whole("steps", self.steps, 1)
        if not 0.0 < number("rtol", self.rtol) < 1.0:
            raise InvalidInput(f"rtol is {self.rtol}; a relative tolerance lies between 0 and 1")
        if self.grading is not None and not 1.0 <= number("grading", self.grading) <= STEEPEST:
            raise InvalidInput(f"grading is {self.grading}; steps are graded by a power from 1 to {STEEPEST:g}")

    def states(
        self, generator: Generators, m0: Array, times: Array, *, start: float = 0.0, progress: Progress = None
    ) -> tuple[Array, Info]:
        """The masses at `times`, from m0 at `start`; see `fpsolve.methods.march.Method`."""
        run, info = self._solved(generator, m0, times, start, progress)
        return np.array(run.rows), info

    def moving(
        self, generator: Generators, m0: Array, times: Array, *, progress: Progress = None
    ) -> tuple[Array, Info]:
        """D_t^(1-beta) m at `times` > 0, from m0 at 0: the masses whose clocks run, by the time that these show."""
        run, info = self._solved(generator, m0, times, 0.0, progress)
        return np.array(run.speeds), info

    def _solved(
        self, generator: Generators, m0: Array, times: Array, start: float, progress: Progress
    ) -> tuple[_Run, Info]:
        began = time.process_time()
        past = Past(Flow(generator), np.array(m0, dtype=float), np.asarray(times, dtype=float), start)
        if past.beta == 1.0:
            raise InvalidInput("memory is 1: FastL1 is for memory < 1; use fp.Krylov(), or fp.TRBDF2() in motion")
        grading = min((2.0 - past.beta) / past.beta, STEEPEST) if self.grading is None else self.grading
        known: _Run | None = None
        error: float | None = None
        steps = self.steps or FEWEST
        run = _Run(past, steps, grading)
        try:
            run.follow(progress)
            while self.steps is None and past.times[-1] > start and not (error is not None and error <= self.rtol):
                if steps == MOST:
                    raise NotConverged(
                        f"{steps} steps err by about {error:.2g} of the mass, and rtol is {self.rtol:g}: allow more, "
                        "or record times that do not begin so early",
                        best=np.array(run.rows),
                    )
                known, steps = run, 2 * steps
                run = _Run(past, steps, grading)
                run.follow(progress)
                error = _change(run, known) / (2.0 ** (2.0 - past.beta) - 1.0)
        except KeyboardInterrupt as stop:
            if known is not None:  # all times, with half the steps
                raise Interrupted(past.times, np.array(known.rows), self._info(known, error, began)) from stop
            raise Interrupted.at(past.times, run.rows, run.now, self._info(run, error, began)) from stop
        return run, self._info(run, error, began)

    def _info(self, run: _Run, error: float | None, began: float) -> Info:
        """How it went."""
        return Info(
            method=repr(self),
            seconds=time.process_time() - began,
            steps=run.taken,
            time_error=error,
            notes=(f"{run.taken} steps, their past in {run.terms} vectors",),
        )


@dataclass(frozen=True, eq=False)
class Past:
    """What every run begins with."""

    flow: Flow
    m0: Array
    times: Array
    start: float

    @property
    def beta(self) -> float:
        """The Caputo order."""
        return float(self.flow.at(self.start).memory)


class _Run:
    """One run with so many steps: `rows` are the masses at the first times, `speeds` their D_t^(1-beta)."""

    def __init__(self, past: Past, steps: int, grading: float) -> None:
        self.past = past
        self.rows: list[Array] = []
        self.speeds: list[Array] = []
        self.now = (past.start, past.m0)
        self.taken = self.terms = 0
        elapsed = past.times - past.start
        if elapsed[-1] > 0.0:
            self.nodes, places = graded(elapsed, steps, grading)
        else:
            self.nodes, places = np.zeros(1), np.zeros(1, dtype=np.int64)
        self.recorded = set(places.tolist())

    def follow(self, progress: Progress) -> None:
        """Through all steps."""
        past, nodes = self.past, self.nodes
        if 0 in self.recorded:
            self._record(past.m0, np.full(past.m0.size, np.inf))
        if nodes.size == 1:
            return
        lengths, beta = np.diff(nodes), past.beta
        history = History(beta, float(lengths[1:].min(initial=nodes[-1])), float(nodes[-1]), past.m0.size, EPS)
        self.terms = history.rates.size
        m, earlier = past.m0, None
        with reporting(lengths.size, progress, f"evolve, {lengths.size} steps") as tell:
            for k, h in enumerate(lengths):
                h = float(h)
                t = mean_time(float(nodes[k]), float(nodes[k + 1]), beta)
                z = h**-beta / math.gamma(2.0 - beta)
                kept = history.after(h)
                change = past.flow.solve(past.start + t, z, m - kept)
                history.add(change, h)
                m = z * change + kept
                self.now, self.taken = (past.start + float(nodes[k + 1]), m), k + 1
                speed = (t, change / h)
                if k + 1 in self.recorded:
                    self._record(m, _at(float(nodes[k + 1]), speed, earlier, beta))
                earlier = speed
                tell(k + 1)

    def _record(self, m: Array, speed: Array) -> None:
        if not np.all(np.isfinite(m)):
            raise NotConverged(f"the masses are no longer finite at t={self.now[0]:g}; a coefficient is out of bounds")
        self.rows.append(m)
        self.speeds.append(speed)


def _at(t: float, last: tuple[float, Array], earlier: tuple[float, Array] | None, beta: float) -> Array:
    """The speed at the end of a step from its means over two: linear beside t^(beta-1)."""
    here = last[1] * (t / last[0]) ** (beta - 1.0)
    if earlier is None:
        return here
    before = earlier[1] * (t / earlier[0]) ** (beta - 1.0)
    return np.asarray(here + (here - before) * (t - last[0]) / (last[0] - earlier[0]))


def _change(run: _Run, other: _Run) -> float:
    """The largest difference of two runs at one time, summed over the cells, of the mass at the start."""
    off = max(float(np.abs(a - b).sum()) for a, b in zip(run.rows, other.rows, strict=True))
    return off / max(float(np.abs(run.past.m0).sum()), 1e-300)
