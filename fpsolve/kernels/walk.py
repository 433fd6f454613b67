"""Minibatch SGD of the diagonal linear network: the loops over time, inside the loop over replicas.

Network f(x) = v x, v = sum_j prod_l w[l, j] (n layers, width d), loss (f - y)^2, weight decay gamma |w|^2.  With
m = mean over the batch of (v x - y) x, one step of learning rate eta is

    w[l, j] <- (1 - 2 eta gamma) w[l, j] - 2 eta m prod_(k != l) w[k, j].

`walk_pair` is for n = 2, d = 1, `walk_layers` for any network: the same operations in the same
order, so the same bits.  Both carry LANES replicas together, whose weights, a few kilobytes at most, stay in registers
and the first-level cache for the whole trajectory, while the loop over them is SIMD.  Sampling: kernels/minibatch.py.

A replica whose |v| is above `bound`, or not a number, is not moved any more: its weights tell that it diverged.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from fpsolve.kernels.jit import jit
from fpsolve.kernels.minibatch import fill_samples, fill_shuffles, place

LANES = 16


@jit(parallel=True)
def walk_pair(key, first_step, rates, decay, bound, data, batch, shuffled, weights, stops, record):
    """Walk replicas of two weights from `first_step`; `weights` (replicas, 2, 1) is changed in place.

    key, first_step: np.uint64; rates (steps,): the learning rate of each step; decay: gamma; data (2, samples): x^2 and
    x y; batch: samples a step; stops (k,) int64, rising: the steps made, counted from here, after which v goes into
    record (k, replicas).  The walk ends at the last of them.
    """
    for part in prange((weights.shape[0] + LANES - 1) // LANES):
        _pair_lanes(part * LANES, key, first_step, rates, decay, bound, data, batch, shuffled, weights, stops, record)


@jit(parallel=True)
def walk_layers(key, first_step, rates, decay, bound, data, batch, shuffled, weights, stops, record):
    """As `walk_pair`, for weights (replicas, layers, width)."""
    for part in prange((weights.shape[0] + LANES - 1) // LANES):
        _layers_lanes(part * LANES, key, first_step, rates, decay, bound, data, batch, shuffled, weights, stops, record)


@jit
def _pair_lanes(first, key, first_step, rates, decay, bound, data, batch, shuffled, weights, stops, record):
    count, period = min(LANES, weights.shape[0] - first), data.shape[1] if shuffled else 4
    table, window = np.empty((period, LANES), np.uint32), np.empty((2, 5, LANES))
    upper, lower = np.zeros(LANES), np.zeros(LANES)
    for p in range(count):
        upper[p], lower[p] = weights[first + p, 0, 0], weights[first + p, 1, 0]
    number, row = place(first_step, batch, period)
    made, fresh = 0, True
    for k in range(stops.size):
        while made < stops[k]:
            number, row, at = _draw(key, number, row, fresh, first, data, batch, shuffled, table, window)
            push, keep, fresh = -2.0 * rates[made], 1.0 - 2.0 * rates[made] * decay, False
            for p in range(LANES):
                u, w = upper[p], lower[p]
                v = u * w
                move = push * (v * window[0, at, p] - window[1, at, p])
                alive = abs(v) <= bound
                upper[p] = keep * u + move * w if alive else u
                lower[p] = keep * w + move * u if alive else w
            made += 1
        for p in range(count):
            record[k, first + p] = upper[p] * lower[p]
    for p in range(count):
        weights[first + p, 0, 0], weights[first + p, 1, 0] = upper[p], lower[p]


@jit
def _layers_lanes(first, key, first_step, rates, decay, bound, data, batch, shuffled, weights, stops, record):
    layers, width = weights.shape[1], weights.shape[2]
    count, period = min(LANES, weights.shape[0] - first), data.shape[1] if shuffled else 4
    table, window = np.empty((period, LANES), np.uint32), np.empty((2, 5, LANES))
    w, scratch = np.zeros((layers, width, LANES)), np.empty((layers + 3, LANES))
    for p in range(count):
        for j in range(layers * width):
            w[j // width, j % width, p] = weights[first + p, j // width, j % width]
    number, row = place(first_step, batch, period)
    made, fresh = 0, True
    for k in range(stops.size):
        while made < stops[k]:
            number, row, at = _draw(key, number, row, fresh, first, data, batch, shuffled, table, window)
            _step(-2.0 * rates[made], 1.0 - 2.0 * rates[made] * decay, bound, window, at, w, scratch)
            made += 1
            fresh = False
        _outputs(w, scratch)
        for p in range(count):
            record[k, first + p] = scratch[0, p]
    for p in range(count):
        for j in range(layers * width):
            weights[first + p, j // width, j % width] = w[j // width, j % width, p]


@jit(inline=True)
def _step(push, keep, bound, window, at, w, scratch):
    """Move w (layers, width, lanes) by one step; window[:, at] holds the batch means of x^2 and x y."""
    layers, width = w.shape[0], w.shape[1]
    _outputs(w, scratch)
    for p in range(LANES):  # scratch: v, the product of the layers before, the move, the products of those after each
        scratch[2, p] = push * (scratch[0, p] * window[0, at, p] - window[1, at, p])
    for j in range(width):
        for p in range(LANES):
            scratch[1, p] = scratch[layers + 2, p] = 1.0
        for i in range(layers - 1, 0, -1):
            for p in range(LANES):
                scratch[i + 2, p] = scratch[i + 3, p] * w[i, j, p]
        for i in range(layers):
            for p in range(LANES):
                held = w[i, j, p]
                moved = keep * held + scratch[2, p] * (scratch[1, p] * scratch[i + 3, p])
                scratch[1, p] *= held
                w[i, j, p] = moved if abs(scratch[0, p]) <= bound else held


@jit(inline=True)
def _outputs(w, scratch):
    """scratch[0] = v, the sum over columns of the product over layers."""
    for j in range(w.shape[1]):
        for p in range(LANES):
            scratch[1, p] = w[0, j, p]
        for i in range(1, w.shape[0]):
            for p in range(LANES):
                scratch[1, p] *= w[i, j, p]
        for p in range(LANES):
            scratch[0, p] = scratch[1, p] if j == 0 else scratch[0, p] + scratch[1, p]


@jit(inline=True)
def _draw(key, number, row, fresh, first, data, batch, shuffled, table, window):
    """Draw one minibatch for every lane; its means are in window[:, at].  Returns the place after it, and `at`.

    A batch of one is where it was looked up, in 0 .. 3, any other in 4.  `fresh`: nothing is drawn yet.
    """
    at, share = 4, 1.0 / batch
    for b in range(batch):
        if row == table.shape[0]:
            number, row = number + np.uint64(1), 0
        if row & 3 == 0 or fresh:
            _fill_window(key, number, row, fresh, first, data, shuffled, table, window)
            fresh = False
        if batch == 1:
            at = row & 3
        else:
            for p in range(LANES):
                window[0, 4, p] = window[0, row & 3, p] + (window[0, 4, p] if b > 0 else 0.0)
                window[1, 4, p] = window[1, row & 3, p] + (window[1, 4, p] if b > 0 else 0.0)
        row += 1
    if batch > 1:
        for p in range(LANES):
            window[0, 4, p] *= share
            window[1, 4, p] *= share
    return number, row, at


@jit
def _fill_window(key, number, row, fresh, first, data, shuffled, table, window):
    """Look up x^2 and x y for the (up to) four draws around `row` that share row // 4."""
    start = row & ~3
    if not shuffled:
        fill_samples(key, number, first, np.uint64(data.shape[1]), table)
    elif fresh or row == 0:
        fill_shuffles(key, number, first, table)
    for i in range(min(4, table.shape[0] - start)):
        for p in range(LANES):
            sample = table[start + i, p]
            window[0, i, p] = data[0, sample]
            window[1, i, p] = data[1, sample]
