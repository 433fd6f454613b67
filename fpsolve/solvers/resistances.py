"""One dimension in closed form: scale and speed of a diffusion by Gauss quadrature, and what follows from them.

With psi = int A/D dx and c = 1 (Ito), 1/2 (Stratonovich), 0 (isothermal),
    scale  S' = exp(-psi) D^(c-1),     speed  m = exp(psi) D^(-c),
a stretch with resistance R_a(x) = int_a^x S' below x and R_b(x) above it, whole resistance R, is left at its upper end
with probability alpha = R_a/R, and
    u(x) = R_b(x) int_a^x alpha f m dy + alpha(x) int_x^b R_b f m dy     solves     L* u = -f,  u = 0 at its targets:
with f = 1 the mean time, with f = n u_(n-1) its n-th moment.  An end that is a wall has R = inf there.  All terms are
positive and all sums in logarithms, so that digits are relative whatever the barrier.
Sources: Karlin & Taylor, A Second Course in Stochastic Processes (1981), ch. 15; Gardiner (2009), section 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.solvers.line import Line, running

__all__ = ["TARGET", "WALL", "End", "Stretch"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class End:
    """An end of a stretch: ln of the resistance and of the speed measure beyond it.

    A target: (-inf, -inf); a wall: (inf, -inf); an open end that paths return from: (inf, ln of what lies beyond).
    """

    log_resistance: float
    log_mass: float


TARGET, WALL = End(-np.inf, -np.inf), End(np.inf, -np.inf)


@dataclass(frozen=True, eq=False)
class Stretch:
    """A line with its two ends, not both of them walls.  Fields come as (at breaks, at points)."""

    line: Line
    lower: End
    upper: End

    @cached_property
    def log_below(self) -> tuple[Array, Array]:
        """ln R_a."""
        return running(self.line.log_scale, self.lower.log_resistance)

    @cached_property
    def log_above(self) -> tuple[Array, Array]:
        """ln R_b."""
        return _turned(running(_turn(self.line.log_scale), self.upper.log_resistance))

    @cached_property
    def log_upward(self) -> tuple[Array, Array]:
        """ln alpha: of the chance to leave at the upper end."""
        return self._shares(self.log_below, self.lower, self.upper)

    @cached_property
    def log_downward(self) -> tuple[Array, Array]:
        """ln (1 - alpha), without a subtraction."""
        return self._shares(self.log_above, self.upper, self.lower)

    def log_moment(self, log_f: tuple[Array, Array] | None = None) -> tuple[Array, Array]:
        """ln u for ln f; None: f = 1."""
        at_points = np.zeros_like(self.line.log_speed) if log_f is None else log_f[1]
        at_ends = np.zeros(2) if log_f is None else log_f[0][[0, -1]]
        weighted = self.line.log_speed + at_points
        below, above = self.lower.log_mass + at_ends[0], self.upper.log_mass + at_ends[1]
        if self.upper.log_resistance < np.inf:  # then R_b is finite, and alpha the share of the sources below x
            left, right = self.log_upward, self.log_above
        else:
            left, right = self.log_below, self.log_downward
        from_below = running(weighted + left[1], below + left[0][0] if below > -np.inf else -np.inf)
        from_above = _turned(running(_turn(weighted + right[1]), above + right[0][-1] if above > -np.inf else -np.inf))
        at_breaks, at_points = (np.logaddexp(right[k] + from_below[k], left[k] + from_above[k]) for k in (0, 1))
        return at_breaks, at_points

    def _shares(self, passed: tuple[Array, Array], near: End, far: End) -> tuple[Array, Array]:
        if near.log_resistance == np.inf:
            return np.zeros_like(passed[0]), np.zeros_like(passed[1])
        whole = float(np.logaddexp(np.max(passed[0]), far.log_resistance))
        return passed[0] - whole, passed[1] - whole


def _turn(logs: Array) -> Array:
    return logs[::-1, ::-1]


def _turned(found: tuple[Array, Array]) -> tuple[Array, Array]:
    return found[0][::-1], found[1][::-1, ::-1]
