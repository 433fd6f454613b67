"""Edges along the offsets of each cell's own stencil, in two passes: count, then fill.

Cell x with offset e and weight lambda_e(x) joins x + e and x - e, each with lambda_e(x)/2; both ends contribute, so an
edge's weight is the mean of the two (of the one, where the other end lies beyond an absorbing face).
"""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.jit import jit

INSIDE, DROPPED, ABSORBED = 0, 1, 2


@jit
def _destination(place, offset, sign, shape, periodic, absorbing, target):
    """Fill `target`; where sign * offset leads, and the share of the offset that lies inside."""
    share, fate = 1.0, INSIDE
    for k in range(place.size):
        step = sign * offset[k]
        target[k] = place[k] + step
        if periodic[k]:
            target[k] %= shape[k]
        elif target[k] < 0 or target[k] >= shape[k]:
            room = (place[k] + 0.5) / -step if step < 0 else (shape[k] - place[k] - 0.5) / step
            if room < share or fate == INSIDE:
                share, fate = room, ABSORBED if absorbing[k, 1 if step > 0 else 0] else DROPPED
    return fate, share


@jit
def _weight_at(cell, offset, offsets, weights):
    """The weight of `offset` in the stencil of `cell`, 0 where it is not in it."""
    for pair in range(weights.shape[1]):
        if weights[cell, pair] > 0.0:
            same = True
            for k in range(offset.size):
                if offsets[cell, pair, k] != offset[k]:
                    same = False
            if same:
                return weights[cell, pair]
    return 0.0


@jit
def stencil_edges(shape, periodic, absorbing, offsets, weights, left, right, steps, conductance, fates, shares):
    """Edges from cell `left` along `steps` (edges, ndim) to cell `right`, with half the sum of both ends' weights.

    fates: 0 inside; 1 beyond an end that lets nothing out; 2 beyond an absorbing face, at `shares` of the offset (right
    is then left).  With empty arrays nothing is filled.  Returns the number of edges.
    """
    ndim, pairs = shape.size, weights.shape[1]
    place, target = np.zeros(ndim, dtype=np.int64), np.empty(ndim, dtype=np.int64)
    count, fill = 0, left.size > 0
    for cell in range(weights.shape[0]):
        for pair in range(pairs):
            weight = weights[cell, pair]
            if weight <= 0.0:
                continue
            for sign in (1, -1):
                fate, share = _destination(place, offsets[cell, pair], sign, shape, periodic, absorbing, target)
                other, theirs = cell, 0.0
                if fate == INSIDE:
                    other = 0
                    for k in range(ndim):
                        other = other * shape[k] + target[k]
                    theirs = _weight_at(other, offsets[cell, pair], offsets, weights)
                    if sign < 0 and theirs > 0.0:
                        continue  # the edge is the other end's
                if fill:
                    forward = sign > 0 or fate != INSIDE
                    left[count], right[count] = (cell, other) if forward else (other, cell)
                    for k in range(ndim):
                        steps[count, k] = offsets[cell, pair, k] * (sign if fate != INSIDE else 1)
                    conductance[count, 0], conductance[count, 1] = (weight, theirs) if forward else (theirs, weight)
                    fates[count], shares[count] = fate, share
                count += 1
        for k in range(ndim - 1, -1, -1):
            place[k] += 1
            if place[k] < shape[k]:
                break
            place[k] = 0
    return count


@jit
def line_integrals(slopes, lattice, first, shape, left, offsets, integrals):
    """Simpson's rule for the slopes (ndim, positions) along offsets from cells `left`, on the half lattice."""
    ndim, edges = shape.size, left.size
    place = np.empty(ndim, dtype=np.int64)
    for edge in range(edges):
        rest = left[edge]
        for k in range(ndim - 1, -1, -1):
            place[k] = 2 * (rest % shape[k]) + 1 - first[k]
            rest //= shape[k]
        total = 0.0
        for part in range(3):
            position = 0
            for k in range(ndim):
                position = position * lattice[k] + (place[k] + part * offsets[edge, k]) % lattice[k]
            weight = 4.0 / 6.0 if part == 1 else 1.0 / 6.0
            for k in range(ndim):
                total += weight * offsets[edge, k] * slopes[k, position]
        integrals[edge] = total
