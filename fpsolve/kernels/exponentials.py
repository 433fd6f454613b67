"""A sum of exponentials applied to a line of cells: forth and back once, O(cells terms).

    y_i = sum_(j != i) k(|x_i - x_j|) v_j,   k(r) = sum_k weight_k exp(-rate_k r),
from what every term falls by over each gap, so that distances are sums of gaps and never cancel.
"""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.jit import jit


@jit
def apply_exponentials(weights, decay, v, y):
    """Write y, shape (cells,).  decay: exp(-rate gap), (cells, terms), its last row not read."""
    terms = weights.size
    state = np.zeros(terms)
    y[0] = 0.0
    for i in range(1, v.size):
        before, total = v[i - 1], 0.0
        for k in range(terms):
            state[k] = decay[i - 1, k] * (state[k] + before)
        for k in range(terms):
            total += weights[k] * state[k]
        y[i] = total
    state[:] = 0.0
    for i in range(v.size - 2, -1, -1):
        before, total = v[i + 1], 0.0
        for k in range(terms):
            state[k] = decay[i, k] * (state[k] + before)
        for k in range(terms):
            total += weights[k] * state[k]
        y[i] += total
