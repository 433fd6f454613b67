"""Selling's decomposition of a positive semidefinite tensor: D = sum_e lambda_e e e^T, lambda_e >= 0, e integer.

From an obtuse superbase, b_0 + ... + b_d = 0 with b_i.D b_j <= 0 for i != j, every pair {i, j} gives
lambda = -b_i.D b_j for the offset that is orthogonal to the other b's: in the plane b_k turned by a right angle
(3 offsets), in space b_k x b_l (6 offsets).  Offsets stay as short as the anisotropy allows, about its square root.
Source: Selling, J. reine angew. Math. 77, 143 (1874); Fehrenbach & Mirebeau, J. Math. Imaging Vis. 49, 123 (2014).
"""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.jit import jit

MOST_REDUCTIONS = 10_000  # about the square root of the condition, where an eigenvector lies close to an axis
LONGEST = 2**20  # cells; beyond, the tensor is not positive, and integers would overflow


@jit
def decompose(tensors, offsets, weights):
    """Fill `offsets` (cells, pairs, d) and `weights` (cells, pairs) from `tensors` (d, d, cells); d is 2 or 3.

    Each offset's first entry that is not 0 is positive; offsets of weight 0 are 0.  Returns the first cell whose
    reduction did not end, -1 if all did.
    """
    d, cells = tensors.shape[0], tensors.shape[2]
    base = np.empty((d + 1, d), dtype=np.int64)
    images = np.empty((d + 1, d))
    for cell in range(cells):
        for i in range(d):
            for j in range(d):
                base[i, j] = 1 if i == j else 0
            base[d, i] = -1
        scale = 0.0
        for i in range(d):
            scale = max(scale, tensors[i, i, cell])
        for _ in range(MOST_REDUCTIONS):
            for i in range(d + 1):
                for j in range(d):
                    images[i, j] = 0.0
                    for k in range(d):
                        images[i, j] += tensors[j, k, cell] * base[i, k]
            worst, first, second = 1e-15 * scale, -1, -1
            for i in range(d + 1):
                for j in range(i + 1, d + 1):
                    product = 0.0
                    for k in range(d):
                        product += base[j, k] * images[i, k]
                    if product > worst:
                        worst, first, second = product, i, j
            if first < 0:
                break
            for k in range(d + 1):
                if k not in (first, second):
                    for j in range(d):  # so that the sum stays 0
                        base[k, j] = base[first, j] - base[second, j] if d == 2 else base[k, j] + base[first, j]
                        if abs(base[k, j]) > LONGEST:
                            return cell
            for j in range(d):
                base[first, j] = -base[first, j]
        else:
            return cell
        _weights_of(base, images, cell, offsets, weights)
    return -1


@jit
def _weights_of(base, images, cell, offsets, weights):
    d = base.shape[1]
    pair = 0
    for i in range(d + 1):
        for j in range(i + 1, d + 1):
            product = 0.0
            for k in range(d):
                product += base[j, k] * images[i, k]
            if product < 0.0:
                weights[cell, pair] = -product
                _orthogonal(base, i, j, offsets[cell, pair])
            else:
                weights[cell, pair] = 0.0
                for k in range(d):
                    offsets[cell, pair, k] = 0
            pair += 1


@jit
def _orthogonal(base, i, j, offset):
    """The primitive vector orthogonal to every b but b_i and b_j, its first entry that is not 0 positive."""
    if base.shape[1] == 2:
        k = 3 - i - j
        offset[0], offset[1] = -base[k, 1], base[k, 0]
    else:
        k, m = -1, -1
        for index in range(4):
            if index not in (i, j):
                if k < 0:
                    k = index
                else:
                    m = index
        offset[0] = base[k, 1] * base[m, 2] - base[k, 2] * base[m, 1]
        offset[1] = base[k, 2] * base[m, 0] - base[k, 0] * base[m, 2]
        offset[2] = base[k, 0] * base[m, 1] - base[k, 1] * base[m, 0]
    for k in range(offset.size):
        if offset[k] != 0:
            if offset[k] < 0:
                for m in range(offset.size):
                    offset[m] = -offset[m]
            break
