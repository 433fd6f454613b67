"""Minibatch SGD of dense networks: the loop over time, inside the loop over replicas.

Loss |f(x) - y|^2, weight decay gamma |w|^2, heavy ball mu, gradient clipping c.  With g the gradient of the
minibatch's mean loss, made shorter where |g| > c, one step of learning rate eta is

    m <- mu m + g + 2 gamma w,   w <- w - eta m          (without momentum: w <- (1 - 2 eta gamma) w - eta g)

Up to LANES replicas are carried together: their weights stay in the caches for the whole trajectory, and every loop
over them is SIMD.  Where a batch's samples come from, its `source`:
  REPLACED, SHUFFLED   rows of the data, (samples, inputs + outputs), as kernels/minibatch.py says
  ALL                  each row once, in order: gradient descent, with batch the number of samples
  FRESH                (x, y) = root z, z standard normals of their own for each draw: data is root, lower triangular

A replica whose squared error over a batch, summed, is above `bound`, or not a number, is not moved any more, and lost.
"""

from __future__ import annotations

import numpy as np
from numba import prange

from fpsolve.kernels.dense import backwards, forwards, normalise, project
from fpsolve.kernels.jit import jit
from fpsolve.kernels.minibatch import draw_normals, fill_samples, fill_shuffles, place

REPLACED, SHUFFLED, ALL, FRESH = 0, 1, 2, 3
LANES = 64  # at most: their weights stay in the caches


@jit(parallel=True)
def train(
    key, first_step, rates, decay, momentum, clip, bound, widths, activation, leak, groups, data, source, batch,
    weights, lost,
):  # fmt: skip
    """Train replicas from `first_step`, a step for each of `rates`; `weights` and `lost` are changed in place.

    key, first_step: np.uint64; widths (layers + 1,): units from inputs to outputs; groups: see kernels/dense.py, of
    one entry where nothing is normalised; weights (replicas, 1, size), or (replicas, 2, size), the second being m.
    """
    for part in prange((weights.shape[0] + LANES - 1) // LANES):
        _train_lanes(
            part * LANES, key, first_step, rates, decay, momentum, clip, bound, widths, activation, leak, groups, data,
            source, batch, weights, lost,
        )  # fmt: skip


@jit
def _train_lanes(
    first, key, first_step, rates, decay, momentum, clip, bound, widths, activation, leak, groups, data, source, batch,
    weights, lost,
):  # fmt: skip
    count, size, units = min(LANES, weights.shape[0] - first), weights.shape[2], 0
    for width in widths:
        units += width
    lanes = (count + 7) // 8 * 8
    w, m, g = np.ones((size, lanes)), np.zeros((size, lanes)), np.empty((size, lanes))
    unit, inverse = np.empty((size, lanes)) if groups.size > 1 else w, np.empty((groups.size, lanes))
    a, slope, delta = np.empty((units, lanes)), np.empty((units, lanes)), np.empty((units, lanes))
    drawn, factor, alive = np.empty((data.shape[1] + 3, lanes)), np.empty(lanes), np.ones(lanes)
    table = np.empty((data.shape[0] if source == SHUFFLED else 4, lanes), np.uint32)
    _load(first, count, weights, lost, w, m, alive)
    number, row = place(first_step, batch, table.shape[0])
    for made in range(rates.size):
        normalise(groups, w, unit, inverse)
        factor[:] = 0.0
        for b in range(batch):
            if row == table.shape[0]:
                number, row = number + np.uint64(1), 0
            draw = (first_step + np.uint64(made)) * np.uint64(batch) + np.uint64(b)
            if source == FRESH:
                _fresh(key, draw, first, data, drawn, widths[0], a, delta)
            else:
                if source != ALL and (row == 0 or made + b == 0):
                    _fill(key, number, first, np.uint64(data.shape[0]), source, table)
                _look_up(data, source, b, row, table, widths[0], a, delta)
            row += 1
            forwards(widths, activation, leak, unit, a, slope)
            _errors(a, delta, widths[-1], 2.0 / batch, factor)
            backwards(widths, activation, unit, a, slope, delta, g, b == 0)
        for p in range(lanes):
            alive[p] = alive[p] if factor[p] <= bound else 0.0
        project(groups, unit, inverse, g, factor)
        _clipped(clip, g, factor)
        _move(rates[made], decay, momentum, g, factor, alive, w, m)
    _store(first, count, weights, lost, w, m, alive)


@jit
def _fill(key, number, first, size, source, table):
    if source == SHUFFLED:
        fill_shuffles(key, number, first, table)
    else:
        fill_samples(key, number, first, size, table)


@jit
def _look_up(data, source, b, row, table, inputs, a, delta):
    """x into a[:inputs], y into the last rows of delta."""
    outputs = data.shape[1] - inputs
    target = delta.shape[0] - outputs
    for p in range(a.shape[1]):
        sample = b if source == ALL else np.int64(table[row, p])
        for i in range(inputs):
            a[i, p] = data[sample, i]
        for o in range(outputs):
            delta[target + o, p] = data[sample, inputs + o]


@jit
def _fresh(key, draw, first, root, drawn, inputs, a, delta):
    """The same, of a sample drawn for each lane: (x, y) = root z."""
    draw_normals(key, draw, first, root.shape[0], drawn)
    target = delta.shape[0] - root.shape[0] + inputs
    for k in range(root.shape[0]):
        out, at = (a, k) if k < inputs else (delta, target + k - inputs)
        for p in range(a.shape[1]):
            out[at, p] = root[k, 0] * drawn[0, p]
        for j in range(1, k + 1):
            for p in range(a.shape[1]):
                out[at, p] += root[k, j] * drawn[j, p]


@jit
def _errors(a, delta, outputs, share, total):
    """From the targets in delta to the gradient with respect to the outputs; the squared error is added to total."""
    for k in range(a.shape[0] - outputs, a.shape[0]):
        for p in range(a.shape[1]):
            error = a[k, p] - delta[k, p]
            total[p] += error * error
            delta[k, p] = share * error


@jit
def _clipped(clip, g, factor):
    """factor = min(1, clip/|g|)."""
    factor[:] = 1.0
    if clip < np.inf:
        factor[:] = 0.0
        for j in range(g.shape[0]):
            for p in range(g.shape[1]):
                factor[p] += g[j, p] * g[j, p]
        for p in range(g.shape[1]):
            factor[p] = min(1.0, clip / np.sqrt(factor[p])) if factor[p] > 0.0 else 1.0


@jit
def _move(rate, decay, momentum, g, factor, alive, w, m):
    keep = 1.0 - 2.0 * rate * decay
    if momentum == 0.0:
        for j in range(w.shape[0]):
            for p in range(g.shape[1]):
                moved = keep * w[j, p] - rate * (factor[p] * g[j, p])
                w[j, p] = moved if alive[p] > 0.0 else w[j, p]
    else:
        for j in range(w.shape[0]):
            for p in range(g.shape[1]):
                swing = momentum * m[j, p] + factor[p] * g[j, p] + 2.0 * decay * w[j, p]
                m[j, p] = swing if alive[p] > 0.0 else m[j, p]
                w[j, p] = w[j, p] - rate * swing if alive[p] > 0.0 else w[j, p]


@jit
def _load(first, count, weights, lost, w, m, alive):
    for p in range(count):
        alive[p] = 0.0 if lost[first + p] else 1.0
        for j in range(w.shape[0]):
            w[j, p] = weights[first + p, 0, j]
            if weights.shape[1] > 1:
                m[j, p] = weights[first + p, 1, j]


@jit
def _store(first, count, weights, lost, w, m, alive):
    for p in range(count):
        lost[first + p] = alive[p] == 0.0
        for j in range(w.shape[0]):
            weights[first + p, 0, j] = w[j, p]
            if weights.shape[1] > 1:
                weights[first + p, 1, j] = m[j, p]
