"""One-signed transport: z - L is block lower triangular in the order of the flow, so it is solved row by row.

With rows j in flow order and cells i within a row,
    (z + s + lower[j, i+1] + upper[j, i-1]) y[j, i] - lower[j, i] y[j, i-1] - upper[j, i] y[j, i+1]
        = b[j, i] + back[j, i] y[j-1, i] + back2[j, i] y[j-2, i],                     s = leak[j, i],
where lower, upper, back and back2 are the rates into cell (j, i) from the cells beside it and from the two rows before,
and leak is what leaves it for later rows or for good.  The pivots are sums of such rates, never differences: where no
rate is negative the answer to b >= 0 keeps the digits of every entry, and no mass is lost but to rounding.
For complex z the same sums are of numbers between z and the positive axis; factors and masses are complex then.
Source: Grassmann, Taksar & Heyman, Oper. Res. 33, 1107 (1985).
"""

from __future__ import annotations

from fpsolve.kernels.jit import jit


@jit
def factor(z, lower, upper, leak, gain, inverse, share):
    """Eliminate along every row: inverse pivots, gain = lower/(pivot before), share = upper/pivot; arrays (rows, n).

    loss is what a visit to the cells eliminated so far loses for good; the pivot adds the way onward.
    """
    rows, n = leak.shape
    for j in range(rows):
        loss = z + leak[j, 0]
        gain[j, 0] = 0.0
        for i in range(n):
            if i > 0:
                gain[j, i] = lower[j, i] * inverse[j, i - 1]
                loss = z + leak[j, i] + upper[j, i - 1] * (loss * inverse[j, i - 1])
            onward = lower[j, i + 1] if i + 1 < n else 0.0
            inverse[j, i] = 1.0 / (loss + onward)
            share[j, i] = upper[j, i] * inverse[j, i]


@jit
def solve(gain, inverse, share, back, back2, b, y):
    """y from b, both (rows, n): down the rows, forth and back along each."""
    rows, n = b.shape
    for j in range(rows):
        for i in range(n):
            y[j, i] = b[j, i]
        if j > 0:
            for i in range(n):
                y[j, i] += back[j, i] * y[j - 1, i]
        if j > 1:
            for i in range(n):
                y[j, i] += back2[j, i] * y[j - 2, i]
        for i in range(1, n):
            y[j, i] += gain[j, i] * y[j, i - 1]
        for i in range(n):
            y[j, i] *= inverse[j, i]
        for i in range(n - 2, -1, -1):
            y[j, i] += share[j, i] * y[j, i + 1]


@jit
def solve_adjoint(gain, inverse, share, back, back2, b, y):
    """y from b for the transposed matrix: up the rows, forth and back along each."""
    rows, n = b.shape
    for j in range(rows - 1, -1, -1):
        for i in range(n):
            y[j, i] = b[j, i]
        if j + 1 < rows:
            for i in range(n):
                y[j, i] += back[j + 1, i] * y[j + 1, i]
        if j + 2 < rows:
            for i in range(n):
                y[j, i] += back2[j + 2, i] * y[j + 2, i]
        for i in range(1, n):
            y[j, i] += share[j, i - 1] * y[j, i - 1]
        for i in range(n):
            y[j, i] *= inverse[j, i]
        for i in range(n - 2, -1, -1):
            y[j, i] += gain[j, i + 1] * y[j, i + 1]
