"""Distances that see how far mass must move: Wasserstein by quantile coupling, and the mean discrepancy of a kernel.

In one dimension the cheapest plan moves quantile to quantile, so

    W_k^k = int_0^(1/2) |F^-1(u) - G^-1(u)|^k du + the same for -X and -Y,

each half integrated in ln u between all the levels at which either quantile has a kink, and continued to u = 0 as the
geometric series that power-law and exponential tails make.  Source: Villani, Topics in Optimal Transportation (2003),
section 2.2.
"""

from __future__ import annotations

import warnings
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, InvalidInput
from fpsolve.laws import Samples, Side, Steps
from fpsolve.values.continuation import share_beyond

__all__ = ["interquartile_range", "mean_discrepancy", "wasserstein"]

Array = NDArray[np.float64]
PANEL = 0.7  # widest interval of ln u
TAIL_PANELS = 60
LOWEST = 1e-20  # probabilities below are left to the series
FEW = 5000
NARROW = 0.02  # intervals of ln u where two points serve
ATOMS = 2**14
MOST_PAIRS = 4_000_000_000
BLOCK = 4_000_000


class Half(Protocol):
    """A law seen from its lower end."""

    @property
    def faces(self) -> Array: ...
    def __call__(self, x: Array) -> Array: ...
    def quantile(self, probability: Array) -> Array: ...


def wasserstein(a: Side, b: Side, order: int) -> float:
    """W_order; inf with a DegenerateWarning where a law lacks the moment of that order."""
    for side, label in ((a, "a"), (b, "b")):
        for upper in (False, True):
            e = side.exponent(upper)
            if e <= order:
                warnings.warn(
                    f"W{order} is infinite: {label} has p ~ |x|^-{1 + e:.4g} at its {'upper' if upper else 'lower'} "
                    f"end, so its moment of order {order} is; use KS, TV or hellinger",
                    DegenerateWarning,
                    stacklevel=4,
                )
                return float("inf")
    return float((_half(a.lower, b.lower, order) + _half(a.upper, b.upper, order)) ** (1.0 / order))


def _half(a: Half, b: Half, order: int) -> float:
    """int_0^(1/2) |F^-1 - G^-1|^order du."""
    levels = np.unique(np.concatenate([a.faces, b.faces, _crossings(a, b), _crossings(b, a)]))
    levels = np.append(levels[(levels > LOWEST) & (levels < 0.5)], 0.5)
    logs = np.log(levels)
    parts = np.ceil(np.diff(logs) / PANEL).astype(int)
    wide = np.flatnonzero(parts > 1)
    between = [np.linspace(logs[i], logs[i + 1], parts[i] + 1)[1:-1] for i in wide]
    logs = np.sort(np.concatenate([logs, *between]))
    total = _integral(a, b, order, logs).sum()
    tail = _integral(a, b, order, logs[0] + PANEL * np.arange(-TAIL_PANELS, 1))
    return float(total + tail.sum() + share_beyond(tail, upper=False))


def _integral(a: Half, b: Half, order: int, logs: Array) -> Array:
    """Over each interval of ln u, by Gauss-Legendre: the mean cost times the interval of u, exact for steps."""
    half, middle = 0.5 * np.diff(logs), 0.5 * (logs[:-1] + logs[1:])
    answer = np.empty(half.size)
    for points, chosen in ((2, half <= NARROW), (4, half > NARROW)):
        nodes, weights = np.polynomial.legendre.leggauss(points)
        u = np.exp(middle[chosen, None] + half[chosen, None] * nodes).ravel()
        cost = np.abs(a.quantile(u) - b.quantile(u)) ** order
        shares = u.reshape(-1, points) * weights
        answer[chosen] = (cost.reshape(-1, points) * shares).sum(axis=1) / shares.sum(axis=1)
    return answer * np.exp(logs[1:]) * -np.expm1(-2.0 * half)


def _crossings(steps: Half, curve: Half) -> Array:
    """Where a curve passes a few samples the cost has a kink; among many samples each interval is short anyway."""
    few = isinstance(steps, Steps) and not isinstance(curve, Steps) and steps.points.size < FEW
    return np.asarray(curve(steps.points)) if few and isinstance(steps, Steps) else np.empty(0)


def mean_discrepancy(a: Side, b: Side) -> float:
    """MMD with the kernel exp(-|x - y|/h), h the mean of the interquartile ranges."""
    (x, p), (y, q) = _atoms(a), _atoms(b)
    h = float(np.mean([interquartile_range(z[:, i], m) for z, m in ((x, p), (y, q)) for i in range(a.ndim)]))
    points, masses = np.concatenate([x, y]), np.concatenate([p, -q])
    h = h or float(np.ptp(points)) or 1.0
    total = _energy_1d(points[:, 0] / h, masses) if a.ndim == 1 else _energy(points / h, masses)
    return float(np.sqrt(max(total, 0.0)))  # a square in exact arithmetic: only rounding can make it negative


def interquartile_range(x: Array, masses: Array) -> float:
    """Between the points where the cumulative mass reaches 1/4 and 3/4."""
    order = np.argsort(x, kind="stable")
    low, high = np.searchsorted(np.cumsum(masses[order]) * (1.0 + 1e-12), [0.25, 0.75])  # 30/120 reaches 1/4
    return float(x[order[min(high, x.size - 1)]] - x[order[low]])


def _atoms(side: Side) -> tuple[Array, Array]:
    """Points (m, d) and masses: samples, or the cells of a density and, at the outer faces, what lies beyond."""
    if isinstance(side, Samples):
        return side.positions, np.full(side.n, 1.0 / side.n)
    p = side.density
    if side.ndim > 1:
        mesh = np.broadcast_arrays(*p.grid.mesh())
        return np.stack([x.ravel() for x in mesh], axis=-1), p.masses.ravel()
    axis = side.axis
    parts = -(-ATOMS // axis.cells)  # atoms a distance w apart add some w/(3 h) to MMD: the kernel has a kink
    s_faces = np.linspace(axis.start, axis.stop, axis.cells * parts + 1)
    masses = np.diff(side.lower(axis.x(s_faces)))
    points = np.concatenate([axis.x(0.5 * (s_faces[:-1] + s_faces[1:])), [axis.lo, axis.hi]])
    return points[:, None], np.append(masses, [side.lower.faces[0], side.upper.faces[0]])


def _energy_1d(x: Array, masses: Array) -> float:
    """sum_ij m_i m_j exp(-|x_i - x_j|), by the recursion S_i = exp(x_(i-1) - x_i) S_(i-1) + m_i in log2(n) sweeps."""
    x, place = np.unique(x, return_inverse=True)
    joined = np.asarray(np.bincount(place, masses), dtype=float)
    with np.errstate(under="ignore"):
        decay, sums, reach = np.exp(-np.diff(x, prepend=x[0])), joined.copy(), 1
        decay[0] = 0.0
        while reach < x.size and decay.max() > 0.0:
            sums[reach:] += decay[reach:] * sums[:-reach]
            decay[reach:] *= decay[:-reach].copy()
            decay[:reach] = 0.0
            reach *= 2
    return float(joined @ (2.0 * sums - joined))


def _energy(x: Array, masses: Array) -> float:
    """The same in several dimensions, pair by pair."""
    used = masses != 0.0
    x, masses = x[used], masses[used]
    if x.shape[0] ** 2 > MOST_PAIRS:
        raise InvalidInput(
            f"MMD in {x.shape[1]} dimensions compares all pairs of {x.shape[0]} points; give at most "
            f"{int(MOST_PAIRS**0.5)} samples and cells together, or compare marginals"
        )
    rows = max(1, BLOCK // x.shape[0])
    squares = (x**2).sum(axis=1)
    total = 0.0
    for start in range(0, x.shape[0], rows):
        block = slice(start, start + rows)
        squared = squares[block, None] + squares - 2.0 * x[block] @ x.T
        total += masses[block] @ np.exp(-np.sqrt(np.abs(squared))) @ masses
    return float(total)
