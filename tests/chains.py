"""Chains on small grids whose null vectors are known, and eliminations in plain numpy and in high precision."""

import mpmath
import numpy as np
from hypothesis import strategies as st
from scipy import sparse

FIVE, SEVEN, LONG = [(1, 0), (0, 1)], [(1, 0), (0, 1), (1, 1)], [(1, 0), (5, 1), (6, 1)]
IN_SPACE, OBLIQUE = [(1, 0, 0), (0, 1, 0), (0, 0, 1)], [(1, 0, 0), (0, 1, 0), (3, 1, 1), (2, 1, 0), (2, 0, 1)]


def grid(shape):
    """The place of each cell, (cells, ndim), in C order."""
    return np.indices(shape).reshape(len(shape), -1).T.copy()


def edges(shape, offsets, periodic=()):
    """Pairs of flat cells that lie an offset apart."""
    places, pairs = grid(shape), []
    for offset in offsets:
        to = places + np.array(offset)
        for axis in periodic:
            to[:, axis] %= shape[axis]
        inside = np.all((to >= 0) & (to < shape), axis=1)
        start, stop = np.flatnonzero(inside), np.ravel_multi_index(tuple(to[inside].T), shape)
        pairs.append(np.stack([start, stop], axis=1)[start != stop])
    return np.concatenate(pairs).T


def generator(cells, starts, stops, rates):
    """The matrix of dm/dt = L m: columns sum to 0."""
    flow = sparse.csc_matrix((rates, (stops, starts)), shape=(cells, cells))
    return (flow - sparse.diags(np.asarray(flow.sum(axis=0)).ravel())).tocsc()


def bernoulli(z):
    small = np.abs(z) < 1e-12
    safe = np.where(small, 1.0, z)
    with np.errstate(over="ignore"):
        return np.where(small, 1.0, safe / np.expm1(safe))


def balanced(log_p, shape, offsets, periodic=(), conductance=None):
    """Rates in detailed balance with masses exp(log_p), exponentially fitted."""
    left, right = edges(shape, offsets, periodic)
    k = np.ones(left.size) if conductance is None else conductance(left, right)
    z = log_p[right] - log_p[left]
    starts, stops = np.append(left, right), np.append(right, left)
    return generator(log_p.size, starts, stops, np.append(k * bernoulli(-z), k * bernoulli(z)))


def stirred(rates, log_p, shape, strength=0.5):
    """The same null vector with currents: flow around every square of four cells in the first two axes."""
    corner = np.ravel_multi_index(tuple(grid(tuple(n - 1 for n in shape)).T), shape)
    strides = [int(np.prod(shape[1:])), int(np.prod(shape[2:]))]
    loop = [corner, corner + strides[0], corner + strides[0] + strides[1], corner + strides[1]]
    log_flow = np.min([log_p[cells] for cells in loop], axis=0)
    starts, stops = np.concatenate(loop), np.concatenate(loop[1:] + loop[:1])
    flow = strength * np.exp(np.tile(log_flow, 4) - log_p[starts])
    return (rates + generator(log_p.size, starts, stops, flow)).tocsc()


def normalised(log_p):
    p = np.exp(log_p - log_p.max())
    return p / p.sum()


def bowl(shape, depth):
    """ln p of a Gaussian in the middle of the grid, -depth at the middle of a side."""
    middle = (np.array(shape) - 1) / 2
    return -depth * (((grid(shape) - middle) / middle) ** 2).sum(axis=1)


def wells(shape, barrier, tilt=0.3):
    """ln p of two wells along the first axis, the second deeper by 2 tilt, narrow along the others."""
    x = (grid(shape) - (np.array(shape) - 1) / 2) / (np.array(shape) / 4)
    return -barrier * (x[:, 0] ** 2 - 1) ** 2 + tilt * x[:, 0] - 3 * (x[:, 1:] ** 2).sum(axis=1)


@st.composite
def chains(draw):
    """Irreducible chains: random edges on a grid, with rates over many decades, and a ring through all cells."""
    shape = draw(st.sampled_from([(1,), (2,), (70,), (1, 9), (9, 8), (13, 14), (4, 5, 6), (2, 3, 25)]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    cells = int(np.prod(shape))
    reach = draw(st.integers(1, 7))
    offsets = [tuple(rng.integers(-reach, reach + 1, len(shape))) for _ in range(draw(st.integers(0, 4)))]
    periodic = draw(st.sets(st.integers(0, len(shape) - 1)))
    ring = rng.permutation(cells)
    starts, stops = edges(shape, [o for o in offsets if any(o)] or [(1,) * len(shape)], periodic)
    one_way = rng.random(starts.size) < draw(st.sampled_from([0.0, 0.5]))
    starts, stops = (
        np.concatenate([starts, stops[~one_way], ring]),
        np.concatenate([stops, starts[~one_way], np.roll(ring, 1)]),
    )
    keep = starts != stops
    decades = draw(st.sampled_from([0.0, 3.0, 20.0]))
    return shape, generator(cells, starts[keep], stops[keep], 10.0 ** rng.uniform(-decades, decades, int(keep.sum())))


def dense_null_vector(matrix):
    """GTH state by state, on a dense copy: the twin of the kernels."""
    a = matrix.toarray().T.copy()  # a[i, j]: rate from i to j
    np.fill_diagonal(a, 0.0)
    for k in range(len(a) - 1, 0, -1):
        a[:k, k] /= a[k, :k].sum()
        a[:k, :k] += np.outer(a[:k, k], a[k, :k]) * (1 - np.eye(k))
    pi = np.zeros(len(a))
    pi[0] = 1.0
    for k in range(1, len(a)):
        pi[k] = pi[:k] @ a[:k, k]
    return pi / pi.sum()


def exact_null_vector(matrix, digits=120):
    """The null vector by LU in high precision, the diagonal taken from the off-diagonals."""
    with mpmath.workdps(digits):
        a = _exact(matrix)
        n = a.rows
        for j in range(n):
            a[0, j] = mpmath.mpf(1)
        return np.array([float(value) for value in mpmath.lu_solve(a, mpmath.matrix([1] + [0] * (n - 1)))])


def exact_passage(matrix, killing, rhs, digits=120):
    """tau with (killing - L^T) tau = rhs by LU in high precision."""
    with mpmath.workdps(digits):
        a = -_exact(matrix).T
        for i in range(a.rows):
            a[i, i] += mpmath.mpf(float(killing[i]))
        return np.array([float(value) for value in mpmath.lu_solve(a, mpmath.matrix([float(b) for b in rhs]))])


def _exact(matrix):
    off = matrix.toarray()
    np.fill_diagonal(off, 0.0)
    a = mpmath.matrix(off.tolist())
    for j in range(a.cols):
        a[j, j] = -mpmath.fsum(a[i, j] for i in range(a.rows))
    return a
