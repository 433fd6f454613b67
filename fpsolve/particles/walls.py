"""What happens to a particle at the ends of an axis, after each Euler step.

Reflecting: the step is folded back (Bossy, Gobet & Talay 2004: first order).  Periodic: wrapped.  Absorbing: the
particle stops where it crosses, or with the probability exp(-u v/(D dt)) that a Brownian bridge between two places
at distances u and v from the end has touched it (Gobet 2000: first order; without it half an order).  On log axes all
this happens in ln|x|.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.kernels.random import BRIDGES, fill_normals

__all__ = ["Walls"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
CERTAIN = 37.0  # no exponential variate from 53 bits is larger


@dataclass(frozen=True, eq=False)
class Walls:
    """The ends of `axis`; `key` and `n` are those of the run's random numbers."""

    axis: Axis
    key: np.uint64
    n: int

    def confined(self, x: Array, *, folding: tuple[str, ...] = ("reflecting",)) -> Array:
        """Positions folded back at the ends named in `folding`, and wrapped on a ring."""
        axis = self.axis
        below, above = axis.ends[0] in folding, axis.ends[1] in folding
        if not (axis.periodic or below or above):
            return x
        outside = (x < axis.lo) & (below or axis.periodic) | (x > axis.hi) & (above or axis.periodic)
        if not np.any(outside):
            return x
        low, high = self._ends()
        q = self._measure(x[outside])
        with np.errstate(invalid="ignore"):  # what is not finite is counted as diverged
            if axis.periodic:
                q = low + np.mod(q - low, high - low)
            elif below and above:
                lap = np.mod(q - low, 2.0 * (high - low))
                q = low + np.minimum(lap, 2.0 * (high - low) - lap)
            else:
                q = 2.0 * (low if below else high) - q
        result = x.copy()
        result[outside] = self.axis.x(q) if self._logarithmic else q
        return result

    def absorb(self, before: Array, after: Array, spread: Array, step: int, ids: NDArray[np.int64]) -> Flags:
        """Which particles an absorbing end has taken in this step; `after` is set to that end for them.

        before, after: their positions; spread: D dt in the units of the step; ids: their numbers.
        """
        taken = np.zeros(after.size, dtype=bool)
        for upper, (face, end) in enumerate(zip((self.axis.lo, self.axis.hi), self._ends(), strict=True)):
            if self.axis.ends[upper] != "absorbing":
                continue
            sign = -1.0 if upper else 1.0
            u, v = sign * (self._measure(before) - end), sign * (self._measure(after) - end)
            hit = v <= 0.0
            near = ~hit & (u * v < CERTAIN * spread)
            if np.any(near):
                hit[near] |= (self._exponentials(step, bool(upper))[ids] * spread > u * v)[near]
            hit &= ~taken
            after[hit] = face
            taken |= hit
        return taken

    def _exponentials(self, step: int, upper: bool) -> Array:
        normals = np.empty((self.n, 2))
        fill_normals(self.key, np.uint64(step), BRIDGES[upper], np.uint64(0), normals)
        return 0.5 * (normals[:, 0] ** 2 + normals[:, 1] ** 2)

    @property
    def _logarithmic(self) -> bool:
        return self.axis.kind == "log"

    def _measure(self, x: Array) -> Array:
        return self.axis.s(x) if self._logarithmic else x

    def _ends(self) -> tuple[float, float]:
        return (self.axis.start, self.axis.stop) if self._logarithmic else (self.axis.lo, self.axis.hi)
