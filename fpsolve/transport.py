"""Distances that see how far mass must move: Wasserstein by quantile coupling, and the mean discrepancy of a kernel.

In one dimension the cheapest plan moves quantile to quantile, so

    W_k^k = int_0^(1/2) |F^-1(u) - G^-1(u)|^k du + the same for -X and -Y,

each half integrated in ln u between all the levels at which either quantile has a kink, and continued to u = 0 as the
geometric series that power-law and exponential tails make.  Source: Villani, Topics in Optimal Transportation (2003),
section 2.2.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import DegenerateWarning, InvalidInput, warn
from fpsolve.laws import Law, Samples, Side, Steps
from fpsolve.values.conditional import gathered
from fpsolve.values.continuation import share_beyond

__all__ = ["atoms", "interquartile_range", "lacks_moment", "mean_discrepancy", "wasserstein"]

Array = NDArray[np.float64]
PANEL = 0.7  # widest interval of ln u
TAIL_PANELS = 60
LOWEST = 1e-20  # probabilities below are left to the series
FEW = 5000
NARROW = 0.02  # intervals of ln u where two points serve
ATOMS = 2**14
MOST_PAIRS = 4_000_000_000
WEIGHTLESS = 1e-13
BLOCK = 1_000_000


class Half(Protocol):
    """A law seen from its lower end."""

    @property
    def faces(self) -> Array: ...
    def __call__(self, x: Array) -> Array: ...
    def quantile(self, probability: Array) -> Array: ...


def wasserstein(a: Side, b: Side, order: int) -> float:
    """W_order; inf with a DegenerateWarning where a law lacks the moment of that order."""
    if lacks_moment(a, b, order):
        return float("inf")
    return float((_half(a.lower, b.lower, order) + _half(a.upper, b.upper, order)) ** (1.0 / order))


def lacks_moment(a: Side, b: Side, order: int) -> bool:
    """Whether W_order is infinite, told by a DegenerateWarning that names the law, the end and its exponent."""
    for side, label in ((a, "a"), (b, "b")):
        for end, e in side.exponents():
            if e <= order:
                warn(
                    f"W{order} is infinite: {label} has p ~ |x|^-{1 + e:.4g} at its {end}, so its moment of order "
                    f"{order} is; use KS, TV or hellinger",
                    DegenerateWarning,
                )
                return True
    return False


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
    (x, p), (y, q) = atoms(a), atoms(b)
    h = float(np.mean([*_widths(a, x, p), *_widths(b, y, q)]))
    if isinstance(a, Law) and isinstance(b, Law) and x.shape == y.shape and np.array_equal(x, y):
        points, masses = x, p - q
    else:
        points, masses = np.concatenate([x, y]), np.concatenate([p, -q])
    h = h or float(np.ptp(points)) or 1.0
    total = _energy_1d(points[:, 0] / h, masses) if a.ndim == 1 else _energy(points / h, masses)
    return float(np.sqrt(max(total, 0.0)))  # a square in exact arithmetic: only rounding can make it negative


def _widths(side: Side, x: Array, masses: Array) -> list[float]:
    """Interquartile ranges of the coordinates; those of a density of several by its marginals' quantiles."""
    if side.ndim == 1 or isinstance(side, Samples):
        return [interquartile_range(x[:, i], masses) for i in range(side.ndim)]
    quartiles = [side.density.marginal(name).quantile(np.array([0.25, 0.75])) for name in side.density.grid.names]
    return [float(high - low) for low, high in quartiles]


def interquartile_range(x: Array, masses: Array) -> float:
    """Between the points where the cumulative mass reaches 1/4 and 3/4."""
    order = np.argsort(x, kind="stable")
    low, high = np.searchsorted(np.cumsum(masses[order]) * (1.0 + 1e-12), [0.25, 0.75])  # 30/120 reaches 1/4
    return float(x[order[min(high, x.size - 1)]] - x[order[low]])


def atoms(side: Side) -> tuple[Array, Array]:
    """Points (m, d) and masses: samples, or the cells of a density with what lies beyond its open ends.

    That is put at the outer faces in one dimension, into the outermost cells in several.
    """
    if isinstance(side, Samples):
        return side.positions, np.full(side.n, 1.0 / side.n)
    p = side.density
    if side.ndim > 1:
        mesh = np.broadcast_arrays(*p.grid.mesh())
        return np.stack([x.ravel() for x in mesh], axis=-1), gathered(p).ravel()
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
    """The same in several dimensions, pair by pair; points that together weigh nothing beside rounding are left out."""
    from scipy.spatial.distance import cdist

    light = np.argsort(np.abs(masses))
    used = light[np.cumsum(np.abs(masses[light])) > WEIGHTLESS]  # MMD changes by their weight at most
    x, masses = x[used], masses[used]
    if used.size**2 > MOST_PAIRS:
        raise InvalidInput(
            f"MMD in {x.shape[1]} dimensions compares all pairs of {used.size} points; give at most "
            f"{int(MOST_PAIRS**0.5)} samples and cells together, take 'sliced W1', or compare marginals"
        )
    rows = max(1, BLOCK // max(used.size, 1))
    total = 0.0
    for start in range(0, used.size, rows):
        kernel = cdist(x[start : start + rows], x[start:])
        np.exp(np.negative(kernel, out=kernel), out=kernel)
        own = kernel.shape[0]
        twice = np.concatenate([masses[start : start + own], 2.0 * masses[start + own :]])  # each pair once
        total += float(masses[start : start + own] @ (kernel @ twice))
    return total
