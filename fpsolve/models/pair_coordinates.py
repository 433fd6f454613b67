"""The weights (u, w) of the rescaling pair and its coordinates (zeta, q), on either sheet of z = u^2 - w^2.

    zeta = asinh(2 v/|z|) = ln|u + w| - ln|u - w|,   q = ln|z| = ln|u + w| + ln|u - w|,   v = u w = exp(q) sinh(zeta)/2

(u, w) and (-u, -w) share their coordinates; the area element is du dw = exp(q)/4 dzeta dq.  All forms hold where
exp(q) underflows and sinh(zeta) overflows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["to_coordinates", "to_output", "to_weights"]

Array = NDArray[np.float64]


def to_coordinates(u: ArrayLike, w: ArrayLike) -> tuple[Array, Array]:
    """(zeta, q) of weights (u, w); not finite where |u| = |w|.

    >>> zeta, q = to_coordinates(1.25, 0.75)
    >>> round(float(np.sinh(zeta)), 12), round(float(np.exp(q)), 12)
    (1.875, 1.0)
    """
    u, w = np.asarray(u, dtype=float), np.asarray(w, dtype=float)
    with np.errstate(divide="ignore", invalid="ignore"):
        total, difference = np.log(np.abs(u + w)), np.log(np.abs(u - w))
        return total - difference, total + difference


def to_weights(zeta: ArrayLike, q: ArrayLike, sign: int) -> tuple[Array, Array]:
    """(u, w) on the sheet where z has this sign; the larger one positive."""
    zeta, q = np.asarray(zeta, dtype=float), np.asarray(q, dtype=float)
    size = np.abs(zeta)
    half = 0.5 * np.exp(0.5 * (q + size))
    large, small = half * (1.0 + np.exp(-size)), np.copysign(half * np.expm1(-size), zeta)
    return (large, small) if sign > 0 else (small, large)


def to_output(zeta: ArrayLike, q: ArrayLike) -> Array:
    """v = u w."""
    zeta, q = np.asarray(zeta, dtype=float), np.asarray(q, dtype=float)
    size = np.abs(zeta)
    return np.copysign(0.25 * np.exp(q + size) * np.expm1(-2.0 * size), zeta)
