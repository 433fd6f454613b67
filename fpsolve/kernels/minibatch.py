"""Which samples a minibatch takes, for the few replicas, or lanes, that a kernel carries together.

A `table` holds the sample numbers of the next `period` draws, a row a draw, a column a lane:
  with replacement     period 4: sample = floor(word * data / 2^32), a bias below data / 2^32
  without              period data: a Fisher-Yates shuffle of 0 .. data - 1 per epoch and replica
Draw number step * batch + place in the batch lies in table draw // period at row draw % period.  A table depends on
its number alone, so a run may stop and go on anywhere.  Where the batch does not divide the data, one that reaches
over the end of an epoch takes the rest from the next.

Samples that are drawn afresh are made of normals: `draw_normals`.
"""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.jit import jit
from fpsolve.kernels.random import FRESH_DATA, NEXT_STREAM, SAMPLES, SHUFFLES, block_words, turn, uniform

_HALF = np.uint64(32)


@jit
def place(first_step, batch, period):
    """The table that holds the first draw of a step, and its row there."""
    draw = first_step * np.uint64(batch)
    return draw // np.uint64(period), np.int64(draw % np.uint64(period))


@jit
def fill_samples(key, number, first, size, table):
    """The four draws of table `number`, with replacement, for replicas first, first + 1, ...; size: np.uint64."""
    for p in range(table.shape[1]):
        w0, w1, w2, w3 = block_words(key, number, np.uint64(first + p), SAMPLES)
        table[0, p] = (w0 * size) >> _HALF
        table[1, p] = (w1 * size) >> _HALF
        table[2, p] = (w2 * size) >> _HALF
        table[3, p] = (w3 * size) >> _HALF


@jit
def fill_shuffles(key, epoch, first, table):
    """Fisher & Yates, from the last slot down: slot i changes places with floor(word * (i + 1) / 2^32)."""
    size = table.shape[0]
    blocks = (size + 3) // 4
    words = np.empty((4, table.shape[1]), np.uint64)
    for slot in range(size):
        for p in range(table.shape[1]):
            table[slot, p] = slot
    for block in range(blocks - 1, -1, -1):
        number = epoch * np.uint64(blocks) + np.uint64(block)
        for p in range(table.shape[1]):
            w0, w1, w2, w3 = block_words(key, number, np.uint64(first + p), SHUFFLES)
            words[0, p], words[1, p], words[2, p], words[3, p] = w0, w1, w2, w3
        for slot in range(min(4 * block + 3, size - 1), 4 * block - 1, -1):
            for p in range(table.shape[1]):
                other = (words[slot - 4 * block, p] * np.uint64(slot + 1)) >> _HALF
                table[slot, p], table[other, p] = table[other, p], table[slot, p]


@jit
def draw_normals(key, draw, first, count, out):
    """Fill out[:count], (count + 2 or more, lanes), with the normals of one draw; Box & Muller, as `normal_pair`."""
    stream = FRESH_DATA
    for c in range(0, count, 2):
        for p in range(out.shape[1]):  # two loops: the first, without calls to log, is SIMD
            w0, w1, w2, w3 = block_words(key, draw, np.uint64(first + p), stream)
            out[c, p] = 1.0 - uniform(w0, w1)
            out[c + 1, p], out[-1, p] = turn(uniform(w2, w3))
        for p in range(out.shape[1]):
            radius = np.sqrt(-2.0 * np.log(out[c, p]))
            out[c, p] = radius * out[c + 1, p]
            out[c + 1, p] = radius * out[-1, p]
        stream += NEXT_STREAM
