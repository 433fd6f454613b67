"""ln of computed masses, where they have one: NaN (masked) where a mass is negative, or not larger than its error."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["masked_log"]

Array = NDArray[np.float64]


def masked_log(masses: Array, floor: float | None) -> Array:
    """ln m: -inf where m = 0, NaN where m < 0 and, given a floor, where m does not exceed `floor` times the largest."""
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(masses)
    if floor is not None:
        logs[masses <= floor * masses.max()] = np.nan
    return logs
