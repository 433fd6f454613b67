"""What happens to a particle at the ends of the axes, after each Euler step.

Reflecting: the step is folded back (Bossy, Gobet & Talay 2004: first order), along D e_k where the noise of the axis is
correlated with that of others: a push straight back would drive a current along the wall.  Periodic: wrapped.
Absorbing: the particle stops where it crosses, or with the probability exp(-u v/(D dt)) that a Brownian bridge between
two places at distances u and v from the end has touched it (Gobet 2000: first order; without it half an order).  On log
axes all this happens in ln|x|.
Jumps do not touch what lies between: one that would end beyond a reflecting end does not happen, beyond an absorbing
one it is the last, and on a ring it is wrapped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.grid import Grid
from fpsolve.particles.increments import exponentials

__all__ = ["Slant", "Walls"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
# (axis, particles, places on its wall or None where the step began) -> D_jk/D_kk, shape (d, particles)
Slant = Callable[[int, NDArray[np.int64], Array | None], Array]
CERTAIN = 37.0  # no exponential variate from 53 bits is larger
CORNERS = 20  # pushes from wall to wall in a corner; correlated noise returns in fewer, unless of rank one


class Walls:
    """The ends of the axes of `grid`; `key` and `n` are those of the run's random numbers."""

    def __init__(self, grid: Grid, key: np.uint64, n: int) -> None:
        self.walls = tuple(_Wall(axis) for axis in grid.axes)
        self.key, self.n = key, n

    def confined(self, x: Array, slant: Slant | None = None, *, folding: tuple[str, ...] = ("reflecting",)) -> Array:
        """Places (d, n) folded back at the ends named in `folding`, and wrapped on rings.

        slant: the directions of the pushes; None where every wall pushes straight back.
        """
        for _ in range(CORNERS if slant else 1):
            before = x
            for k, wall in enumerate(self.walls):
                index = np.flatnonzero(wall.outside(x[k], folding))
                if index.size:
                    x = x.copy()
                    x[:, index] = self._pushed(x[:, index], k, index, None if wall.axis.periodic else slant, folding)
            if x is before:
                return x
        return x if slant is None else self.confined(x, folding=folding)

    def absorb(self, before: Array, after: Array, spread: Array, step: int, ids: NDArray[np.int64]) -> Flags:
        """Which particles an absorbing end has taken in this step; `after` is set to that end for them.

        before, after: their places (d, n); spread: D_kk dt in the units of the step; ids: their numbers.
        """
        taken = np.zeros(after.shape[1], dtype=bool)
        for k, wall in enumerate(self.walls):
            hit = np.zeros_like(taken)
            for upper in (False, True):
                if wall.axis.ends[upper] == "absorbing":
                    draw = partial(self._exponentials, step, upper, k, ids)
                    hit |= wall.taken(before[k], after[k], spread[k], upper, hit, draw)
            taken |= hit
        return taken

    def landed(
        self, before: Array, leap: Array | float, *, stopping: tuple[str, ...] = ("reflecting",)
    ) -> tuple[Array, Flags]:
        """Places (d, n) after jumps, and which of them an absorbing end has taken, at whose face they are.

        stopping: the ends beyond which a jump does not happen.
        """
        with np.errstate(over="ignore"):
            after, stopped = before + leap, np.zeros(before.shape[1], dtype=bool)
        for k, wall in enumerate(self.walls):
            if not wall.axis.periodic:
                stopped |= wall.outside(after[k], stopping)
        after, taken = np.where(stopped, before, after) if stopped.any() else after, np.zeros_like(stopped)
        for k, wall in enumerate(self.walls):
            if not wall.axis.periodic and "absorbing" not in wall.axis.ends:
                continue
            beyond = wall.outside(after[k], ("absorbing",))
            if wall.axis.periodic:
                after[k] = np.where(beyond, wall.folded(after[k], ()), after[k])
            elif "absorbing" not in stopping:
                after[k] = np.where(beyond, wall.nearest_face(after[k]), after[k])
                taken |= beyond
        return after, taken

    def _exponentials(self, step: int, upper: bool, k: int, ids: NDArray[np.int64]) -> Array:
        return exponentials(self.key, self.n, step, upper, k)[ids]

    def _pushed(
        self, x: Array, k: int, index: NDArray[np.int64], slant: Slant | None, folding: tuple[str, ...]
    ) -> Array:
        """Particles beyond an end of axis k, pushed back or round."""
        wall = self.walls[k]
        q = wall.measure(x[k])
        target = wall.folded(q, folding)
        if slant is None:
            return np.concatenate([x[:k], wall.place(target)[None], x[k + 1 :]])
        ratio = slant(k, index, None)
        touched = self._shifted(x, k, wall.nearest(q), q, ratio)
        there = slant(k, index, touched)
        return self._shifted(x, k, target, q, np.where(np.isfinite(there), there, ratio))

    def _shifted(self, x: Array, k: int, target: Array, q: Array, ratio: Array) -> Array:
        """q_k set to the target, the others moved by `ratio` of that."""
        result = np.empty_like(x)
        for j, wall in enumerate(self.walls):
            result[j] = wall.place(target if j == k else wall.measure(x[j]) + ratio[j] * (target - q))
        return result


@dataclass(frozen=True, eq=False)
class _Wall:
    """The two ends of one axis."""

    axis: Axis

    def outside(self, x: Array, folding: tuple[str, ...]) -> Flags:
        """Which places are to be folded or wrapped."""
        axis = self.axis
        below, above = (axis.periodic or end in folding for end in axis.ends)
        if not (below or above):
            return np.zeros(x.size, dtype=bool)
        return (x < axis.lo) & below | (x > axis.hi) & above

    def folded(self, q: Array, folding: tuple[str, ...]) -> Array:
        """Where q, beyond an end, is folded or wrapped to."""
        low, high = self._ends
        below, above = (end in folding for end in self.axis.ends)
        with np.errstate(invalid="ignore"):  # what is not finite is counted as diverged
            if self.axis.periodic:
                return low + np.mod(q - low, high - low)
            if below and above:
                lap = np.mod(q - low, 2.0 * (high - low))
                return low + np.minimum(lap, 2.0 * (high - low) - lap)
        return 2.0 * (low if below else high) - q

    def nearest(self, q: Array) -> Array:
        """The end beyond which q lies."""
        return np.clip(q, *self._ends)

    def nearest_face(self, x: Array) -> Array:
        """As `nearest`, in x."""
        return np.clip(x, self.axis.lo, self.axis.hi)

    def taken(
        self, before: Array, after: Array, spread: Array, upper: bool, already: Flags, draw: Callable[[], Array]
    ) -> Flags:
        """Which of those that are not already taken one absorbing end takes; `after` is set to it for them."""
        face, end, sign = (self.axis.lo, self.axis.hi)[upper], self._ends[upper], -1.0 if upper else 1.0
        u, v = sign * (self.measure(before) - end), sign * (self.measure(after) - end)
        hit = v <= 0.0
        near = ~hit & (u * v < CERTAIN * spread)
        if np.any(near):
            hit[near] |= (draw() * spread > u * v)[near]
        hit &= ~already
        after[hit] = face
        return hit

    def measure(self, x: Array) -> Array:
        """ln|x|, upwards, on a log axis; else x."""
        return self.axis.s(x) if self._logarithmic else x

    def place(self, q: Array) -> Array:
        """The inverse of `measure`."""
        return self.axis.x(q) if self._logarithmic else q

    @property
    def _logarithmic(self) -> bool:
        return self.axis.kind == "log"

    @property
    def _ends(self) -> tuple[float, float]:
        return (self.axis.start, self.axis.stop) if self._logarithmic else (self.axis.lo, self.axis.hi)
