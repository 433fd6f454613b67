"""Hyperbolas for the inverse Laplace transform, with as few nodes as an error allows.

    (1/2 pi i) int exp(z t) f(z) dz = 2 Re sum_k weight_k exp(z_k t) f(z_k) + error,
    z(s) = mu (1 + sin(i s - phi)),  s_k = (k + 1/2) h,  weight_k = h z'(s_k)/(2 pi i),   k = 0 .. n - 1,
for f real on the real axis.  Turning phi moves the contour over the plane: s + i v on the hyperbola of phi is s on that
of phi - v.  So, for all t in [t0, t1], with d = ln(1/error) and M = mu t1,
    inwards, where exp(z t) grows:     2 pi phi/h - M >= d
    outwards, to a singularity:        2 pi (phi' - phi)/h - Re z' t0 >= d,  z' where the hyperbola of phi' reaches it
    the end of the sum:                (M t0/t1) (sin phi cosh(n h) - 1) >= d
    rounding:                          M (1 - sin phi) <= what may be lost of it.
f may be singular on and behind the rays arg z = +-(pi/2 + theta); far out on them exp(z' t0) is small.
Sources: Weideman & Trefethen, Math. Comp. 76, 1341 (2007); Lopez-Fernandez, Palencia & Schaedle, SIAM J. Numer. Anal.
44, 1332 (2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["Hyperbola", "hyperbola"]

Array = NDArray[np.float64]
CONSTANT = 6.0  # of the errors: measured where the spectrum is real, less elsewhere
AMPLIFIED = 6.0  # ln of what rounding may be multiplied by
ANGLES, SCALES, BEYOND = 60, 24, 24  # tried
FINE = 2.0  # of the powers of 2 that ratios of times are rounded up to: few of them, each found once
STRAIGHT = 1e-9  # of theta = pi/2, where the rays are the negative axis


@dataclass(frozen=True)
class Hyperbola:
    """z = mu (1 + sin(i s - angle)) with `count` nodes `step` apart on its upper half."""

    angle: float
    mu: float
    step: float
    count: int

    def nodes(self) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
        """(z_k, weight_k)."""
        s = 1j * (np.arange(self.count) + 0.5) * self.step - self.angle
        return self.mu * (1.0 + np.sin(s)), self.step * self.mu * np.cos(s) / (2.0 * np.pi)


def hyperbola(theta: float, first: float, last: float, error: float) -> Hyperbola:
    """The hyperbola with the fewest nodes for times in [first, last], singularities behind arg z = pi/2 + theta.

    0 < theta <= pi/2.
    """
    ratio = 2.0 ** (np.ceil(FINE * np.log2(last / first) - 1e-9) / FINE)
    best = _best(round(theta, 12), float(ratio), error)
    return Hyperbola(best.angle, best.mu / last, best.step, best.count)


@lru_cache(maxsize=512)
def _best(theta: float, ratio: float, error: float) -> Hyperbola:
    """For times in [1/ratio, 1]."""
    digits = np.log(CONSTANT / error)
    phi = theta * (np.arange(ANGLES) + 0.5)[:, None] / ANGLES
    most = np.minimum(AMPLIFIED / (1.0 - np.sin(phi)), 40.0 * digits)
    M = most * np.geomspace(0.02, 1.0, SCALES)
    step = np.minimum(2.0 * np.pi * phi / (digits + M), _outwards(theta, ratio, digits, phi, M))
    count = np.arccosh((1.0 + digits * ratio / M) / np.sin(phi)) / step
    i, j = np.unravel_index(int(np.argmin(count)), count.shape)
    return Hyperbola(float(phi[i, 0]), float(M[i, j]), float(step[i, j]), int(np.ceil(count[i, j])))


def _outwards(theta: float, ratio: float, digits: float, phi: Array, M: Array) -> Array:
    """The longest step that the singularities allow, by phi and M = mu."""
    if theta > (0.5 - STRAIGHT) * np.pi:
        return 2.0 * np.pi * (theta - phi) / digits + 0.0 * M
    longest = np.full(np.broadcast_shapes(phi.shape, M.shape), np.inf)
    for share in (np.arange(BEYOND) + 0.5) ** 2 / BEYOND**2:
        other = theta + share * (0.5 * np.pi - theta)  # the hyperbola of `other` meets the ray at s
        size = np.sqrt(np.sin(other + theta) * np.sin(other - theta))
        s = np.arctanh(np.tan(theta) / np.tan(other)) + np.arccosh(np.cos(theta) / size)
        left = digits - M / ratio * np.tan(theta) * np.cos(other) * np.sinh(s)
        longest = np.minimum(
            longest, np.where(left > 0.0, 2.0 * np.pi * (other - phi) / np.maximum(left, 1e-9), np.inf)
        )
    return longest
