"""Stable jumps of particles: the increments of scale(X-) dL over a step, and of the clock of particles that wait.

    scale(x) dt^(1/alpha) S,    S of scale 1 by Chambers, Mallows & Stuck (kernels/stable.py)

The scale is read where the step begins (Ito).  Isotropic jumps of several coordinates are sqrt(2 R) G: R positive and
stable of index alpha/2, G standard normals; then E exp(i k.S) = E exp(-R |k|^2) = exp(-|k|^alpha).
Source: Samorodnitsky & Taqqu, Stable Non-Gaussian Random Processes (1994), props. 1.3.1 and 2.5.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, Points
from fpsolve.grid import Grid
from fpsolve.jumps import Stable
from fpsolve.kernels.random import DIRECTIONS, JUMPS, NEXT_STREAM, WAITS
from fpsolve.kernels.stable import fill_particles, fill_stable
from fpsolve.particles.calls import Coefficient, Time, refuse_inside
from fpsolve.process import Process

__all__ = ["Leaps", "stable_variates", "waits"]

Array = NDArray[np.float64]
Ids = NDArray[np.int64]


class Leaps:
    """The jumps of `process` on the axes of `grid`, their scales checked at the places x (d, n) and time t.

    Raises InvalidInput for a scale that is negative or not finite, and for jumps across the 0 that a log axis ends at.
    """

    def __init__(self, process: Process, grid: Grid, key: np.uint64, x: Array, t: float, own_times: bool) -> None:
        assert process.jumps is not None
        self.grid, self.key = grid, key
        jumps = process.jumps if isinstance(process.jumps, tuple) else (process.jumps,)
        self.isotropic = not isinstance(process.jumps, tuple) and grid.ndim > 1
        self.jumps: tuple[Stable | None, ...] = jumps * grid.ndim if self.isotropic else jumps
        for name, axis, jump in zip(grid.names, grid.axes, self.jumps, strict=True):
            if jump is not None:
                _check_axis(name, axis, jump, self.isotropic)
        self.functions = tuple(
            Function(0.0, "scale") if jump is None else Function(_size(jump), "scale") for jump in jumps
        )
        self.check(x, t)
        self.scales = tuple(Coefficient(function, grid.names, x, t, own_times) for function in self.functions)
        self.powers = np.array([[1.0 if jump is None else 1.0 / jump.alpha] for jump in self.jumps])

    def sizes(self, x: Array, t: Time) -> Array:
        """The scales where the jumps start, one row per axis or one for all of them, shape (1 or d, n)."""
        with np.errstate(all="ignore"):
            scales = np.array([scale.numbers(x, t) for scale in self.scales])
        right = np.all(np.isfinite(scales) & (scales >= 0.0), axis=0)
        if not right.all():
            refuse_inside(self.grid, x, t, ~right, self.check)
        return scales

    def variates(self, step: int, ids: Ids) -> Array:
        """Jumps of scale 1 in a time of 1, shape (d, ids)."""
        if not self.isotropic:
            return np.array([self._along(k, step, ids) for k in range(len(self.jumps))])
        jump = self.jumps[0]
        assert jump is not None
        radii = _drawn(self.key, step, JUMPS, ids, (0.5 * jump.alpha, 0.0, 1.0))
        normals = np.empty((ids.size, len(self.jumps)))
        fill_particles(self.key, np.uint64(step), DIRECTIONS, ids.view(np.uint64), True, normals)
        flights = np.sqrt(2.0 * radii) * normals.T
        matrix = _matrix(jump)
        return flights if matrix is None else matrix @ flights

    def leap(self, variates: Array, sizes: Array, duration: Time) -> Array:
        """The jumps of a step, shape (d, n)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return sizes * np.asarray(duration) ** self.powers * variates

    def check(self, x: Array, t: float) -> None:
        """Raises InvalidInput unless every scale is what it must be at every one of the places x."""
        points = Points(self.grid.names, tuple(x), (("particle", x.shape[1:]),))
        for function in self.functions:
            scale = function.scalar(points, t)
            if np.any(scale < 0.0):
                worst = int(np.argmin(scale))
                raise InvalidInput(
                    f"scale is negative ({scale[worst]:.6g}) at {points.describe(worst)}: the size of jumps cannot be; "
                    "check the function's sign"
                )

    def _along(self, k: int, step: int, ids: Ids) -> Array:
        jump = self.jumps[k]
        if jump is None:
            return np.zeros(ids.size)
        return stable_variates(self.key, step, JUMPS + NEXT_STREAM * np.uint64(k), ids, jump.alpha, jump.skew)


def stable_variates(key: np.uint64, step: int, stream: np.uint64, ids: Ids, alpha: float, skew: float = 0.0) -> Array:
    """Stable variates of scale 1 of some particles, shape (ids,), with the law of `fp.Stable(alpha, 1, skew)`."""
    return _drawn(key, step, stream, ids, _law(alpha, skew))


def waits(key: np.uint64, step: int, ids: Ids, memory: float, dt: float = 1.0) -> Array:
    """What the subordinator of index `memory` adds in an operational time dt: E exp(-s S) = exp(-dt s^memory)."""
    return _drawn(key, step, WAITS, ids, (memory, 0.0, 1.0), float(np.log(dt) / memory))


def _drawn(
    key: np.uint64, step: int, stream: np.uint64, ids: Ids, law: tuple[float, float, float], shift: float = 0.0
) -> Array:
    out = np.empty(ids.size)
    fill_stable(key, np.uint64(step), stream, ids.view(np.uint64), *law, shift, out)
    return out


def _law(alpha: float, skew: float) -> tuple[float, float, float]:
    """alpha, offset and factor as the kernel takes them."""
    if skew == 0.0:
        return alpha, -0.25 * alpha, 1.0
    if abs(skew) == 1.0:  # no tangent of an arctangent: the two cancel exactly
        size = abs(np.cos(0.5 * np.pi * alpha)) ** (-1.0 / alpha)
        return alpha, 0.0, float(skew * np.sign(1.0 - alpha) * size)
    angle = np.arctan(skew * np.tan(0.5 * np.pi * alpha))
    return alpha, float(angle / (2.0 * np.pi) - 0.25 * alpha), float(np.cos(angle) ** (-1.0 / alpha))


def _matrix(jump: Stable) -> Array | None:
    return None if callable(jump.scale) or np.ndim(jump.scale) == 0 else np.array(jump.scale)


def _size(jump: Stable) -> Any:
    """The scale as a coefficient; 1 for a matrix, which `variates` multiplies by, and its size where it is 1 x 1."""
    matrix = _matrix(jump)
    if matrix is None:
        return jump.scale
    return abs(float(matrix[0, 0])) if matrix.size == 1 else 1.0


def _check_axis(name: str, axis: Axis, jump: Stable, isotropic: bool) -> None:
    """Jumps of a log axis need a wall on the side of 0: nothing lies beyond, though the end be open."""
    if axis.kind != "log":
        return
    sign = 1.0 if axis.lo > 0 else -1.0
    outwards = not isotropic and jump.alpha < 1.0 and jump.skew == sign
    end = axis.ends[axis.lo < 0]
    if end not in ("reflecting", "absorbing") and not outwards:
        raise InvalidInput(
            f"{name} jumps by {jump!r} on a log axis whose end beside 0 is {end}: jumps would cross 0, and the axis "
            "has no place for them; make that end 'reflecting' or 'absorbing', or use Axis.sinh"
        )
