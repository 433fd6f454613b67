"""Time reversal of a chain: seen backwards, paths go from y to x at the rate m_x a_xy/m_y, m the stationary masses.

An edge that a set cuts is reversed as what it stands for, a diffusion: with g = ln p gained along it, the step s
becomes 2 g - s, which is s itself in detailed balance.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from fpsolve.errors import InvalidInput
from fpsolve.kernels.fluxes import fitted_rates
from fpsolve.killed import Killed
from fpsolve.operators.edges import Edges

__all__ = ["reversed_into", "reversed_rates"]

Array = NDArray[np.float64]


def reversed_rates(rates: sparse.csc_matrix, log_masses: Array) -> sparse.csc_matrix:
    """The reversed chain of `rates` (entry [y, x]: from x to y), without a diagonal; nothing moves where no mass is."""
    found = rates.tocoo()
    kept = (found.row != found.col) & np.isfinite(log_masses[found.row]) & np.isfinite(log_masses[found.col])
    into, source, values = found.row[kept], found.col[kept], found.data[kept]
    turned = values * np.exp(log_masses[source] - log_masses[into])
    return sparse.csc_matrix((turned, (source, into)), shape=rates.shape)


def reversed_into(k: Killed, edges: Edges, index: int, log_p: Array) -> Array:
    """Rate out of each free cell into the region `index`, of the reversed chain; (cells,).

    edges: those of the chain before its paths were ended.  log_p: ln of the stationary density.
    Raises InvalidInput for second-order transport, which has no reversal of its kind.
    """
    if k.generator.transport:
        raise InvalidInput("second-order transport cannot be reversed cell by cell; use scheme=fp.Positive()")
    found, log_w = k.crossings[index], np.log(k.grid.weights).ravel()
    forward = edges.left[found.edge] == found.cell
    here, there = log_p[found.cell], log_p[found.into]
    seen = np.isfinite(here) & np.isfinite(there)
    gain = np.where(seen, np.where(seen, there, 0.0) - np.where(seen, here, 0.0), 0.0)
    noisy = seen & ~edges.noiseless[found.edge]
    step = np.where(forward, edges.step[found.edge], -edges.step[found.edge])
    step = np.where(noisy, 2.0 * gain - np.where(noisy, step, 0.0), 0.0)
    log_k = np.where(noisy, edges.log_conductance[found.edge] - np.log(found.share), -np.inf)
    rate, back = np.empty(step.size), np.empty(step.size)
    fitted_rates(found.share * step, log_k, log_w[found.cell], log_w[found.cell], rate, back)
    one_way = np.where(forward, edges.down[found.edge], edges.up[found.edge]) / found.share
    one_way = one_way * np.exp(gain + log_w[found.into] - log_w[found.cell])
    rate = np.where(noisy, rate, np.where(seen & edges.noiseless[found.edge], one_way, 0.0))
    return np.asarray(np.bincount(found.cell, rate, minlength=k.owner.size), dtype=float)
