"""Exponentially fitted edges of a chain of cells.

Between cells i and i+1, with phi = ln p at vanishing flux and step[i] = phi[i+1] - phi[i], the flux is
    F = k (B(-step) p[i] - B(step) p[i+1]).
Edges are stored by their step and ln k, so that rates far below 1e-308 times others keep their ratio.
Source: Scharfetter & Gummel, IEEE Trans. Electron Devices 16, 64 (1969).
"""

from __future__ import annotations

import math

import numpy as np

from fpsolve.kernels.bernoulli import bernoulli, log_bernoulli
from fpsolve.kernels.jit import jit


@jit
def quadrature(values, weights):
    """Weighted sums of `values` (edges, points) over the points of each edge."""
    edges, points = values.shape
    sums = np.empty(edges)
    for i in range(edges):
        total = 0.0
        for k in range(points):
            total += weights[k] * values[i, k]
        sums[i] = total
    return sums


@jit
def fitted_rates(step, log_conductance, log_weights_left, log_weights_right, up, down):
    """Rates between cell masses: up[i] from left to right, down[i] back; all >= 0."""
    for i in range(step.size):
        up[i] = math.exp(log_conductance[i] - log_weights_left[i]) * bernoulli(-step[i])
        down[i] = math.exp(log_conductance[i] - log_weights_right[i]) * bernoulli(step[i])


@jit
def face_fluxes(step, log_conductance, log_left, log_right, fluxes, affinities):
    """Net flux and affinity of every edge for the densities exp(log_left), exp(log_right) beside it.

    affinity = step + ln p_left - ln p_right, and F = k B(step) p_right expm1(affinity) where that is safe: written so,
    a flux small against the one-way fluxes keeps the digits that the affinity has.
    """
    for i in range(step.size):
        if log_left[i] == -math.inf and log_right[i] == -math.inf:
            fluxes[i] = 0.0
            affinities[i] = 0.0
            continue
        affinity = step[i] + log_left[i] - log_right[i]
        affinities[i] = affinity
        if affinity > 0.0:
            scale = log_conductance[i] + log_bernoulli(-step[i]) + log_left[i]
            fluxes[i] = -math.exp(scale) * math.expm1(-affinity)
        else:
            scale = log_conductance[i] + log_bernoulli(step[i]) + log_right[i]
            fluxes[i] = math.exp(scale) * math.expm1(affinity)


@jit
def log_coefficients(step, log_conductance, forward, backward):
    """ln of the one-way fluxes per unit density: ln k + ln B(-step) forward, ln k + ln B(step) backward."""
    for i in range(step.size):
        forward[i] = log_conductance[i] + log_bernoulli(-step[i])
        backward[i] = log_conductance[i] + log_bernoulli(step[i])


@jit
def dips(values, depth, found):
    """Fill `found` with the indices of local minima that lie below both values three places away by -depth or more.

    Returns how many there are, at most found.size.
    """
    count = 0
    for i in range(3, values.size - 3):
        here = values[i]
        if here <= values[i - 1] and here < values[i + 1] and here < depth + min(values[i - 3], values[i + 3]):
            found[count] = i
            count += 1
            if count == found.size:
                break
    return count
