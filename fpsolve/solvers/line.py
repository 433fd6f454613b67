"""A process along one axis, on panels: what its scale and its speed are at Gauss points, and integrals over them.

Panels are cut until psi = int A/D dx and ln D change by no more than GENTLE over each.  Where drift rules that would
take too many, and a panel may be steep instead: psi changes by many units, at a rate that hardly changes.  The first
and the last panels never are, for there the answers themselves have layers.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import NotConverged
from fpsolve.functions import Points
from fpsolve.kernels.integrals import running_integrals
from fpsolve.operators.sampling import log_diffusion_and_slope
from fpsolve.process import CONVENTIONS, Process
from fpsolve.solvers.log1d import log_density

__all__ = ["GAUSS", "INNER", "WEIGHTS", "Line", "line_of", "running"]

Array = NDArray[np.float64]
POINTS = 6  # per panel
GENTLE = 0.5  # what psi and ln D may change by over a panel
STEEP, EVEN = 30.0, 0.1  # or by more than this, at a rate that changes by no more than this share of it
MOST_PANELS = 400_000
CUTS = 64


def _collocation(points: int) -> tuple[Array, Array, Array, Array, Array]:
    """On [0, 1]: Gauss points, weights, [k, j] of the integral from 0 to point k, of the slope there, of both ends."""
    x, w = np.polynomial.legendre.leggauss(points)
    inverse = np.linalg.inv(np.polynomial.legendre.legvander(x, points - 1))
    integrals, slopes = (
        np.stack([np.polynomial.legendre.legval(x, change(row)) for row in np.eye(points)], axis=1)
        for change in (lambda row: np.polynomial.legendre.legint(row, lbnd=-1), np.polynomial.legendre.legder)
    )
    ends = np.polynomial.legendre.legvander(np.array([-1.0, 1.0]), points - 1) @ inverse
    return 0.5 * (1.0 + x), 0.5 * w, 0.5 * integrals @ inverse, 2.0 * slopes @ inverse, ends


GAUSS, WEIGHTS, INNER, SLOPES, ENDS = (np.ascontiguousarray(part) for part in _collocation(POINTS))


@dataclass(frozen=True, eq=False)
class Line:
    """A process between break points.

    s: of the breaks, (panels + 1,).  psi: at the breaks.
    log_scale, log_speed: ln of S' dx and m dx at the Gauss points, times the panel's width, (panels, points).
    finer: where panels are steep the same line with each of them halved, to tell what that costs.
    """

    s: Array
    psi: Array
    log_scale: Array
    log_speed: Array
    finer: Line | None = None

    @property
    def points(self) -> Array:
        """s of the Gauss points, (panels, points)."""
        return self.s[:-1, None] + GAUSS * np.diff(self.s)[:, None]

    def between(self, start: float, stop: float) -> Line:
        """The panels between two breaks."""
        i, j = int(np.argmin(np.abs(self.s - start))), int(np.argmin(np.abs(self.s - stop)))
        finer = None if self.finer is None else self.finer.between(start, stop)
        return Line(self.s[i : j + 1], self.psi[i : j + 1], self.log_scale[i:j], self.log_speed[i:j], finer)

    def log_integral(self, log_f: Array | float) -> float:
        """ln of the integral of m f, ln f given at the Gauss points."""
        return float(running(self.log_speed + log_f)[0][-1])

    @property
    def log_resistance(self) -> float:
        """ln of the integral of S'."""
        return float(running(self.log_scale)[0][-1])


def running(logs: Array, start: float = -np.inf) -> tuple[Array, Array]:
    """ln of the integral so far, `start` at the first break, at the breaks and at the points."""
    at_breaks, at_points = np.empty(logs.shape[0] + 1), np.empty(logs.shape)
    running_integrals(np.ascontiguousarray(logs), INNER, WEIGHTS, SLOPES, ENDS, float(start), at_breaks, at_points)
    return at_breaks, at_points


def line_of(process: Process, axis: Axis, name: str, t: float, breaks: Array) -> Line:
    """The line between rising `breaks` (in s; beyond the end of a periodic axis they go round again).

    Panels over which psi or ln D changes much are cut.  Raises NotConverged where that takes too many of them.
    """
    line, changes, _ = _sampled(process, axis, name, t, breaks)
    parts = np.maximum(1, np.ceil(changes / GENTLE))
    if parts.max() == 1:
        return line
    if parts.sum() <= MOST_PANELS:
        return _sampled(process, axis, name, t, _cut(breaks, parts))[0]
    for _ in range(CUTS):
        line, changes, uneven = _sampled(process, axis, name, t, breaks)
        steep = (changes > STEEP) & (uneven < EVEN)
        steep[[0, -1]] = False
        parts = np.where(changes > 2.0 * STEEP, 2, np.maximum(1, np.ceil(changes / GENTLE)))
        parts[steep] = 1
        if parts.max() == 1:
            finer = _cut(breaks, np.where(steep, 2, 1))
            return dataclasses.replace(line, finer=_sampled(process, axis, name, t, finer)[0])
        if parts.sum() > MOST_PANELS:
            break
        breaks = _cut(breaks, parts)
    worst = int(np.argmax(np.where(steep, 0.0, changes)))
    raise NotConverged(
        f"the drift is too strong for the noise: ln p changes by {np.abs(np.diff(line.psi)).sum():.3g} in all along "
        f"{name}, unevenly near {name}={float(axis.x(_on_axis(axis, breaks[worst]))):.4g}, which takes more than "
        f"{MOST_PANELS} panels of the quadrature; give method=fp.GTH() and cells as fine as the layers"
    )


def _cut(breaks: Array, parts: Array) -> Array:
    """Every panel in equal parts."""
    count = parts.astype(int)
    first = np.repeat(breaks[:-1], count)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.append(first + place * np.repeat(np.diff(breaks) / count, count), breaks[-1])


def _sampled(process: Process, axis: Axis, name: str, t: float, breaks: Array) -> tuple[Line, Array, Array]:
    """The line on these breaks; by how much psi or ln D changes over each panel, and by which share psi' does."""
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
        step = inside @ SLOPES.T
    c, log_length = CONVENTIONS[process.convention], np.log(length)
    line = Line(breaks, psi, log_length - inside + (c - 1.0) * log_d, log_length + inside - c * log_d)
    least = np.maximum(np.abs(step).min(axis=1), 1e-300)
    heights = np.column_stack([psi[:-1], inside, psi[1:]])  # ends alone may be level about a top
    changes = np.maximum(np.ptp(heights, axis=1), np.ptp(log_d, axis=1))
    return line, changes, np.ptp(step, axis=1) / least + np.ptp(log_d, axis=1)


def _on_axis(axis: Axis, s: Array) -> Array:
    return np.where(s > axis.stop, s - (axis.stop - axis.start), s) if axis.periodic else s
