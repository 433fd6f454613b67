"""LU of a matrix that is a sum of exponentials plus three diagonals: O(cells terms^2), no pivoting, nothing dense.

With d_i = x_(i+1) - x_i, a_i = exp(-lambda d_i) per term and all distances sums of gaps,
    A_ij = -left_i [sum_k omega_k exp(-lambda_k (x_i - x_j))] right_j + lower_i [i = j + 1],       i > j,
    A_ij = -left_i [sum_k omega_k exp(-lambda_k (x_j - x_i))] right_j + upper_i [j = i + 1],       i < j,
and A_ii = diagonal_i.  Below the diagonal A_ij = P_i' a_(i-1) ... a_(j+1) Q_j, above G_i' a_(i+1) ... a_(j-1) H_j with
    P_i = -left_i omega,  Q_j = a_j right_j,  G_i = -left_i omega a_i,  H_j = right_j;
the lower and upper diagonals are one more term, of transition 0.  A = (unit lower) diag(pivots) (unit upper), where P
and H stay and Q and G become `q` and `g`.  Real or complex; the matrix should be dominated by its columns.
Source: Vandebril, Van Barel & Mastronardi, Matrix Computations and Semiseparable Matrices (2008), vol. 1, ch. 4.
"""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.jit import jit


@jit(inline=True)
def _from_left(weights, near, far, f, row):
    """row = P' f."""
    terms = weights.size
    for j in range(terms + 1):
        row[j] = near * f[terms, j]
    for k in range(terms):
        scale = far * weights[k]
        for j in range(terms + 1):
            row[j] += scale * f[k, j]


@jit(inline=True)
def _from_right(f, source, column):
    """column = f H, four sums at a time."""
    terms = f.shape[0] - 1
    for k in range(terms + 1):
        a = f[k, terms]
        b, c, d, e = 0.0 * a, 0.0 * a, 0.0 * a, 0.0 * a
        j = 0
        while j + 3 < terms:
            b += f[k, j]
            c += f[k, j + 1]
            d += f[k, j + 2]
            e += f[k, j + 3]
            j += 4
        while j < terms:
            b += f[k, j]
            j += 1
        column[k] = a + source * ((b + c) + (d + e))


@jit
def factor(weights, decay, left, right, lower, diagonal, upper, q, g, pivots):
    """Write q and g (cells, terms + 1) and the pivots (cells,).  decay: a, (cells, terms), its last row 0.

    lower[i] and upper[i] belong to row i: lower[0] and upper[-1] are not read.
    """
    cells, terms = decay.shape
    f = np.zeros((terms + 1, terms + 1), dtype=pivots.dtype)
    row, column = np.empty_like(f[0]), np.empty_like(f[0])
    for i in range(cells):
        near = lower[i] if i > 0 else 0.0
        far, source = -left[i], right[i]
        _from_left(weights, near, far, f, row)
        _from_right(f, source, column)
        pivot = diagonal[i] - row[terms]
        for j in range(terms):
            pivot -= row[j] * source
        pivots[i] = pivot
        inverse = 1.0 / pivot
        for k in range(terms):
            a = decay[i, k]
            q[i, k] = a * (source - column[k]) * inverse
            g[i, k] = a * (far * weights[k] - row[k])
        q[i, terms] = inverse
        g[i, terms] = upper[i] if i + 1 < cells else 0.0
        for k in range(terms):
            a, into = decay[i, k], q[i, k]
            for j in range(terms):
                f[k, j] = a * decay[i, j] * f[k, j] + into * g[i, j]
            f[k, terms] = into * g[i, terms]
        for j in range(terms + 1):
            f[terms, j] = inverse * g[i, j]


@jit
def solve(weights, decay, left, right, lower, q, g, pivots, b, y):
    """Write y with A y = b."""
    cells, terms = decay.shape
    state = np.zeros(terms + 1, dtype=y.dtype)
    for i in range(cells):
        total = b[i]
        if i > 0:
            total -= lower[i] * state[terms]
        for k in range(terms):
            total += left[i] * weights[k] * state[k]
        y[i] = total
        for k in range(terms):
            state[k] = decay[i, k] * state[k] + q[i, k] * total
        state[terms] = q[i, terms] * total
    state[:] = 0.0
    for i in range(cells - 1, -1, -1):
        total = y[i] - g[i, terms] * state[terms]
        for k in range(terms):
            total -= g[i, k] * state[k]
        total /= pivots[i]
        y[i] = total
        for k in range(terms):
            state[k] = decay[i, k] * state[k] + right[i] * total
        state[terms] = total


@jit
def solve_transposed(weights, decay, left, right, lower, q, g, pivots, b, y):
    """Write y with A^T y = b."""
    cells, terms = decay.shape
    state = np.zeros(terms + 1, dtype=y.dtype)
    for i in range(cells):
        total = b[i] - state[terms]
        for k in range(terms):
            total -= right[i] * state[k]
        total /= pivots[i]
        y[i] = total
        for k in range(terms):
            state[k] = decay[i, k] * state[k] + g[i, k] * total
        state[terms] = g[i, terms] * total
    state[:] = 0.0
    for i in range(cells - 1, -1, -1):
        total = y[i] - q[i, terms] * state[terms]
        for k in range(terms):
            total -= q[i, k] * state[k]
        y[i] = total
        for k in range(terms):
            state[k] = decay[i, k] * state[k] - left[i] * weights[k] * total
        state[terms] = lower[i] * total
