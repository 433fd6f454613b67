"""Fluxes of wide edges as fluxes over faces: every edge goes along all the staircases from its one cell to the other.

An edge with offset e crosses |e_k| faces across axis k.  Its flux is shared equally by the d! orders in which the axes
can be walked: one order alone would displace it by half the offset, which is first order.
"""

from __future__ import annotations

import numpy as np

from fpsolve.kernels.jit import jit


@jit
def route(shape, periodic, orders, left, offsets, fluxes, starts, faces):
    """Add the fluxes of edges to `faces`, flat; those across axis k begin at starts[k].

    Faces across axis k have the grid's shape with one more along k; on a periodic axis the last is left for the caller.
    orders: (d!, d) permutations of the axes.
    """
    ndim = shape.size
    place, here = np.empty(ndim, dtype=np.int64), np.empty(ndim, dtype=np.int64)
    for edge in range(left.size):
        if fluxes[edge] == 0.0:
            continue
        rest = left[edge]
        for k in range(ndim - 1, -1, -1):
            place[k] = rest % shape[k]
            rest //= shape[k]
        single = 0
        for k in range(ndim):
            single += abs(offsets[edge, k])
        count = orders.shape[0] if single > 1 else 1
        share = fluxes[edge] / count
        for order in range(count):
            here[:] = place
            for index in range(ndim):
                k = orders[order, index]
                sign = 1 if offsets[edge, k] > 0 else -1
                for _ in range(abs(offsets[edge, k])):
                    crossed = here[k] + (1 if sign > 0 else 0)
                    if periodic[k]:
                        crossed %= shape[k]
                    position = 0
                    for m in range(ndim):
                        size = shape[m] + (1 if m == k else 0)
                        position = position * size + (crossed if m == k else here[m])
                    faces[starts[k] + position] += sign * share
                    here[k] += sign
                    if periodic[k]:
                        here[k] %= shape[k]
