"""Stable laws of the plane in closed form, and one slow way to the rates between its cells."""

import math

import numpy as np
from scipy.special import gamma, hyp1f1

import fpsolve as fp

SHEAR = ((1.0, 0.5), (0.2, 0.7))
INDICES = [0.5, 1.0, 1.5, 1.9]


def toward_middle(x, y):
    return -x, -y


def grid_of(cells, reach, ends="open"):
    """Equal cells; reach and ends: one for both axes or one each."""
    reaches, kinds = (part if isinstance(part, list) else [part, part] for part in (reach, ends))
    return fp.Grid(
        **{n: fp.Axis.uniform(-r, r, cells, ends=kind) for n, r, kind in zip("xy", reaches, kinds, strict=True)}
    )


def image(matrix, x, y):
    """M^-1 (x, y) and |det M|."""
    (a, b), (c, d) = np.linalg.inv(matrix)
    return a * x + b * y, c * x + d * y, abs(float(np.linalg.det(matrix)))


def of_gaussian(alpha, x, y, matrix=((1.0, 0.0), (0.0, 1.0))):
    """exp(-|M^-1 x|^2), and what jumps M L do to it: -2^alpha Gamma(1 + alpha/2) 1F1(1 + alpha/2; 1; -|M^-1 x|^2)."""
    u, v, _ = image(matrix, x, y)
    square = u * u + v * v
    return np.exp(-square), -(2.0**alpha) * gamma(1 + alpha / 2) * hyp1f1(1 + alpha / 2, 1.0, -square)


def cauchy(x, y, scale=1.0, matrix=((1.0, 0.0), (0.0, 1.0))):
    """scale/(2 pi (scale^2 + |M^-1 x|^2)^(3/2)) / |det M|."""
    u, v, size = image(matrix, x, y)
    return scale / (2.0 * np.pi * (scale**2 + u * u + v * v) ** 1.5) / size


def whole_plane(alpha, widths, reach=400):
    """The sum of all rates out of a cell, by brute force: cells within `reach`, and an integral beyond a circle."""
    m = np.arange(-reach, reach + 1.0)
    square = (widths[0] * m[:, None]) ** 2 + (widths[1] * m) ** 2
    radius = reach * min(widths)
    inside = (square > 0) & (square <= radius**2)
    constant = alpha * 2.0 ** (alpha - 1) * gamma(1 + alpha / 2) / (np.pi * gamma(1 - alpha / 2))
    area = widths[0] * widths[1]
    return constant * float(area * (square[inside] ** (-1 - alpha / 2)).sum() + 2 * math.pi * radius**-alpha / alpha)


def relaxing(grid, alpha, t, start, std, diffusion=0.0, scale=1.0, period=160.0, modes=800):
    """The law at t of dX = -X dt + jumps and diffusion from a Gaussian, by its characteristic function."""
    k = 2 * np.pi * np.fft.fftfreq(modes, period / modes)
    size, left = np.hypot(k[:, None], k), math.exp(-t)
    spread = std**2 * left**2 + diffusion * (1 - left**2)
    log_f = -((scale * size) ** alpha) * (1 - left**alpha) / alpha - 0.5 * spread * size**2
    waves = [np.exp(1j * np.outer(x - x0 * left, k)) for x, x0 in zip(grid.nodes, start, strict=True)]
    return (waves[0] @ np.exp(log_f) @ waves[1].T).real / period**2
