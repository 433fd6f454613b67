"""A one-dimensional density between its nodes: interpolation, cumulative distribution and quantiles.

Cell masses w p are point values of the density in s.  The integral over a cell is (22 m_i + m_{i-1} + m_{i+1})/24 to
fourth order, always positive, so the cumulative distribution at the faces is fourth order and increasing; between
faces it is interpolated monotonically in s (Fritsch & Carlson 1980), and beyond open ends it follows the end's law.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.values.continuation import Beyond, log_fall, log_ratio, mass_beyond
from fpsolve.values.power_law import PowerLaw

if TYPE_CHECKING:
    from scipy.interpolate import PchipInterpolator

Array = NDArray[np.float64]
BISECTIONS = 45


class Cumulative:
    """P(X <= x) of cell masses on an axis, continued beyond the ends where `continued` says so."""

    def __init__(self, axis: Axis, masses: Array, continued: tuple[Beyond, Beyond]) -> None:
        self.axis, self.continued = axis, continued
        self.below = mass_beyond(masses, axis, False, continued[0])
        self.above = mass_beyond(masses, axis, True, continued[1])
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(masses)
        falls = (
            log_fall(logs, axis, upper, continued[upper]) / axis.ds if share > 0 else -np.inf
            for upper, share in ((False, self.below), (True, self.above))
        )
        self.fall_low, self.fall_high = falls
        faces = self.below + np.concatenate([[0.0], np.cumsum(masses)])
        faces[1:-1] += np.diff(masses) / 24.0
        if axis.periodic:
            faces[[0, -1]] += (masses[0] - masses[-1]) / 24.0
            faces -= faces[0]
        else:  # the series goes on beyond a continued end
            faces[0] += masses[0] * -np.expm1(self.fall_low * axis.ds) / 24.0 if self.below > 0 else 0.0
            faces[-1] += masses[-1] * np.expm1(self.fall_high * axis.ds) / 24.0 if self.above > 0 else 0.0
        self.faces = faces
        self.total = float(masses.sum()) + self.below + self.above

    @cached_property
    def _curve(self) -> PchipInterpolator:
        from scipy.interpolate import PchipInterpolator

        with np.errstate(over="ignore", divide="ignore"):  # slopes of cells without mass
            return PchipInterpolator(self.axis.s_faces, self.faces, extrapolate=False)

    def __call__(self, x: Array | float) -> Array:
        """P(X <= x)."""
        x = np.asarray(x, dtype=float)
        s = self.axis.s(x)
        low, high = self.axis.s_faces[0], self.axis.s_faces[-1]
        with np.errstate(invalid="ignore", over="ignore"):
            answer = self._curve(np.clip(np.nan_to_num(s, nan=low), low, high))
            under = self.faces[0] * np.exp(self._log_left(x, s, False)) if self.below > 0 else np.zeros_like(s)
            over = self.total - (self.total - self.faces[-1]) * (
                np.exp(self._log_left(x, s, True)) if self.above > 0 else np.ones_like(s)
            )
        answer = np.where(s < low, under, answer)
        answer = np.where(s > high, over, answer)
        if self.axis.kind == "log":  # the far side of 0
            answer = np.where(np.isnan(s), np.where(x > self.axis.hi, self.total, 0.0), answer)
        return np.where(np.isnan(x), np.nan, answer)

    def _log_left(self, x: Array, s: Array, upper: bool) -> Array:
        """ln of the share of the mass beyond an end that is beyond x = x(s)."""
        law = self.continued[upper]
        if isinstance(law, PowerLaw):
            return law.log_left(x, self.axis, upper)
        return self.fall_high * (s - self.axis.s_faces[-1]) if upper else self.fall_low * (self.axis.s_faces[0] - s)

    def _place(self, share: Array, upper: bool) -> Array:
        """The x beyond which that share of the mass beyond an end is; the end itself where nothing is."""
        law, axis = self.continued[upper], self.axis
        if (self.above if upper else self.below) <= 0:
            return np.full_like(share, axis.hi if upper else axis.lo)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            if isinstance(law, PowerLaw):
                return law.place(np.log(share), axis, upper)
            if upper:
                return axis.x(axis.s_faces[-1] + np.log(share) / self.fall_high)
            return axis.x(axis.s_faces[0] - np.log(share) / self.fall_low)

    def quantile(self, probability: Array | float) -> Array:
        """The x with P(X <= x) = probability."""
        wanted = np.atleast_1d(np.asarray(probability, dtype=float)) * self.total
        cell = np.clip(np.searchsorted(self.faces, wanted, side="right") - 1, 0, self.axis.cells - 1)
        left, right = self.axis.s_faces[cell], self.axis.s_faces[cell + 1]
        for _ in range(BISECTIONS):  # the curve increases in every cell, but Newton could leave it
            s = 0.5 * (left + right)
            short = self._curve(s) < wanted
            left, right = np.where(short, s, left), np.where(short, right, s)
        inside = (wanted >= self.faces[0]) & (wanted <= self.faces[-1])
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = wanted / self.faces[0], (self.total - wanted) / (self.total - self.faces[-1])
        beyond = np.where(wanted < self.faces[0], self._place(shares[0], False), self._place(shares[1], True))
        return np.where(inside, self.axis.x(s), beyond).reshape(np.shape(probability))


class Interpolant:
    """ln p between the nodes: a cubic spline in s where every value is positive, monotone in p where some are zero."""

    def __init__(self, axis: Axis, log_values: Array, continued: tuple[Beyond, Beyond]) -> None:
        from scipy.interpolate import CubicSpline, PchipInterpolator

        self.axis, self.log_values, self.continued = axis, log_values, continued
        self.positive = bool(np.all(np.isfinite(log_values)))
        s, values = axis.s_nodes, log_values if self.positive else np.exp(log_values)
        if axis.periodic:
            s, values = np.append(s, s[0] + axis.stop - axis.start), np.append(values, values[0])
            self.curve = CubicSpline(s, values, bc_type="periodic") if self.positive else PchipInterpolator(s, values)
        else:
            self.curve = CubicSpline(s, values) if self.positive else PchipInterpolator(s, values)

    def __call__(self, x: Array | float) -> Array:
        """p(x)."""
        return np.exp(self.log(x))

    def log(self, x: Array | float) -> Array:
        """ln p(x); -inf outside a grid that does not go on."""
        x = np.asarray(x, dtype=float)
        s = self.axis.s(x)
        if self.axis.periodic:
            period = self.axis.stop - self.axis.start
            s = self.axis.s_nodes[0] + np.mod(s - self.axis.s_nodes[0], period)
            return self._inside(s)
        faces = self.axis.s_faces
        answer = self._inside(np.clip(np.nan_to_num(s, nan=faces[0]), faces[0], faces[-1]))
        for upper in (False, True):
            edge = self.axis.s_nodes[-1] if upper else self.axis.s_nodes[0]
            face = faces[-1] if upper else faces[0]
            beyond = (
                s > (edge if self.continued[upper] else face)
                if upper
                else s < (edge if self.continued[upper] else face)
            )
            answer = np.where(beyond, self._beyond(x, s, upper), answer)
        return np.where(np.isnan(x), np.nan, np.where(np.isnan(s), -np.inf, answer))

    def _inside(self, s: Array) -> Array:
        if self.positive:
            return self.curve(s)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(self.curve(np.clip(s, self.axis.s_nodes[0], self.axis.s_nodes[-1])))

    def _beyond(self, x: Array, s: Array, upper: bool) -> Array:
        law, edge = self.continued[upper], float(self.axis.s_nodes[-1 if upper else 0])
        if not law:
            return np.full_like(s, -np.inf)
        if isinstance(law, PowerLaw):
            return self.log_values[-1 if upper else 0] + law.log_gain(x, self.axis, upper)
        terms = self.log_values + np.log(self.axis.weights)
        slope = log_ratio(terms, upper) / self.axis.ds
        last = terms[-1] if upper else terms[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            return last + slope * np.abs(s - edge) - np.log(self.axis.dx(s) * self.axis.ds)
