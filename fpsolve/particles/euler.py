"""One Euler step of many particles: Ito drift and diffusion at their places, and the move, in x or in ln|x|.

    dX = a dt + sqrt(2 D) dW,  a = A + (1 - c) D'     (Ito; c = 1, 1/2, 0: the process's convention)

On log axes the step is taken in ln|X|, so that X keeps its sign: with u = a dt/X and v = 2 D dt/X^2,

    X <- X exp(u - v/2 + sqrt(v) g)                   (exact where A ~ X and D ~ X^2)

Where dt does not resolve the process, u or v above 1 (near 0, if D/X^2 diverges there), that exponential would make
wild leaps.  There v is replaced by 1 + ln v, which leaves the variance of the plain Euler step to a factor e, and
exp(u) by e + (u - 1) (by its inverse for u < -1), which adds a dt as the plain step does.
D' is a central difference over a thousandth of a cell.  Functions are checked once, where the particles start; after
that they are called as they are, once a step for all particles.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.functions import Function, Points
from fpsolve.particles.draws import reach
from fpsolve.process import CONVENTIONS, Process

__all__ = ["LocalCoefficients"]

Array = NDArray[np.float64]
DIFFERENCE = 1e-3  # of a cell
RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)  # what a user's function may raise
DIRECT = ("log_diffusion", "drift_over_diffusion")


class LocalCoefficients:
    """The coefficients of `process` on `axis` (called `name`), checked at the places x and time t of the start."""

    def __init__(self, process: Process, axis: Axis, name: str, x: Array, t: float) -> None:
        self.process, self.axis, self.name = process, axis, name
        self.logarithmic = axis.kind == "log"
        self.direct = all(label in process.functions for label in DIRECT)
        self.correction = 1.0 - CONVENTIONS[process.convention] if callable(process.diffusion) else 0.0
        self.downhill = process.potential is not None and process.gradient is None  # D/T is the mobility
        self.check(x, t)
        plain = ("potential", "diffusion") if self.downhill else ("drift", "diffusion")
        labels = DIRECT if self.direct else plain
        self.calls = {label: self._caller(process.functions[label], x, t) for label in labels}

    def __call__(self, x: Array, t: float) -> tuple[Array, Array]:
        """Ito drift a and D, or a/x and D/x^2 on log axes; raises InvalidInput where they fail inside the grid."""
        with np.errstate(all="ignore"):
            a, d = self._logarithms(x, t) if self.direct else self._plainly(x, t)
            if not (np.isfinite(a).all() and np.isfinite(d).all() and np.min(d) >= 0.0):
                self._refuse(x, t, ~(np.isfinite(a) & np.isfinite(d) & (d >= 0.0)))
        return a, d

    def moved(self, x: Array, a: Array, d: Array, dt: float, normals: Array) -> Array:
        """Where particles at x are after a step."""
        with np.errstate(all="ignore"):
            if not self.logarithmic:
                return x + a * dt + np.sqrt(2.0 * d * dt) * normals
            u, v = a * dt, 2.0 * d * dt
            v = np.where(v > 1.0, 1.0 + np.log(v), v)
            grown = np.exp(np.clip(u, -1.0, 1.0) - 0.5 * v + np.sqrt(v) * normals)
            return x * (grown + np.maximum(u - 1.0, 0.0)) / (1.0 + np.maximum(-u - 1.0, 0.0) / np.e)

    def contraction(self, x: Array, t: float) -> float:
        """The median rate -da/dx at which the drift pulls neighbouring particles together; 0 on log axes."""
        if self.logarithmic or x.size == 0:
            return 0.0
        few = x[:: max(1, x.size // 1000)]
        low, high = reach(self.axis)
        step = DIFFERENCE * self.axis.ds * self.axis.dx(np.clip(self.axis.s(few), self.axis.start, self.axis.stop))
        above, below = np.minimum(few + step, high), np.maximum(few - step, low)
        return -float(np.median((self(above, t)[0] - self(below, t)[0]) / (above - below)))

    def check(self, x: Array, t: float) -> None:
        """Raises InvalidInput unless drift and diffusion are what they must be at every one of the places x."""
        points = Points((self.name,), (x,), (("particle", x.shape),))
        if self.downhill:
            self.process.potential_at(points, t)
        else:
            self.process.drift_at(points, t)
        self.process.diffusion_at(points, t)

    def _plainly(self, x: Array, t: float) -> tuple[Array, Array]:
        d = self._ask("diffusion", x, t)
        if self.downhill:
            a = -d / (self.process.temperature or 1.0) * self._slope("potential", x, t)
        else:
            a = self._ask("drift", x, t)
        if self.correction:
            a = a + self.correction * self._slope("diffusion", x, t)
        if self.logarithmic:
            d = d / x / x  # x^2 would underflow first
            a = a / x
        return a, d

    def _logarithms(self, x: Array, t: float) -> tuple[Array, Array]:
        """From ln D and A/D, for processes whose D underflows."""
        log_d, ratio = self._ask("log_diffusion", x, t), self._ask("drift_over_diffusion", x, t)
        if self.correction:
            ratio = ratio + self.correction * self._slope("log_diffusion", x, t)
        if self.logarithmic:
            d = np.exp(log_d - 2.0 * np.log(np.abs(x)))
            return d * ratio * x, d
        d = np.exp(log_d)
        return d * ratio, d

    def _slope(self, label: str, x: Array, t: float) -> Array:
        """Derivative of a coefficient in x; one-sided where a wall is nearer than the difference."""
        low, high = reach(self.axis)
        if self.logarithmic:
            step = DIFFERENCE * self.axis.ds * np.abs(x)
        else:
            near = np.clip(x, self.axis.lo, self.axis.hi)
            step = DIFFERENCE * self.axis.ds * self.axis.dx(np.clip(self.axis.s(near), self.axis.start, self.axis.stop))
        above, below = np.minimum(x + step, high), np.maximum(x - step, low)
        return (self._ask(label, above, t) - self._ask(label, below, t)) / (above - below)

    def _ask(self, label: str, x: Array, t: float) -> Array:
        try:
            return np.broadcast_to(np.asarray(self.calls[label](x, t), dtype=float), x.shape)
        except RAISED as error:
            raise InvalidInput(
                f"{label} raised {type(error).__name__}: {error} at t={t:g}, for particles between "
                f"{self.name}={np.min(x):.6g} and {np.max(x):.6g}"
            ) from error

    def _caller(self, function: Function, x: Array, t: float) -> Callable[[Array, float], Any]:
        """The function itself, of x and t; point by point where it takes scalars only, as the check has warned."""
        given = function.function
        if not callable(given):
            constant = float(np.ravel(np.asarray(given, dtype=float))[0])
            return lambda x, t: constant
        called = (lambda x, t: _only(given(x, t=t))) if function.takes_time else (lambda x, t: _only(given(x)))
        try:
            with np.errstate(all="ignore"):
                called(x[:2], t)
        except RAISED:
            return np.vectorize(called, otypes=[float])
        return called

    def _refuse(self, x: Array, t: float, wrong: NDArray[np.bool_]) -> None:
        """A coefficient that fails inside the grid is the function's fault; outside, the particle has diverged."""
        inside = wrong & (x >= self.axis.lo) & (x <= self.axis.hi)
        if np.any(inside):
            self.check(x[inside], t)


def _only(answer: Any) -> Any:
    """The single component of a one-dimensional coefficient."""
    while isinstance(answer, (tuple, list)):
        answer = answer[0]
    return answer
