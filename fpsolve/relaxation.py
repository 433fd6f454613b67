"""How slowly a one-dimensional chain relaxes: rigorous bounds on its spectral gap from sums, without eigenvalues.

With m the median and flows c_i = rate_i m_i over the edges,
    B = max over both sides of sup_i (mass beyond i) (sum over edges from m to i of 1/c),
the relaxation time lies between B/2 and 4 B.  Ends that hold less than 1e-9 of the mass are left out: a grid that
reaches far beyond the density has cells there that empty slowly and that no path ever visits.
Source: Muckenhoupt (1972); Miclo, Semin. Probab. XXXIII (1999).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.kernels.chain import hardy_constants

Array = NDArray[np.float64]
NEGLIGIBLE = 1e-9


def relaxation_bounds(log_flows: Array, masses: Array) -> tuple[float, float]:
    """(B/2, 4 B) of a chain in detailed balance: ln of the one-way flow over each edge, and each cell's mass."""
    largest = max(hardy_constants(np.ascontiguousarray(masses), np.exp(log_flows), NEGLIGIBLE))
    return 0.5 * largest, 4.0 * largest
