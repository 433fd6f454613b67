"""Null vectors of chains and rings of cells, in log space: no subtraction, no underflow.

A chain without flux has ln p[i+1] - ln p[i] = step[i]; the sum is compensated and runs outward from the mode, so that
the rounding of large logarithms stays in the far tails.  A ring carries one constant current J: with one-way flux
coefficients a[i] (ln, per unit density, i -> i+1),
    p[j] = J/(1 - exp(-Phi)) sum_i exp(-a[i] - (phi[i] - phi[j])),  i = j ... j + n - 1,   Phi = sum of steps:
every term is positive.
"""

from __future__ import annotations

import math

import numpy as np

from fpsolve.kernels.jit import jit


@jit
def log_add(a, b):
    """ln(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    if b == -math.inf:
        return a
    return a + math.log1p(math.exp(b - a))


@jit
def _accumulate(step, start, log_p):
    """Compensated sums of the steps to both sides of `start`."""
    log_p[start] = 0.0
    total, lost = 0.0, 0.0
    for i in range(start, step.size):
        term = step[i] - lost
        bigger = total + term
        lost = (bigger - total) - term
        total = bigger
        log_p[i + 1] = total
    total, lost = 0.0, 0.0
    for i in range(start - 1, -1, -1):
        term = -step[i] - lost
        bigger = total + term
        lost = (bigger - total) - term
        total = bigger
        log_p[i] = total


@jit
def chain_log_density(step, log_weights):
    """ln p of the chain without flux, up to a constant: 0 at the largest mass w p."""
    log_p = np.empty(step.size + 1)
    _accumulate(step, 0, log_p)
    mode = 0
    for i in range(log_p.size):
        if log_p[i] + log_weights[i] > log_p[mode] + log_weights[mode]:
            mode = i
    _accumulate(step, mode, log_p)
    return log_p


@jit
def ring_log_density(step, log_forward):
    """ln S and Phi, p = J S/(1 - exp(-Phi)), on a ring with log forward coefficients; Phi is sum(step).

    Returns (log_s, phi).  Steps may be +inf (an edge that lets nothing back).
    """
    n = step.size
    log_s = np.empty(n)
    ahead = -math.inf
    for j in range(n - 1, -1, -1):  # terms i >= j
        ahead = log_add(-log_forward[j], ahead - step[j] if ahead > -math.inf else -math.inf)
        log_s[j] = ahead
    total, lost = 0.0, 0.0
    phi = np.empty(n + 1)
    phi[0] = 0.0
    for i in range(n):
        term = step[i] - lost
        bigger = total + term
        lost = (bigger - total) - term if bigger < math.inf else 0.0
        total = bigger
        phi[i + 1] = total
    behind = -math.inf
    for j in range(n):  # terms i < j, one lap further on
        if behind > -math.inf and total < math.inf:
            log_s[j] = log_add(log_s[j], phi[j] - total + behind)
        if phi[j] < math.inf:
            behind = log_add(behind, -log_forward[j] - phi[j])
    return log_s, total


@jit
def hardy_constants(masses, flows, negligible):
    """Muckenhoupt's constants of the chain, left and right of the median.

    B = sup over i of (mass beyond i) * (resistance from the median to i), resistance = sum of 1/flows, over those i
    beyond which more than `negligible` of the mass lies; inf where a flow underflows.
    The slowest relaxation rate lies between 1/(4 max B) and 2/max B (Miclo, Semin. Probab. XXXIII, 1999).
    """
    n = masses.size
    total = masses.sum()
    median, below = 0, masses[0]
    while median < n - 1 and below < 0.5 * total:
        median += 1
        below += masses[median]
    tail = np.empty(n)
    beyond = 0.0
    for i in range(n - 1, median, -1):
        beyond += masses[i]
        tail[i] = beyond
    right, resistance = 0.0, 0.0
    for i in range(median, n - 1):
        if tail[i + 1] <= negligible * total:
            break
        resistance += 1.0 / flows[i] if flows[i] > 0.0 else math.inf
        right = max(right, resistance * tail[i + 1])
    beyond = 0.0
    for i in range(median):
        beyond += masses[i]
        tail[i] = beyond
    left, resistance = 0.0, 0.0
    for i in range(median - 1, -1, -1):
        if tail[i] <= negligible * total:
            break
        resistance += 1.0 / flows[i] if flows[i] > 0.0 else math.inf
        left = max(left, resistance * tail[i])
    return left, right
