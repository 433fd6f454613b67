"""What walls take from full tensors, given back to the cells beside them: second order where p does not vanish there.

Offsets e that cross a wall with normal n are dropped.  Their normal flux adds up to nothing, their flux along the wall
does not: with v = e_t - e_n D_tn/D_nn, which is what e feels where nothing crosses, the wall's cells lack the tensor

    C = 1/2 sum_e lambda_e |e_n| e_t v^T.

Its symmetric part, where it has no negative eigenvalue (up to conditions of about 35), is decomposed into edges along
the wall; elsewhere walls stay first order.  Rates stay >= 0, and a Gibbs density exact.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fpsolve.grid import Grid
from fpsolve.kernels.selling import decompose

__all__ = ["along_walls"]

Array = NDArray[np.float64]
Indices = NDArray[np.int64]


def along_walls(grid: Grid, offsets: Indices, weights: Array) -> tuple[Indices, Array]:
    """The decompositions, offsets (cells, pairs, ndim) and weights, with the pairs that cells beside walls lack."""
    extra, given = [offsets], [weights]
    for k, axis in enumerate(grid.axes):
        if axis.periodic:
            continue
        along = [i for i in range(grid.ndim) if i != k]
        layer = np.zeros(grid.shape, dtype=bool)
        for upper in (False, True):
            if axis.ends[upper] != "absorbing":
                layer[(slice(None),) * k + (-1 if upper else 0,)] = True
        cells = np.flatnonzero(layer)
        e, w = offsets[cells].astype(float), weights[cells]
        normal, tangential = e[:, :, k], e[:, :, along]
        across = np.einsum("cp,cp,cp->c", w, normal, normal)
        crossing = np.einsum("cp,cp,cpi->ci", w, normal, tangential) / np.where(across > 0, across, 1.0)[:, None]
        felt = tangential - normal[:, :, None] * crossing[:, None, :]
        lacking = 0.5 * np.einsum("cp,cpi,cpj->ijc", w * np.abs(normal), tangential, felt)
        short, shares = _pieces(0.5 * (lacking + np.swapaxes(lacking, 0, 1)))
        there = (
            np.zeros((grid.size, shares.shape[1], grid.ndim), dtype=np.int64),
            np.zeros((grid.size, shares.shape[1])),
        )
        for row, i in enumerate(along):
            there[0][cells, :, i] = short[:, :, row]
        there[1][cells] = shares
        extra.append(there[0])
        given.append(there[1])
    return _without_doubles(np.concatenate(extra, axis=1), np.concatenate(given, axis=1))


def _pieces(tensors: Array) -> tuple[Indices, Array]:
    """Offsets and weights of tensors (d, d, cells), d = 1 or 2; none where one has a negative eigenvalue."""
    count = tensors.shape[2]
    if len(tensors) == 1:
        return np.ones((count, 1, 1), dtype=np.int64), np.maximum(tensors[0, 0], 0.0)[:, None]
    whole = (tensors[0, 0] > 0) & (tensors[0, 0] * tensors[1, 1] > tensors[0, 1] ** 2)
    short, shares = np.zeros((count, 3, 2), dtype=np.int64), np.zeros((count, 3))
    kept, parts = np.zeros((int(whole.sum()), 3, 2), dtype=np.int64), np.zeros((int(whole.sum()), 3))
    decompose(np.ascontiguousarray(tensors[:, :, whole]), kept, parts)
    short[whole], shares[whole] = kept, parts
    return short, shares


def _without_doubles(offsets: Indices, weights: Array) -> tuple[Indices, Array]:
    """One entry per offset of a cell: later ones are added to the first."""
    for later in range(1, weights.shape[1]):
        for earlier in range(later):
            same = np.all(offsets[:, earlier] == offsets[:, later], axis=1) & (weights[:, later] > 0)
            same &= weights[:, earlier] > 0
            weights[same, earlier] += weights[same, later]
            weights[same, later] = 0.0
    return offsets, weights
