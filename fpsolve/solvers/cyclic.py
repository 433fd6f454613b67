"""Stationary density and current of a ring of cells, in closed form.

With Phi the sum of the steps (the integral of A/D around the ring plus nothing else) and S a sum of positive terms,
p_j = J S_j/(1 - exp(-Phi)) and sum(w p) = 1 give J = (1 - exp(-Phi))/sum(w S): with expm1, the current keeps its digits
however small it is against the one-way fluxes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.chain import ring_log_density

Array = NDArray[np.float64]


def log_density_and_current(
    step: Array, log_forward: Array, log_backward: Array, log_weights: Array
) -> tuple[Array, float]:
    """ln p, normalised so that sum(w p) = 1, and the constant current J.

    log_forward[i], log_backward[i]: ln of the one-way flux over edge i per unit density on its left and right.
    """
    total = math.fsum(step) if np.all(np.isfinite(step)) else float(np.sum(step))
    if total < 0:  # go round the other way
        flipped, current = log_density_and_current(
            -step[::-1], log_backward[::-1], log_forward[::-1], np.roll(log_weights, -1)[::-1]
        )
        return np.roll(flipped[::-1], 1), -current
    one_way = np.flatnonzero(np.isinf(step))
    if one_way.size and one_way[-1] < step.size - 1:  # begin the lap behind an edge that lets nothing back
        shift = -int(one_way[-1]) - 1
        turned, current = log_density_and_current(
            *(np.roll(part, shift) for part in (step, log_forward, log_backward, log_weights))
        )
        return np.roll(turned, -shift), current
    log_s, _ = ring_log_density(np.ascontiguousarray(step), np.ascontiguousarray(log_forward))
    log_sum = float(np.logaddexp.reduce(log_s + log_weights))
    current = math.exp(-log_sum) * -math.expm1(-total)
    return log_s - log_sum, current
