"""Standard errors without a formula: delete-a-group jackknife.

    error^2 = (g - 1)/g  sum_i (theta_(i) - mean theta)^2,     theta_(i) the estimate without group i of g

Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), ch. 11.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["GROUPS", "grouped", "jackknife_error", "without_each"]

Array = NDArray[np.float64]
GROUPS = 50


def grouped(n: int, most: int = GROUPS) -> NDArray[np.int64]:
    """Where each of up to `most` groups of nearly equal size begins among n items in a row."""
    return np.linspace(0, n, min(n, most), endpoint=False).astype(np.int64)


def without_each(sums: Array) -> Array:
    """The total over all groups (first axis) but one, for each of them."""
    return np.asarray(sums.sum(axis=0) - sums)


def jackknife_error(estimates: Array) -> Array:
    """The standard error from the estimates (g, ...) that each leave one group out."""
    g = len(estimates)
    return np.asarray(np.sqrt((g - 1.0) / g * np.sum((estimates - estimates.mean(axis=0)) ** 2, axis=0)))
