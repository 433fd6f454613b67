"""Beyond an open end p goes on as a power law whose exponent is known, and so do sums over cells that are not there.

Outward from the last node N, with y = |x - center| and y_b its value at the last face,
    p(x) = p_N (y/y_N)^-q,
    sum of w p beyond = int_b^inf p dx + (ds^2/24) d(x' p)/ds at the face   (Euler-Maclaurin of the midpoint rule in s),
the last term as an exponential, so that the sum stays positive on the coarsest axis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis

__all__ = ["PowerLaw", "slope_at_face"]

Array = NDArray[np.float64]
INWARD = 1e-3  # of a cell: the step of one-sided derivatives at a face
TIE = 0.02  # exponents this near to the one at which an integral diverges count as that one
POINTS = np.polynomial.legendre.leggauss(16)


def slope_at_face(axis: Axis, upper: bool) -> tuple[float, float]:
    """x'(s) at an outer face, and its outward derivative there, from inside."""
    face, step = axis.s_faces[-1 if upper else 0], INWARD * axis.ds * (1.0 if upper else -1.0)
    slopes = axis.dx(face - step * np.arange(3))
    return float(slopes[0]), float(1.5 * slopes[0] - 2.0 * slopes[1] + 0.5 * slopes[2]) / (INWARD * axis.ds)


@dataclass(frozen=True)
class PowerLaw:
    """p ~ |x - center|^-exponent beyond an open end; the mass there is finite: exponent > 1."""

    exponent: float
    center: float = 0.0

    def reach(self, axis: Axis, upper: bool) -> tuple[float, float]:
        """y at the last node and at the end."""
        node, face = (axis.nodes[-1], axis.faces[-1]) if upper else (axis.nodes[0], axis.faces[0])
        return abs(float(node) - self.center), abs(float(face) - self.center)

    def weight(self, axis: Axis, upper: bool) -> float:
        """The mass beyond per unit of p at the last node."""
        node, end = self.reach(axis, upper)
        slope, bend = slope_at_face(axis, upper)
        further = self.exponent - 1.0
        correction = axis.ds**2 / 24.0 * further * (bend - self.exponent * slope**2 / end) / end
        return float((end / node) ** -self.exponent * end / further * np.exp(correction))

    def share(self, masses: Array, axis: Axis, upper: bool) -> float:
        """The mass beyond, from the masses of the cells."""
        cell = -1 if upper else 0
        return float(masses[cell]) * self.weight(axis, upper) / float(axis.weights[cell])

    def log_fall(self, axis: Axis, upper: bool) -> float:
        """ln(w p) gained per cell beyond the last node."""
        s = axis.s_nodes[-1] + axis.ds if upper else axis.s_nodes[0] - axis.ds
        node, _ = self.reach(axis, upper)
        last = axis.weights[-1] if upper else axis.weights[0]
        y = abs(float(axis.x(s)) - self.center)
        return float(-self.exponent * np.log(y / node) + np.log(axis.dx(s) * axis.ds / last))

    def log_gain(self, x: Array, axis: Axis, upper: bool) -> Array:
        """ln p(x)/p_N beyond the last node."""
        with np.errstate(divide="ignore"):
            return np.asarray(-self.exponent * np.log(np.abs(x - self.center) / self.reach(axis, upper)[0]))

    def log_left(self, x: Array, axis: Axis, upper: bool) -> Array:
        """ln of the share of the mass beyond the end that lies beyond x."""
        with np.errstate(divide="ignore"):
            return np.asarray((1.0 - self.exponent) * np.log(np.abs(x - self.center) / self.reach(axis, upper)[1]))

    def place(self, log_left: Array, axis: Axis, upper: bool) -> Array:
        """The x beyond which that share lies."""
        with np.errstate(over="ignore"):
            y = self.reach(axis, upper)[1] * np.exp(log_left / (1.0 - self.exponent))
        return np.asarray(self.center + (y if upper else -y))

    def share_of(self, function: Callable[[Array], Array], masses: Array, axis: Axis, upper: bool) -> float:
        """The sum of w p f beyond, f a power of x far out; inf where it diverges.

        In u = (y/y_b)^-(q - 1 - k), f ~ y^k, the integrand is constant for a power of y.
        """
        cell = -1 if upper else 0
        if masses[cell] == 0.0:
            return 0.0
        node, end = self.reach(axis, upper)
        sign = 1.0 if upper else -1.0
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            far = np.abs(function(self.center + sign * end * np.array([1e6, 1e7])))
            growth = float(np.log10(far[1] / far[0])) if far[0] > 0 and far[1] > 0 else 0.0
        fall = self.exponent - 1.0 - max(growth, 0.0)
        if not fall > TIE * self.exponent:
            return float(np.copysign(np.inf, function(axis.nodes[[cell]])[0]))
        u, du = 0.5 + 0.5 * POINTS[0], 0.5 * POINTS[1]
        y = end * u ** (-1.0 / fall)
        density = float(masses[cell] / axis.weights[cell]) * (y / node) ** -self.exponent
        return float(np.sum(density * function(self.center + sign * y) * y / (fall * u) * du))

    def entropy(self, log_p: float, masses: Array, axis: Axis, upper: bool) -> float:
        """-int p ln p beyond; log_p: ln p at the last node."""
        node, end = self.reach(axis, upper)
        at_end = log_p - self.exponent * np.log(end / node)
        return float(self.share(masses, axis, upper) * (self.exponent / (self.exponent - 1.0) - at_end))

    def mirrored(self) -> PowerLaw:
        """The same for -x."""
        return PowerLaw(self.exponent, -self.center)
