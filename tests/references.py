"""References in 30 digits that share no formula with the package: drift and diffusion as printed, integrated by mpmath.

    ln p(v) = int (A/D) dv - ln D(v)

A and D are those of Ziyin, Li & Ueda (arXiv 2308.06671), neither simplified nor divided by hand; the integral is taken
cell by cell with 10-point Gauss-Legendre rules in the computational coordinate s, whose error is far below 1e-20.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import mpmath as mp
import numpy as np

DIGITS = 30
RULE = 10

Coefficient = Callable[[mp.mpf], mp.mpf]


def network(
    moments: Sequence[float], temperature: float, depth: int, width: int = 1, weight_decay: float = 0.0
) -> tuple[Coefficient, Coefficient]:
    """A(v) and D(v) of the diagonal network, as printed, v > 0 (any v at depth 0)."""
    with mp.workdps(DIGITS):
        a1, a2, a3, b1, b2 = (mp.mpf(float(value)) for value in moments)
        n, d, t, gamma = depth + 1, mp.mpf(width), mp.mpf(float(temperature)), mp.mpf(float(weight_decay))
        pull, kick = 2 * n * d ** (mp.mpf(2) / n - 1), 2 * t * n * (n - 1) * d ** (-2 + mp.mpf(4) / n)
        noise = 2 * t * n**2 * d ** (mp.mpf(4) / n - 2)
        first, second, third = 2 - mp.mpf(2) / n, 3 - mp.mpf(4) / n, 4 - mp.mpf(4) / n

    def c(v: mp.mpf) -> mp.mpf:
        return a1 * v * v - 2 * a2 * v + a3

    def drift(v: mp.mpf) -> mp.mpf:
        bare = -pull * (b1 * v - b2) * (v**first if n > 1 else 1) - 2 * n * gamma * v
        return bare + kick * v**second * c(v) if n > 1 else bare

    def diffusion(v: mp.mpf) -> mp.mpf:
        return noise * (v**third if n > 1 else 1) * c(v)

    return drift, diffusion


def infinite_network(moments: Sequence[float], ratio: float) -> tuple[Coefficient, Coefficient]:
    """A(v) and D(v) in the limit of infinite depth, time in units of width/layers."""
    a1, a2, a3, b1, b2 = (mp.mpf(float(value)) for value in moments)
    r = mp.mpf(float(ratio))

    def c(v: mp.mpf) -> mp.mpf:
        return a1 * v * v - 2 * a2 * v + a3

    return lambda v: -2 * (b1 * v - b2) * v**2 + 2 / r * v**3 * c(v), lambda v: 2 / r * v**4 * c(v)


def log_density(
    coefficients: tuple[Coefficient, Coefficient],
    x: Coefficient,
    dx: Coefficient,
    s_nodes: Sequence[mp.mpf],
) -> list[mp.mpf]:
    """Unnormalised ln p at the nodes x(s_i)."""
    drift, diffusion = coefficients
    with mp.workdps(DIGITS):
        points, weights = _gauss_legendre()
        potential, result = mp.mpf(0), []
        for i, s in enumerate(s_nodes):
            if i:
                middle, half = (s_nodes[i - 1] + s) / 2, (s - s_nodes[i - 1]) / 2
                for point, weight in zip(points, weights, strict=True):
                    place = middle + half * point
                    v = x(place)
                    potential += weight * half * drift(v) / diffusion(v) * dx(place)
            result.append(potential - mp.log(diffusion(x(s))))
    return result


def log_axis(lo: float, hi: float, cells: int) -> tuple[Coefficient, Coefficient, list[mp.mpf], mp.mpf]:
    """x(s) = exp(s), its derivative, the nodes in s and their distance."""
    with mp.workdps(DIGITS):
        start, stop = mp.log(mp.mpf(lo)), mp.log(mp.mpf(hi))
        ds = (stop - start) / cells
        return mp.exp, mp.exp, [start + (i + mp.mpf(1) / 2) * ds for i in range(cells)], ds


def sinh_axis(
    lo: float, hi: float, cells: int, scale: float, center: float
) -> tuple[Coefficient, Coefficient, list[mp.mpf], mp.mpf]:
    """x(s) = center + scale sinh(s), its derivative, the nodes in s and their distance."""
    with mp.workdps(DIGITS):
        middle, unit = mp.mpf(center), mp.mpf(scale)
        start, stop = mp.asinh((mp.mpf(lo) - middle) / unit), mp.asinh((mp.mpf(hi) - middle) / unit)
        ds = (stop - start) / cells
        nodes = [start + (i + mp.mpf(1) / 2) * ds for i in range(cells)]
        return lambda s: middle + unit * mp.sinh(s), lambda s: unit * mp.cosh(s), nodes, ds


def on_interval(
    coefficients: tuple[Coefficient, Coefficient],
    axis: tuple[Coefficient, Coefficient, list[mp.mpf], mp.mpf],
) -> np.ndarray:
    """ln p at the nodes, normalised by the midpoint sum over this interval alone: sum p x' ds = 1."""
    x, dx, nodes, ds = axis
    with mp.workdps(DIGITS):
        logs = log_density(coefficients, x, dx, nodes)
        top = max(logs)
        total = mp.fsum(mp.exp(value - top) * dx(s) * ds for value, s in zip(logs, nodes, strict=True))
        return np.array([float(value - top - mp.log(total)) for value in logs])


def moments_on_half_line(
    coefficients: tuple[Coefficient, Coefficient], orders: Sequence[float], lo: float, hi: float, cells: int
) -> list[float]:
    """E v^k over (0, inf): the trapezoidal sum in ln v, with geometric tails beyond `lo` and `hi`."""
    x, dx, nodes, _ = log_axis(lo, hi, cells)
    with mp.workdps(DIGITS):
        logs = log_density(coefficients, x, dx, nodes)
        top, sums = max(logs), []
        for order in (0, *orders):
            terms = [mp.exp(value - top + (1 + order) * s) for value, s in zip(logs, nodes, strict=True)]
            tails = [end * end / (inner - end) for end, inner in ((terms[0], terms[1]), (terms[-1], terms[-2]))]
            sums.append(mp.fsum([*terms, *tails]))
        return [float(value / sums[0]) for value in sums[1:]]


@cache
def _gauss_legendre() -> tuple[list[mp.mpf], list[mp.mpf]]:
    """Double-precision points polished to DIGITS by Newton steps on the Legendre polynomial."""
    points, weights = [], []
    with mp.workdps(DIGITS):
        for guess in np.polynomial.legendre.leggauss(RULE)[0]:
            point = mp.mpf(float(guess))
            for _ in range(3):
                value, slope = _legendre(point)
                point -= value / slope
            points.append(point)
            weights.append(2 / ((1 - point**2) * _legendre(point)[1] ** 2))
    return points, weights


def _legendre(z: mp.mpf) -> tuple[mp.mpf, mp.mpf]:
    """P_n(z) and its derivative by Bonnet's recursion, n = RULE."""
    before, value = mp.mpf(1), z
    for k in range(2, RULE + 1):
        before, value = value, ((2 * k - 1) * z * value - (k - 1) * before) / k
    return value, RULE * (z * value - before) / (z * z - 1)
