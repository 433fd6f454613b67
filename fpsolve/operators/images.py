"""Jumps round periodic axes: sums of |r + j P|^(-s) over all laps j but none.

One axis: some laps as they are, the rest by Gegenbauer's expansion about the middle, whose sums over j are Hurwitz's
zeta functions.  Both axes: rows of laps, of which those far away are lines, evenly charged but for
exp(-2 pi distance/P).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["around"]

Array = NDArray[np.float64]
TERMS = 26  # of the expansion, even ones only
EVEN = 5.0  # distance over period beyond which a row of laps is a line: exp(-2 pi 5) = 2e-14


def around(form: Array, s: float, periods: tuple[int | None, int | None], i: Array, j: Array) -> Array:
    """sum over the laps, none left out, of (r.form r)^(-s/2), r = (i, j) + laps; 0 without periodic axes."""
    r = np.stack(np.broadcast_arrays(np.asarray(i, dtype=float), np.asarray(j, dtype=float)))
    first, second = periods
    if first is None and second is None:
        return np.zeros(r.shape[1:])
    if first is None or second is None:
        k = 0 if second is None else 1
        period = first if first is not None else second
        assert period is not None
        return _row(form, s, k, period, r) - _inverse(form, s, r)
    return _rows(form, s, (first, second), r) - _inverse(form, s, r)


def _inverse(form: Array, s: float, r: Array) -> Array:
    """(r.form r)^(-s/2), 0 at r = 0."""
    square = form[0, 0] * r[0] ** 2 + 2.0 * form[0, 1] * r[0] * r[1] + form[1, 1] * r[1] ** 2
    with np.errstate(divide="ignore"):
        return np.where(square > 0.0, square ** (-0.5 * s), 0.0)


def _row(form: Array, s: float, k: int, period: int, r: Array) -> Array:
    """The sum along axis k, with the lap of none; the term of r = 0 left out."""
    from scipy.special import eval_gegenbauer, zeta

    r = r.copy()
    r[k] -= period * np.round(r[k] / period)
    lap = np.zeros(2)
    lap[k] = period
    length = period * math.sqrt(float(form[k, k]))
    ratio = np.sqrt(np.einsum("i...,ij,j...->...", r, form, r)) / length
    laps = 1 + math.ceil(3.0 * float(ratio.max()))
    step = lap.reshape(2, *(1 for _ in r.shape[1:]))
    total = sum((_inverse(form, s, r + n * step) for n in range(-laps, laps + 1)), np.zeros(r.shape[1:]))
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.einsum("i...,ij,j->...", r, form, lap) / (length**2 * ratio)
    cosine = np.where(ratio > 0.0, cosine, 0.0)
    for n in range(0, TERMS, 2):
        share = 2.0 * float(zeta(s + n, laps + 1.0)) * length**-s
        total += share * eval_gegenbauer(n, 0.5 * s, cosine) * ratio**n
    return np.asarray(total)


def _rows(form: Array, s: float, periods: tuple[int, int], r: Array) -> Array:
    """The sum along both axes: rows along axis 0."""
    from scipy.special import zeta

    r = r.copy()
    r[1] -= periods[1] * np.round(r[1] / periods[1])
    length = periods[0] * math.sqrt(float(form[0, 0]))
    height = periods[1] * math.sqrt(float(np.linalg.det(form) / form[0, 0]))  # from a row to the next
    count = 1 + math.ceil(EVEN * length / height)
    total = np.zeros(r.shape[1:])
    for n in range(-count, count + 1):
        moved = r.copy()
        moved[1] += n * periods[1]
        total += _row(form, s, 0, periods[0], moved)
    line = math.sqrt(math.pi) * math.gamma(0.5 * (s - 1.0)) / (math.gamma(0.5 * s) * length) * height ** (1.0 - s)
    share = r[1] / periods[1]
    total += line * (zeta(s - 1.0, count + 1.0 + share) + zeta(s - 1.0, count + 1.0 - share))
    return total
