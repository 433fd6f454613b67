"""Shift-invert Krylov: exp(t L) m0 to many digits for a generator that does not depend on time.

Bases are grown (basis.py) until the last vector changed nothing that matters and the residual is small, and the
residual is then measured with the generator itself.  One basis serves all times within a decade from its start, with
the shift s = 1/20 of their geometric mean, rounded so that few shifts, each with a factorisation, occur.  Where a basis
of the largest size does not reach so far, it is begun again from the last state, or from one on the way.
Source: van den Eshof & Hochbruck, SIAM J. Sci. Comput. 27, 1438 (2006).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.checks import number, whole
from fpsolve.errors import InvalidInput, NotConverged
from fpsolve.methods.basis import Basis
from fpsolve.methods.flow import Flow, Generators
from fpsolve.methods.march import THOUSANDTHS, Interrupted
from fpsolve.progress import Progress, reporting
from fpsolve.values.info import Info

__all__ = ["Krylov"]

Array = NDArray[np.float64]
FINEST, COARSEST = 1e-13, 1e-2
DECADE = 10.0 * (1.0 + 1e-9)
SHARE = 1.0 / 20.0  # of the time: the shift
FIRST, MOST_AT_ONCE = 8, 4  # vectors before an estimate
SHORTEST = 2.0**-14  # of the run: what a basis should reach at least
ROUNDING = 1e-14  # of the largest mass


@dataclass(frozen=True)
class Krylov:
    """To many digits, for generators that do not depend on time; mass is kept to rounding.

    tol: the error, summed over the cells and relative to the mass.  vectors: the most in one basis, each of the length
    of the state; 20 to 30 are usual.
    Where p is far below its peak it may be negative by the error: `info.floor` is that error relative to the largest
    mass, and where a mass does not exceed it ln p is masked (NaN).  `info.smallest` is the smallest p.
    Raises InvalidInput unless 1e-13 <= tol <= 1e-2 and vectors >= 10; `states` does for a generator in motion.

    >>> Krylov(tol=1e-12)
    Krylov(tol=1e-12, vectors=60)
    """

    tol: float = 1e-10
    vectors: int = 60

    def __post_init__(self) -> None:
        if not FINEST <= number("tol", self.tol) <= COARSEST:
            raise InvalidInput(f"tol is {self.tol}; a Krylov basis reaches errors from {FINEST:g} to {COARSEST:g}")
        whole("vectors", self.vectors, FIRST + 2)

    def states(
        self, generator: Generators, m0: Array, times: Array, *, start: float = 0.0, progress: Progress = None
    ) -> tuple[Array, Info]:
        """The masses at `times`, from m0 at `start`; see `fpsolve.methods.march.Method`.

        Raises InvalidInput for a generator in motion.
        """
        if callable(generator):
            raise InvalidInput(
                "Krylov needs a generator that does not depend on time, and this one does: use fp.TRBDF2(), or freeze "
                "the process at one time, process.at(t)"
            )
        run = _Run(self, Flow(generator), start, np.array(m0, dtype=float), np.asarray(times, dtype=float))
        try:
            with reporting(THOUSANDTHS, progress, "evolve") as tell:
                run.tell = tell
                run.follow()
                tell(THOUSANDTHS)
        except KeyboardInterrupt as stop:
            raise Interrupted.at(run.times, run.rows, run.now, run.info()) from stop
        return np.array(run.rows), run.info()


class _Run:
    """One run: `now` is (t, m) at the last state known; `base` the one that bases begin from."""

    def __init__(self, method: Krylov, flow: Flow, start: float, m0: Array, times: Array) -> None:
        self.method, self.flow, self.start, self.times = method, flow, start, times
        self.now = self.base = (start, m0)
        self.rows: list[Array] = []
        self.longest = math.inf  # what one basis reaches
        self.vectors = self.bases = 0
        self.error = self.base_error = np.zeros(2)  # summed over the mass, and largest over the peak
        self.told = 0
        self.tell: Callable[[int], object] = lambda done: None
        self.began = time.process_time()

    def follow(self) -> None:
        """Through all times."""
        length = float(self.times[-1]) - self.start
        while len(self.rows) < self.times.size:
            if self.times[len(self.rows)] == self.now[0]:
                self.rows.append(self.now[1])
                continue
            stops = self._stops()
            states = self._reached(stops - self.base[0])
            if states is None:
                self._turn_back(float(stops[-1]), length)
                continue
            for t, m in zip(stops, states, strict=True):
                self.now = (float(t), m)
                if t == self.times[len(self.rows)]:
                    self.rows.append(m)
            if len(self.rows) < self.times.size and self.times[len(self.rows)] - self.base[0] > self.longest:
                self._begin_again()

    def _stops(self) -> Array:
        """The next times that one basis reaches; or one on the way to the next."""
        ahead, begin = self.times[len(self.rows) :], self.base[0]
        first = float(ahead[0]) - begin
        if first > self.longest:
            return np.array([begin + first / math.ceil(first / self.longest)])
        return ahead[ahead - begin <= min(self.longest, DECADE * first)]

    def _reached(self, times: Array) -> Array | None:
        """The states at `times` from the base, or None where its largest basis is not enough."""
        tol, ends = self._allowed(float(times[-1])), times[[0, -1]] if times.size > 1 else times
        shift = 2.0 ** (round(math.log2(ends[0]) + math.log2(ends[-1]) + 2.0 * math.log2(SHARE)) / 2.0)
        basis = Basis(self.flow, self.base[1], shift, self.method.vectors)
        self.bases += 1
        count, before = FIRST, math.inf
        while True:
            size = basis.size
            basis.grow(count)
            self.vectors += basis.size - size
            error = np.array(basis.errors(ends))
            self._tell(float(times[-1]), math.log(max(float(error[0]), tol)) / math.log(tol))
            if error[0] <= tol or basis.exhausted:
                left = basis.residual(ends)
                error = np.full(2, left) if basis.exhausted else error  # nothing to come that could change it
                if left <= tol:
                    break
            if basis.size == size:
                return None
            count, before = _more(before, float(error[0]), tol, basis.size - size), float(error[0])
        if 2 * basis.size < self.method.vectors:
            self.longest *= 2.0
        self.error = np.maximum(self.error, self.base_error + error)
        return basis.states(times)

    def _tell(self, span: float, share: float) -> None:
        """Progress: `share` of the digits that a basis is to give over `span` from its base."""
        reached = self.base[0] + span - self.now[0]
        done = self.now[0] - self.start + max(0.0, min(share, 1.0)) * reached
        self.told = max(self.told, int(THOUSANDTHS * done / (float(self.times[-1]) - self.start)))
        self.tell(self.told)

    def _allowed(self, span: float) -> float:
        """The error that a basis may have: its share where errors of several add up."""
        share = 1.0 if self.longest == math.inf else span / (float(self.times[-1]) - self.start)
        return max(FINEST, self.method.tol * share)

    def _turn_back(self, stop: float, length: float) -> None:
        """Begin from the last state, or reach half as far."""
        if self.base[0] < self.now[0]:
            self._begin_again()
            return
        self.longest = 0.5 * (stop - self.base[0])
        if self.longest < SHORTEST * length:
            raise NotConverged(
                f"{self.method.vectors} vectors do not reach t={stop:.9g} from t={self.base[0]:.9g} with an error of "
                f"{self.method.tol:g}: allow more of them, a larger tol, or use fp.TRBDF2()",
                best=self.now[1],
            )

    def _begin_again(self) -> None:
        self.base, self.base_error = self.now, self.error

    def info(self) -> Info:
        """How it went."""
        counts = f"{self.vectors} vectors in {self.bases} bases, {self.flow.factored} factorisations"
        return Info(
            method=repr(self.method),
            seconds=time.process_time() - self.began,
            steps=self.vectors,
            time_error=float(self.error[0]),
            floor=max(float(self.error[1]), ROUNDING),
            notes=(counts,),
        )


def _more(before: float, error: float, tol: float, added: int) -> int:
    """How many vectors to add before looking again, if the error goes on falling as it did; rather too few."""
    if not 0.0 < error < before < math.inf:
        return 2
    rate = math.log(before / error) / added
    return max(1, min(MOST_AT_ONCE, int(math.log(error / tol) / rate))) if error > tol else 1
