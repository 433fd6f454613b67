"""Stationary density of a chain of cells without current, in log space."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.chain import chain_log_density

Array = NDArray[np.float64]


def log_density(step: Array, log_weights: Array) -> Array:
    """ln p, up to a constant, of cells joined by edges along which ln p gains `step`; shape (edges + 1,)."""
    return chain_log_density(np.ascontiguousarray(step), np.ascontiguousarray(log_weights))
