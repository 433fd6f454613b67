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

import warnings
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import ResolutionWarning
from fpsolve.functions import Points
from fpsolve.kernels.integrals import running_integrals
from fpsolve.operators.sampling import log_diffusion_and_slope
from fpsolve.process import CONVENTIONS, Process
from fpsolve.solvers.log1d import log_density

__all__ = ["TARGET", "WALL", "End", "Line", "Stretch", "line_of"]

Array = NDArray[np.float64]
POINTS = 6  # per panel
GENTLE = 0.5  # what psi and ln D may change by over a panel
MOST_PANELS = 400_000


def _collocation(points: int) -> tuple[Array, Array, Array]:
    """Gauss points on [0, 1], weights, and the weights [k, j] of the integral from 0 to point k."""
    x, w = np.polynomial.legendre.leggauss(points)
    values = np.polynomial.legendre.legvander(x, points - 1)
    integrals = np.stack(
        [np.polynomial.legendre.legval(x, np.polynomial.legendre.legint(row, lbnd=-1)) for row in np.eye(points)],
        axis=1,
    )
    return 0.5 * (1.0 + x), 0.5 * w, np.ascontiguousarray(0.5 * integrals @ np.linalg.inv(values))


GAUSS, WEIGHTS, INNER = _collocation(POINTS)


@dataclass(frozen=True, eq=False)
class Line:
    """A process between break points.

    s: of the breaks, (panels + 1,).  psi: at the breaks.
    log_scale, log_speed: ln of S' dx and m dx at the Gauss points, times the panel's width, (panels, points).
    """

    s: Array
    psi: Array
    log_scale: Array
    log_speed: Array

    def between(self, start: float, stop: float) -> Line:
        """The panels between two breaks."""
        i, j = int(np.argmin(np.abs(self.s - start))), int(np.argmin(np.abs(self.s - stop)))
        return Line(self.s[i : j + 1], self.psi[i : j + 1], self.log_scale[i:j], self.log_speed[i:j])

    def log_integral(self, log_f: Array | float) -> float:
        """ln of the integral of m f, ln f given at the Gauss points."""
        return float(_running(self.log_speed + log_f)[0][-1])

    @property
    def log_resistance(self) -> float:
        """ln of the integral of S'."""
        return float(_running(self.log_scale)[0][-1])


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
        return _running(self.line.log_scale, self.lower.log_resistance)

    @cached_property
    def log_above(self) -> tuple[Array, Array]:
        """ln R_b."""
        return _turned(_running(_turn(self.line.log_scale), self.upper.log_resistance))

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
        from_below = _running(weighted + left[1], below + left[0][0] if below > -np.inf else -np.inf)
        from_above = _turned(_running(_turn(weighted + right[1]), above + right[0][-1] if above > -np.inf else -np.inf))
        at_breaks, at_points = (np.logaddexp(right[k] + from_below[k], left[k] + from_above[k]) for k in (0, 1))
        return at_breaks, at_points

    def _shares(self, passed: tuple[Array, Array], near: End, far: End) -> tuple[Array, Array]:
        if near.log_resistance == np.inf:
            return np.zeros_like(passed[0]), np.zeros_like(passed[1])
        whole = float(np.logaddexp(np.max(passed[0]), far.log_resistance))
        return passed[0] - whole, passed[1] - whole


def line_of(process: Process, axis: Axis, name: str, t: float, breaks: Array) -> Line:
    """The line between rising `breaks` (in s; beyond the end of a periodic axis they go round again).

    Panels over which psi or ln D changes much are cut.  Warns ResolutionWarning where that takes too many of them.
    """
    line, changes = _sampled(process, axis, name, t, breaks)
    parts = np.maximum(1, np.ceil(changes / GENTLE))
    if parts.max() == 1:
        return line
    if parts.sum() > MOST_PANELS:
        worst = int(np.argmax(parts))
        warnings.warn(
            f"the drift is not resolved: ln p changes by {changes[worst]:.3g} between neighbouring cells at "
            f"{name}={float(axis.x(breaks[worst])):.4g}; use more cells there",
            ResolutionWarning,
            stacklevel=6,
        )
        parts = np.maximum(1, parts * (MOST_PANELS / parts.sum()))
    count = parts.astype(int)
    first = np.repeat(breaks[:-1], count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    finer = np.append(first + place * np.repeat(np.diff(breaks) / count, count), breaks[-1])
    return _sampled(process, axis, name, t, finer)[0]


def _sampled(process: Process, axis: Axis, name: str, t: float, breaks: Array) -> tuple[Line, Array]:
    """The line on these breaks, and how much psi or ln D changes over each panel."""
    width = np.diff(breaks)[:, None]
    s = _on_axis(axis, breaks[:-1, None] + GAUSS * width)
    x = axis.x(s)
    points = Points((name,), (x.ravel(),), (("between cells", s.shape),))
    log_d, slope = (part.reshape(s.shape) for part in log_diffusion_and_slope(process, points, t))
    length = axis.dx(s) * width
    if process.potential is None:
        step = slope * length
        psi = log_density(step @ WEIGHTS, np.zeros(breaks.size))
        inside = psi[:-1, None] + step @ INNER.T
    else:
        ends = axis.x(_on_axis(axis, breaks))
        psi = -process.potential_at(Points((name,), (ends,), (("break", ends.shape),)), t)
        inside = -process.potential_at(points, t).reshape(s.shape)
    c, log_length = CONVENTIONS[process.convention], np.log(length)
    line = Line(breaks, psi, log_length - inside + (c - 1.0) * log_d, log_length + inside - c * log_d)
    return line, np.maximum(np.abs(np.diff(psi)), np.ptp(log_d, axis=1))


def _on_axis(axis: Axis, s: Array) -> Array:
    return np.where(s > axis.stop, s - (axis.stop - axis.start), s) if axis.periodic else s


def _running(logs: Array, start: float = -np.inf) -> tuple[Array, Array]:
    at_breaks, at_points = np.empty(logs.shape[0] + 1), np.empty(logs.shape)
    running_integrals(np.ascontiguousarray(logs), INNER, WEIGHTS, float(start), at_breaks, at_points)
    return at_breaks, at_points


def _turn(logs: Array) -> Array:
    return logs[::-1, ::-1]


def _turned(found: tuple[Array, Array]) -> tuple[Array, Array]:
    return found[0][::-1], found[1][::-1, ::-1]
