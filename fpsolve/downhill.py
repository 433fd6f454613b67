"""What a Gibbs process is made of: mobility times the downhill slope, and mobility times temperature."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fpsolve.functions import Array, UserFunction

__all__ = ["central_gradient", "downhill", "scaled", "times"]


def downhill(slope: UserFunction, mobility: UserFunction | Any, *x: Array) -> Any:
    """-mobility grad(loss), the mobility a number, one per axis or a tensor."""
    gradient = slope(*x)
    factor = mobility(*x) if callable(mobility) else mobility
    if not isinstance(gradient, tuple):
        return -(factor[0] if isinstance(factor, (tuple, list)) else factor) * gradient
    if not isinstance(factor, (tuple, list)) and (np.ndim(factor) == 0 or np.shape(factor) == np.shape(x[0])):
        return tuple(-factor * part for part in gradient)
    rows = []
    for i, row in enumerate(factor):
        whole_row = isinstance(row, (tuple, list)) or (np.ndim(row) == 1 and np.shape(factor) == (len(x), len(x)))
        rows.append(-sum(m * part for m, part in zip(row, gradient, strict=True)) if whole_row else -row * gradient[i])
    return tuple(rows)


def scaled(function: UserFunction, factor: float, *x: Array) -> Any:
    """The function times a factor, whatever it returns."""
    return times(function(*x), factor)


def times(numbers: Any, factor: float) -> Any:
    """Numbers, arrays or nested sequences of them, each times factor."""
    return tuple(times(part, factor) for part in numbers) if isinstance(numbers, (tuple, list)) else numbers * factor


def central_gradient(loss: Callable[..., Any], *x: Array) -> Any:
    """Fourth-order central differences, for whoever has no grid to take a better step from."""
    parts = []
    for i, coordinate in enumerate(x):
        size = np.abs(coordinate)
        h = np.where(size > 1e-12, 1e-5 * size, 1e-8)  # never across 0
        shifted = [loss(*x[:i], coordinate + k * h, *x[i + 1 :]) for k in (-2, -1, 1, 2)]
        parts.append((shifted[0] - 8.0 * shifted[1] + 8.0 * shifted[2] - shifted[3]) / (12.0 * h))
    return parts[0] if len(x) == 1 else tuple(parts)
