"""Drift that changes within a step: after a long jump a particle is where a plain Euler step would overshoot.

From x, x' = -x^3 takes 1/(2 x^2) to come back, whatever dt is; Euler's step -x^3 dt goes beyond 0, further out than x,
and the next further still.  So beside jumps a particle whose drift changes by more than half within the step follows it
in substeps (Heun), each short enough for the drift to change by less than that; all others take the plain step.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.particles.calls import Time, at
from fpsolve.particles.euler import Local, LocalCoefficients

__all__ = ["carried", "steep"]

Array = NDArray[np.float64]
Ids = NDArray[np.int64]
CHANGE = 0.5  # of the drift, within a step
FINE = 1.0 / 32.0  # of the step: from here on a substep that only overshoots will do (a drift may jump, as -sign(x))
MOST = 500  # substeps
SHORTER, LONGER = 1e-3, 2.0


def steep(coefficients: LocalCoefficients, x: Array, local: Local, t: Time, duration: Time) -> Ids:
    """The particles at x (d, n) whose drift changes too much for one step of the duration (one, or one for each)."""
    ahead = coefficients.drifted(x, local.a, duration)
    return np.flatnonzero(~(_change(local.a, coefficients(ahead, t).a) <= CHANGE))


def carried(coefficients: LocalCoefficients, x: Array, t: Time, duration: Array) -> Array:
    """Where x' = drift takes particles from x (d, n) in their durations (n,); nan where it leads away ever faster.

    Where it comes to a point of rest so stiff that MOST substeps do not fill the duration, that is where they stay.
    """
    begun, x, left, h = _size(coefficients(x, t).a), x.copy(), duration.copy(), duration.copy()
    going = np.flatnonzero(left > 0.0)
    for _ in range(MOST):
        if going.size == 0:
            return x
        here, times, step = x[:, going], at(t, going), h[going]
        a = coefficients(here, times).a
        b = coefficients(coefficients.drifted(here, a, step), times).a
        change = _change(a, b)
        bounded = (change > CHANGE) & (_size(b) <= _size(a)) & (step <= FINE * duration[going])
        fits = (change <= CHANGE) | bounded
        x[:, going[fits]] = coefficients.drifted(here, 0.5 * (a + b), step)[:, fits]
        left[going[fits]] -= step[fits]
        with np.errstate(divide="ignore", invalid="ignore"):
            factor = np.clip(0.5 * CHANGE / change, SHORTER, LONGER)
        factor = np.where(bounded, 1.0, np.where(np.isfinite(factor), factor, SHORTER))
        h[going] = np.minimum(left[going], step * factor)
        going = going[left[going] > 0.0]
    slower = _size(coefficients(x[:, going], at(t, going)).a) <= begun[going]
    x[:, going[~slower]] = np.nan
    return x


def _change(a: Array, b: Array) -> Array:
    """|b - a|/|a| of each particle; 0 where both are 0, nan where they are not finite."""
    with np.errstate(all="ignore"):
        size, difference = _size(a), _size(b - a)
        return np.where(difference == 0.0, 0.0, difference / size)


def _size(a: Array) -> Array:
    with np.errstate(all="ignore"):
        return np.abs(a[0]) if len(a) == 1 else np.hypot.reduce(a, axis=0)
