"""Elimination of states from a Markov chain without a subtraction, front by front.

Cutting a panel P of states out of a chain leaves, on the states T that remain, the chain
    A_TT + A_TP N A_PT,   N = (S - A_PP)^-1 >= 0,   S = the total rate out of each state of P,
and N follows from the off-diagonals and the rates that leave P by sums, products and quotients alone, so that every
entry keeps its relative accuracy.  Then  pi_P = pi_T G  with G = A_TP N, and mean times to leave a chain that is
killed are  tau_P = N b_P + (N A_PT) tau_T.  Fronts hold off-diagonals; their diagonals are never read.

A front that is `turned` holds the transpose: N A_PT stands there where G stands otherwise, and one code serves both.

What underflow may have lost counts as one more way out of every state, at LOST of the largest rate.  It is carried
along; a state that is left mostly that way cannot be eliminated, and is reported.
Sources: Grassmann, Taksar & Heyman, Oper. Res. 33, 1107 (1985); O'Cinneide, Numer. Math. 65, 109 (1993).
"""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.dissection import Graph
from fpsolve.kernels.fronts import Tree, panel_width
from fpsolve.kernels.jit import jit

TILE = 32  # rows of a product: what is added stays in the cache
SMALL = 2**18  # multiplications in a product: BLAS takes one thread for these; waking more costs more than it saves
CLEAR = 1e12  # a state's rates out stand at least so far above what may have been lost of them


@jit
def eliminate(tree: Tree, graph: Graph, turned, begin, end, factor, stack, front, updates, factors, beside, stuck):
    """Eliminate the nodes begin, ..., end - 1; False where a state cannot be left: then stuck = (position, rate out).

    factor, stack: where the factor of each node begins in `factors`, and its update in `updates`.
    front: room for the largest front.
    beside: by position (what may be lost, rate that leaves the chain, right-hand sides ...); overwritten.
    """
    local = np.empty(tree.place.size, np.int64)
    for k in range(begin, end):
        rim = tree.boundary[tree.pointer[k] : tree.pointer[k + 1]]
        own = tree.first[k + 1] - tree.first[k]
        cells = np.empty(own + rim.size, np.int64)
        for i in range(own):
            cells[i] = tree.first[k] + i
        cells[own:] = rim
        for i in range(cells.size):
            local[cells[i]] = i
        rates = front[: cells.size * cells.size].reshape((cells.size, cells.size))
        rates[:] = 0.0
        _enter_rates(tree, graph, cells, own, local, rates)
        _enter_updates(tree, k, local, updates, stack, rates)
        bad = _eliminate_front(rates, own, turned, cells, beside, factors[factor[k] : factor[k + 1]], stuck[1:])
        if bad >= 0:
            stuck[0] = cells[bad]
            return False
        update = updates[stack[k] : stack[k] + rim.size * rim.size].reshape((rim.size, rim.size))
        for i in range(rim.size):
            update[i] = rates[own + i, own:]
    return True


@jit
def substitute(tree: Tree, factor, factors, x):
    """x_P += x_T G, panel by panel from the last to the first; x by position, shape (cells, columns)."""
    for k in range(tree.first.size - 2, -1, -1):
        start, own = tree.first[k], tree.first[k + 1] - tree.first[k]
        rim = tree.boundary[tree.pointer[k] : tree.pointer[k + 1]]
        at, panel = factor[k + 1], panel_width(own)
        for a in range((own - 1) // panel * panel, -1, -panel):
            b = min(a + panel, own)
            rest = own + rim.size - b
            at -= (b - a) * rest
            gain = factors[at : at + rest * (b - a)].reshape((rest, b - a))
            for i in range(rest):
                p = start + b + i if b + i < own else rim[b + i - own]
                for column in range(x.shape[1]):
                    later = x[p, column]
                    for j in range(b - a):
                        x[start + a + j, column] += later * gain[i, j]


@jit
def _enter_rates(tree, graph, cells, own, local, rates):
    """The rates between a node's own cells, and between them and its boundary."""
    for i in range(own):
        x = tree.order[cells[i]]
        for e in range(graph.pointer[x], graph.pointer[x + 1]):
            p = tree.place[graph.neighbour[e]]
            if p > cells[i]:  # an earlier cell has entered this pair
                rates[i, local[p]] = graph.outward[e]
                rates[local[p], i] = graph.inward[e]


@jit
def _enter_updates(tree, k, local, updates, stack, rates):
    """What the elimination of the children of node k has left between the cells of their boundaries."""
    child = tree.child[k]
    while child >= 0:
        rim = tree.boundary[tree.pointer[child] : tree.pointer[child + 1]]
        update = updates[stack[child] : stack[child] + rim.size * rim.size].reshape((rim.size, rim.size))
        to = np.empty(rim.size, np.int64)
        for i in range(rim.size):
            to[i] = local[rim[i]]
        for i in range(rim.size):
            row, added = rates[to[i]], update[i]
            for j in range(rim.size):
                row[to[j]] += added[j]
        child = tree.sibling[child]


@jit
def _eliminate_front(rates, own, turned, cells, beside, factors, total):
    """Eliminate the first `own` cells of a front in panels; -1, or the row that cannot be left, with its rate out."""
    size, at, panel = cells.size, 0, panel_width(own)
    for a in range(0, own, panel):
        b = min(a + panel, own)
        width, rest = b - a, size - b
        gain = factors[at : at + rest * width].reshape((rest, width))
        at += rest * width
        right, below = rates[a:b, b:].copy(), rates[b:, a:b].copy()
        inverse = np.empty((width, width))
        inside = beside[cells[a] : cells[a] + width].copy()
        bad = _invert_panel(rates[a:b, a:b], right, below, turned, inside, inverse, total)
        if bad >= 0:
            return a + bad
        if turned:
            inside = np.dot(inverse, inside)
            beside[cells[a] : cells[a] + width] = inside
            spread = np.dot(inside.T.copy(), right).T.copy()
            inverse = inverse.T.copy()
        rows = SMALL // (width * width)
        for low in range(0, rest, rows):
            np.dot(below[low : low + rows], inverse, gain[low : low + rows])
        if not turned:
            spread = np.dot(gain, inside)
        for i in range(rest):
            for column in range(spread.shape[1]):
                beside[cells[b + i], column] += spread[i, column]
        _add_product(gain, right, rates[b:, b:])
    return -1


@jit
def _add_product(gain, right, rates):
    """rates += gain right, tile by tile."""
    rest, width = gain.shape
    columns = SMALL // (TILE * width)
    space = np.empty(TILE * columns)
    for left in range(0, rest, columns):
        part = right[:, left : left + columns].copy()
        for low in range(0, rest, TILE):
            high = min(low + TILE, rest)
            tile = space[: (high - low) * part.shape[1]].reshape((high - low, part.shape[1]))
            np.dot(gain[low:high], part, tile)
            for i in range(low, high):
                row, added = rates[i], tile[i - low]
                for j in range(added.size):
                    row[left + j] += added[j]


@jit
def _invert_panel(panel, right, below, turned, inside, inverse, total):
    """N of a panel of a front, from its own rates and those that leave it."""
    width = panel.shape[0]
    block = panel.T.copy() if turned else panel.copy()
    lost, leaving = inside[:, 0].copy(), inside[:, 1].copy()
    if turned:
        for j in range(below.shape[0]):
            for i in range(width):
                leaving[i] += below[j, i]
    else:
        for i in range(width):
            leaving[i] += right[i].sum()
    return _invert(block, leaving, lost, inverse, total)


@jit
def _invert(block, leaving, lost, inverse, total):
    """N = (S - block)^-1; -1, or the row that cannot be left.  All arguments are overwritten."""
    size = leaving.size
    rate_out = np.empty(size)
    for k in range(size):
        rate_out[k] = leaving[k] + block[k, k + 1 :].sum()
        if not rate_out[k] > CLEAR * lost[k]:
            total[0] = rate_out[k]
            return k
        for i in range(k + 1, size):
            share = block[i, k] / rate_out[k]
            block[i, k] = share
            if share != 0.0:
                for j in range(k + 1, size):
                    block[i, j] += share * block[k, j]
                leaving[i] += share * leaving[k]
                lost[i] += share * lost[k]
    for k in range(size):  # (1 - L)^-1, L the shares below the diagonal
        inverse[k] = 0.0
        inverse[k, k] = 1.0
        for q in range(k):
            if block[k, q] != 0.0:
                for j in range(q + 1):
                    inverse[k, j] += block[k, q] * inverse[q, j]
    for k in range(size - 1, -1, -1):  # (diag(rate_out) - U)^-1 (1 - L)^-1, U the rates above it
        for q in range(k + 1, size):
            if block[k, q] != 0.0:
                for j in range(size):
                    inverse[k, j] += block[k, q] * inverse[q, j]
        for j in range(size):
            inverse[k, j] /= rate_out[k]
    return -1
