"""Nested dissection of the graph of a chain, led by the places of its cells.

A set of cells is cut in two across the axis that promises the smallest separator: those cells of the lower half that
have a neighbour in the upper one.  The graph decides who separates, so rings and long reaches are right; the places
only lead.  Halves come first, then their separator, again and again, down to small leaves.
Source: George, SIAM J. Numer. Anal. 10, 345 (1973).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fpsolve.kernels.jit import jit


class Graph(NamedTuple):
    """Neighbours of cell x: neighbour[pointer[x] : pointer[x + 1]], with the rates to them and from them."""

    pointer: np.ndarray
    neighbour: np.ndarray
    outward: np.ndarray
    inward: np.ndarray


@jit
def couple(down_pointer, targets, outflow, up_pointer, sources, inflow):
    """The Graph of a matrix given by columns (rates out) and by rows (rates in), sorted, without diagonal and zeros."""
    cells = down_pointer.size - 1
    pointer = np.zeros(cells + 1, np.int64)
    neighbour = np.empty(targets.size + sources.size, np.int64)
    outward, inward = np.zeros(neighbour.size), np.zeros(neighbour.size)
    count = 0
    for x in range(cells):
        i, j = down_pointer[x], up_pointer[x]
        while i < down_pointer[x + 1] or j < up_pointer[x + 1]:
            to = targets[i] if i < down_pointer[x + 1] else cells
            back = sources[j] if j < up_pointer[x + 1] else cells
            neighbour[count] = min(to, back)
            if to <= back:
                outward[count] = outflow[i]
                i += 1
            if back <= to:
                inward[count] = inflow[j]
                j += 1
            if neighbour[count] != x and (outward[count] != 0.0 or inward[count] != 0.0):
                count += 1
            else:
                outward[count] = inward[count] = 0.0
        pointer[x + 1] = count
    return Graph(pointer, neighbour[:count].copy(), outward[:count].copy(), inward[:count].copy())


@jit
def climb(graph: Graph, start):
    """Follow from cell to cell the largest ratio of the rates to and fro, while it exceeds 1; where that ends."""
    x = start
    for _ in range(graph.pointer.size):
        to, back, best = 1.0, 1.0, -1
        for e in range(graph.pointer[x], graph.pointer[x + 1]):
            if graph.outward[e] <= 0.0 or graph.inward[e] < 0.0:  # second-order transport has rates of both signs
                continue
            if graph.outward[e] * back > to * graph.inward[e]:
                to, back, best = graph.outward[e], graph.inward[e], graph.neighbour[e]
        if best < 0:
            break
        x = best
    return x


@jit
def _reaches(graph, places):
    """How far each cell's neighbours lie along each axis; a neighbour round a ring is near."""
    cells, axes = places.shape
    reach = np.zeros((cells, axes), np.int64)
    for axis in range(axes):
        span = places[:, axis].max() - places[:, axis].min() + 1
        for x in range(cells):
            for e in range(graph.pointer[x], graph.pointer[x + 1]):
                steps = abs(places[graph.neighbour[e], axis] - places[x, axis])
                reach[x, axis] = max(reach[x, axis], min(steps, span - steps))
    return reach


@jit
def _cut(places, reach, members, tally):
    """(coordinate, place) of the cut whose separator should be smallest, half the members at or below it; or -1, 0."""
    best, chosen, place = np.inf, -1, 0
    for k in range(places.shape[1]):
        low = high = places[members[0], k]
        far = 0
        for x in members:
            low, high = min(low, places[x, k]), max(high, places[x, k])
            far += reach[x, k]
        if low == high or far / (high - low + 1) > 2.0 * best:
            continue
        tally[: high - low + 1] = 0
        for x in members:
            tally[places[x, k] - low] += 1
        width = max(1, round(far / members.size))  # of the separator, which comes out of the lower half
        cut, separator = _median(tally[: high - low + 1], width, members.size)
        if separator < best:
            best, chosen, place = separator, k, low + cut
    return chosen, place


@jit
def _median(tally, width, members):
    """The layer up to which, less its last `width` layers, lie most nearly as many as above; and what those hold."""
    below, cut, nearest, separator = 0, 0, members + 1, members
    between = 0
    for i in range(tally.size - 1):
        below += tally[i]
        between += tally[i]
        if i >= width:
            between -= tally[i - width]
        uneven = abs((below - between) - (members - below))
        if uneven < nearest:
            cut, nearest, separator = i, uneven, between
    return cut, separator


@jit
def dissect(graph: Graph, places, order, leaf):
    """Bring the cells in `order` into the order of elimination; returns the first position of each node, and the end.

    places: whole numbers by cell, (cells, coordinates), across which it may be cut.  leaf: cells that stay together.
    """
    reach = _reaches(graph, places)
    starts = np.zeros(order.size + 1, np.bool_)
    side, apart = np.zeros(places.shape[0], np.int64), np.empty(order.size, np.int64)
    tally = np.empty(places.max() - places.min() + 1, np.int64)
    pending, depth, stamp = np.empty((order.size + 2, 2), np.int64), 1, 0
    pending[0, 0], pending[0, 1] = 0, order.size
    while depth > 0:
        depth -= 1
        low, high = pending[depth]
        starts[low] = True
        members = order[low:high]
        axis, cut = _cut(places, reach, members, tally) if high - low > leaf else (-1, 0)
        if axis < 0:
            continue
        stamp += 2
        for x in members:
            side[x] = stamp + (places[x, axis] > cut)
        lower, upper = _separate(graph, side, stamp, members, apart)
        starts[low + lower + upper] = True
        for begin, size in ((low, lower), (low + lower, upper)):
            if size > 0:
                pending[depth, 0], pending[depth, 1] = begin, begin + size
                depth += 1
    starts[order.size] = True
    return np.flatnonzero(starts)


@jit
def _separate(graph, side, stamp, members, apart):
    """Bring members into the order lower half, upper half, separator; returns the sizes of the halves."""
    lower, upper, between = 0, 0, members.size
    for x in members:
        if side[x] == stamp + 1:
            apart[upper] = x
            upper += 1
            continue
        touches = False
        for e in range(graph.pointer[x], graph.pointer[x + 1]):
            touches |= side[graph.neighbour[e]] == stamp + 1
        if touches:
            between -= 1
            apart[between] = x
        else:
            members[lower] = x
            lower += 1
    members[lower : lower + upper] = apart[:upper]
    members[lower + upper :] = apart[between : members.size]
    return lower, upper
