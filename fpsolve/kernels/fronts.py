"""The fronts of an elimination, and where their numbers are kept.

The leaves and separators of a dissection are the nodes of a tree.  A node's front joins its own cells to its boundary:
the later cells that it or its children touch.  Eliminating its own cells leaves an update of the boundary, which waits
on a stack for the front of the parent.
Source: Duff & Reid, ACM Trans. Math. Softw. 9, 302 (1983).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fpsolve.kernels.dissection import Graph
from fpsolve.kernels.jit import jit


class Tree(NamedTuple):
    """Cells in the order of their elimination, and the nodes that they fall into, children before parents.

    order: cell at each position; place: position of each cell.
    first: nodes + 1 positions; node k owns first[k] up to first[k + 1].
    pointer, boundary: positions on the boundary of node k, rising: boundary[pointer[k] : pointer[k + 1]].
    child, sibling: first child of each node and next child of its parent; -1 ends the list.
    """

    order: np.ndarray
    place: np.ndarray
    first: np.ndarray
    pointer: np.ndarray
    boundary: np.ndarray
    child: np.ndarray
    sibling: np.ndarray


@jit
def find_boundaries(graph: Graph, order, place, first):
    """The Tree of the nodes that begin at `first`; a node's parent owns the lowest position on its boundary."""
    nodes = first.size - 1
    owner, seen = np.empty(place.size, np.int64), np.full(place.size, -1, np.int64)
    pointer, boundary = np.zeros(nodes + 1, np.int64), np.empty(4 * place.size, np.int64)
    child, sibling = np.full(nodes, -1, np.int64), np.full(nodes, -1, np.int64)
    for k in range(nodes):
        owner[first[k] : first[k + 1]] = k
    for k in range(nodes):
        count = pointer[k]
        for x in order[first[k] : first[k + 1]]:
            touched = place[graph.neighbour[graph.pointer[x] : graph.pointer[x + 1]]]
            boundary = _with_room(boundary, count + touched.size)
            count = _note(touched, k, first[k + 1], seen, boundary, count)
        c = child[k]
        while c >= 0:
            boundary = _with_room(boundary, count + pointer[c + 1] - pointer[c])
            count = _note(boundary[pointer[c] : pointer[c + 1]], k, first[k + 1], seen, boundary, count)
            c = sibling[c]
        boundary[pointer[k] : count].sort()
        pointer[k + 1] = count
        if count > pointer[k] and boundary[pointer[k]] < first[nodes]:
            parent = owner[boundary[pointer[k]]]
            sibling[k] = child[parent]
            child[parent] = k
    return Tree(order, place, first, pointer, boundary[: pointer[nodes]].copy(), child, sibling)


@jit
def _note(positions, k, end, seen, boundary, count):
    """Append to the boundary of node k those positions from `end` on that it does not have yet."""
    for p in positions:
        if p >= end and seen[p] != k:
            seen[p] = k
            boundary[count] = p
            count += 1
    return count


@jit
def _with_room(boundary, size):
    """The same list, twice as long where it has no room for `size` entries."""
    if size <= boundary.size:
        return boundary
    longer = np.empty(2 * size, np.int64)
    longer[: boundary.size] = boundary
    return longer


@jit
def panel_width(own):
    """How many of a node's own cells are eliminated at once: wide panels read a large front less often."""
    return 32 if own <= 128 else 64


@jit
def lay_out(tree: Tree):
    """Where each node's factor begins and its update is stacked, its work (multiplications), and the largest sizes.

    Returns (factor, stack, work, height, front): factor has nodes + 1 entries; height is the stack's, front the
    largest front's, in numbers.
    """
    nodes = tree.first.size - 1
    factor, stack, work = np.zeros(nodes + 1, np.int64), np.zeros(nodes, np.int64), np.zeros(nodes)
    waiting, used, depth = np.empty(nodes, np.int64), np.zeros(nodes, np.bool_), 0
    top = height = front = 0
    for k in range(nodes):
        own, rim = tree.first[k + 1] - tree.first[k], tree.pointer[k + 1] - tree.pointer[k]
        front = max(front, (own + rim) ** 2)
        factor[k + 1] = factor[k]
        panel = panel_width(own)
        for begin in range(0, own, panel):
            width = min(panel, own - begin)
            rest = own + rim - begin - width
            factor[k + 1] += rest * width
            work[k] += float(rest + width) ** 2 * width
        c = tree.child[k]
        while c >= 0:
            used[c] = True
            c = tree.sibling[c]
        while depth > 0 and used[waiting[depth - 1]]:
            depth -= 1
            top = stack[waiting[depth]]
        stack[k] = top
        if rim > 0:
            waiting[depth] = k
            depth += 1
            top += rim * rim
            height = max(height, top)
    return factor, stack, work, height, front
