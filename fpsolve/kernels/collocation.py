"""Rows of a collocated Markov operator: K[j, k] = sum_a w_a phi_k(s_j + xi_a(s_j)), phi_k Lagrange's basis, degree 7.

Positions count in nodes.  A target is located by its displacement from node j, floor and fraction of it apart from the
whole number j: its absolute position would lose the digits that j takes up.
"""

from __future__ import annotations

import math

import numpy as np

from fpsolve.kernels.jit import jit

STENCIL = 8  # nodes, four on each side of the target


@jit(inline=True)
def _deposit(row, base, whole, theta, weight, scales):
    """Add weight * phi at whole + theta nodes above node `base` to the eight nodes from `base` on."""
    for i in range(STENCIL):
        value = weight * scales[i]
        for k in range(STENCIL):
            if k != i:
                value *= theta - (k - whole)  # not (whole + theta) - k: theta keeps its digits
        row[base + i] += value


@jit
def collocate(first, shifts, weights, reach, rows, leaks):
    """Fill rows[j], of n entries, for the nodes first + j; each sums to the weights that stay on the nodes.

    shifts: displacements in nodes, (rows, branches).  weights: (rows, branches), or (1, branches) for all rows alike.
    reach: a target below node 0 is extrapolated linearly from nodes 0 and `reach`; with 0 it is lost, as is a target
    above the last node.  leaks[j]: the weight below node 0 and above the last.
    """
    n = rows.shape[1]
    scales = np.empty(STENCIL)
    for i in range(STENCIL):
        product = 1.0
        for k in range(STENCIL):
            if k != i:
                product *= i - k
        scales[i] = 1.0 / product
    for j in range(shifts.shape[0]):
        node = first + j
        for a in range(shifts.shape[1]):
            weight = weights[j if weights.shape[0] > 1 else 0, a]
            shift = shifts[j, a]
            if shift < -node:
                leaks[j, 0] += weight
                if reach > 0:
                    outside = (shift + node) / reach
                    rows[j, 0] += weight * (1.0 - outside)
                    rows[j, reach] += weight * outside
            elif shift > n - 1 - node:
                leaks[j, 1] += weight
            else:
                whole = math.floor(shift)
                base = min(max(node + whole - 3, 0), n - STENCIL)
                _deposit(rows[j], base, node + whole - base, shift - whole, weight, scales)


@jit
def deposit_means(values, weights, low, width, bins):
    """Add each sample's weight to the bins around it by Lagrange's basis of degree 3: three moments stay exact.

    values: (rows, samples); bin k of row j stands for low[j] + (k - 1) width[j].  bins: (rows, at least 4).
    """
    for j in range(values.shape[0]):
        for a in range(values.shape[1]):
            place = (values[j, a] - low[j]) / width[j] if width[j] > 0.0 else 0.0
            whole = min(math.floor(place), bins.shape[1] - 4)
            t = place - whole
            bins[j, whole] -= weights[a] * t * (t - 1.0) * (t - 2.0) / 6.0
            bins[j, whole + 1] += weights[a] * (t + 1.0) * (t - 1.0) * (t - 2.0) / 2.0
            bins[j, whole + 2] -= weights[a] * (t + 1.0) * t * (t - 2.0) / 2.0
            bins[j, whole + 3] += weights[a] * (t + 1.0) * t * (t - 1.0) / 6.0
