"""Coordinate maps x(s): uniform, log, sinh, tanh, a user's own, and one loaded from a file.

Each gives x(s), dx/ds, the inverse s(x), and the distance x(s + ds) - x(s) in a form that does not cancel.
`tail` says how a density continues beyond an open end: as a power of x ("power"), as an exponential of x
("exponential"), or not at all ("none").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from fpsolve.errors import InvalidInput, ResolutionWarning, warn

Array = NDArray[np.float64]
LARGEST_NEIGHBOUR_RATIO = 1e6


class Map(Protocol):
    """What an axis needs of its map."""

    kind: ClassVar[str]
    tail: ClassVar[str]

    def x(self, s: Array) -> Array: ...
    def dx(self, s: Array) -> Array: ...
    def s(self, x: Array, s_faces: Array) -> Array: ...
    def gap(self, s: Array, ds: float) -> Array: ...
    def check_refinable(self) -> None: ...


class _Closed:
    """A map known in closed form can be refined and widened."""

    def check_refinable(self) -> None:
        """Nothing stands in the way."""


@dataclass(frozen=True)
class UniformMap(_Closed):
    """x = s."""

    kind: ClassVar[str] = "uniform"
    tail: ClassVar[str] = "exponential"

    def x(self, s: Array) -> Array:
        """The coordinate."""
        return np.array(s, dtype=float)

    def dx(self, s: Array) -> Array:
        """Its derivative, 1."""
        return np.ones_like(s)

    def s(self, x: Array, s_faces: Array) -> Array:
        """The inverse."""
        return np.array(x, dtype=float)

    def gap(self, s: Array, ds: float) -> Array:
        """x(s + ds) - x(s) = ds."""
        return np.full_like(s, ds)


@dataclass(frozen=True)
class LogMap(_Closed):
    """x = sign exp(sign s): positive for sign = 1, negative (and still increasing) for sign = -1."""

    sign: float
    kind: ClassVar[str] = "log"
    tail: ClassVar[str] = "power"

    def x(self, s: Array) -> Array:
        """The coordinate."""
        return self.sign * np.exp(self.sign * s)

    def dx(self, s: Array) -> Array:
        """Its derivative, |x|."""
        return np.exp(self.sign * s)

    def s(self, x: Array, s_faces: Array) -> Array:
        """The inverse; -inf or inf at x = 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return self.sign * np.log(self.sign * x)

    def gap(self, s: Array, ds: float) -> Array:
        """2 sinh(ds/2) |x(s + ds/2)|."""
        return 2.0 * np.sinh(0.5 * ds) * np.exp(self.sign * (s + 0.5 * ds))


@dataclass(frozen=True)
class SinhMap(_Closed):
    """x = center + scale sinh(s)."""

    center: float
    scale: float
    kind: ClassVar[str] = "sinh"
    tail: ClassVar[str] = "power"

    def x(self, s: Array) -> Array:
        """The coordinate."""
        return self.center + self.scale * np.sinh(s)

    def dx(self, s: Array) -> Array:
        """Its derivative."""
        return self.scale * np.cosh(s)

    def s(self, x: Array, s_faces: Array) -> Array:
        """The inverse."""
        return np.arcsinh((x - self.center) / self.scale)

    def gap(self, s: Array, ds: float) -> Array:
        """2 scale sinh(ds/2) cosh(s + ds/2)."""
        return 2.0 * self.scale * np.sinh(0.5 * ds) * np.cosh(s + 0.5 * ds)


@dataclass(frozen=True)
class TanhMap(_Closed):
    """x between `low` and `high`, (low + high)/2 + (high - low)/2 tanh(s)."""

    low: float
    high: float
    kind: ClassVar[str] = "tanh"
    tail: ClassVar[str] = "none"

    def x(self, s: Array) -> Array:
        """The coordinate."""
        return 0.5 * (self.low + self.high) + 0.5 * (self.high - self.low) * np.tanh(s)

    def dx(self, s: Array) -> Array:
        """Its derivative."""
        return 0.5 * (self.high - self.low) / np.cosh(s) ** 2

    def s(self, x: Array, s_faces: Array) -> Array:
        """The inverse; infinite at `low` and `high`."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return 0.5 * np.log((x - self.low) / (self.high - x))

    def gap(self, s: Array, ds: float) -> Array:
        """(high - low)/2 sinh(ds)/(cosh(s) cosh(s + ds))."""
        return 0.5 * (self.high - self.low) * np.sinh(ds) / (np.cosh(s) * np.cosh(s + ds))

    def distance_to_low(self, s: Array) -> Array:
        """x - low, in closed form."""
        return (self.high - self.low) / (1.0 + np.exp(-2.0 * s))

    def distance_to_high(self, s: Array) -> Array:
        """high - x, in closed form."""
        return (self.high - self.low) / (1.0 + np.exp(2.0 * s))


@dataclass(frozen=True, eq=False)
class MappedMap(_Closed):
    """A user's x(s) and x'(s)."""

    function: Callable[[Array], Array]
    derivative: Callable[[Array], Array]
    kind: ClassVar[str] = "mapped"
    tail: ClassVar[str] = "exponential"

    def x(self, s: Array) -> Array:
        """The coordinate."""
        return _as_shape(self.function(s), s, "x(s)")

    def dx(self, s: Array) -> Array:
        """Its derivative."""
        return _as_shape(self.derivative(s), s, "x'(s)")

    def s(self, x: Array, s_faces: Array) -> Array:
        """The inverse: linear interpolation polished by two Newton steps; continued linearly beyond the ends."""
        faces = self.x(s_faces)
        s = np.interp(x, faces, s_faces)
        s = np.where(x < faces[0], s_faces[0] + (x - faces[0]) / self.dx(s_faces[:1])[0], s)
        s = np.where(x > faces[-1], s_faces[-1] + (x - faces[-1]) / self.dx(s_faces[-1:])[0], s)
        inside = (x >= faces[0]) & (x <= faces[-1])
        for _ in range(4):
            s = np.where(inside, s - (self.x(s) - x) / self.dx(s), s)
        return s

    def gap(self, s: Array, ds: float) -> Array:
        """x(s + ds) - x(s)."""
        return self.x(s + ds) - self.x(s)


@dataclass(frozen=True, eq=False)
class SavedMap:
    """A map known only at the nodes and faces of the grid it was saved with."""

    s_known: Array
    x_known: Array
    dx_known: Array
    kind: ClassVar[str] = "saved"
    tail: ClassVar[str] = "exponential"

    def x(self, s: Array) -> Array:
        """The coordinate, by interpolation between the saved points."""
        return np.interp(s, self.s_known, self.x_known)

    def dx(self, s: Array) -> Array:
        """Its derivative, by interpolation between the saved points."""
        return np.interp(s, self.s_known, self.dx_known)

    def s(self, x: Array, s_faces: Array) -> Array:
        """The inverse, by interpolation."""
        return np.interp(x, self.x_known, self.s_known)

    def gap(self, s: Array, ds: float) -> Array:
        """x(s + ds) - x(s)."""
        return self.x(s + ds) - self.x(s)

    def check_refinable(self) -> None:
        """Refuse: a file carries arrays, not functions."""
        raise InvalidInput(
            "this axis was loaded from a file that holds its arrays, not the function x(s); "
            "it cannot be refined or widened: build it again with Axis.mapped"
        )


def _as_shape(values: Array, s: Array, label: str) -> Array:
    values = np.asarray(values, dtype=float)
    if values.shape not in ((), np.shape(s)):
        raise InvalidInput(f"{label} of a mapped axis returned shape {values.shape} for s of shape {np.shape(s)}")
    return np.array(np.broadcast_to(values, np.shape(s)))


def check_map(map: Map, s_nodes: Array, nodes: Array, gaps: Array) -> None:
    """Raise InvalidInput at the first node where x(s) is not finite or does not increase, or x'(s) is wrong."""
    if not np.all(np.isfinite(nodes)):
        bad = int(np.flatnonzero(~np.isfinite(nodes))[0])
        raise InvalidInput(f"node {bad} of the axis is {nodes[bad]} (at s={s_nodes[bad]:.6g}); nodes must be finite")
    slopes = map.dx(s_nodes)
    # tanh nodes coincide to rounding near their ends, and so may a mapped axis: the map decides, not the difference
    wrong = ~(slopes > 0) if map.kind == "tanh" else ~(slopes > 0) | np.append(~(np.diff(nodes) > 0), False)
    if np.any(wrong):
        bad = int(np.flatnonzero(wrong)[0])
        raise InvalidInput(
            f"the axis does not increase at node {bad} (x={nodes[bad]:.6g}, x'(s)={slopes[bad]:.6g}); "
            "x(s) must be strictly increasing with a positive derivative"
        )
    if map.kind == "mapped":
        _check_derivative(map, s_nodes, slopes)
    ratio = np.maximum(gaps[1:] / gaps[:-1], gaps[:-1] / gaps[1:])
    if ratio.size and ratio.max() > LARGEST_NEIGHBOUR_RATIO:
        warn(
            f"neighbouring cells differ in size by a factor {ratio.max():.2g} at "
            f"x={nodes[int(ratio.argmax()) + 1]:.4g}; "
            "the scheme loses its order there: use more cells or a gentler map",
            ResolutionWarning,
        )


def _check_derivative(map: Map, s: Array, slopes: Array) -> None:
    """A user's x'(s) must be the derivative of a user's x(s)."""
    half = 1e-4 * (s[1] - s[0])
    measured = (map.x(s + half) - map.x(s - half)) / (2.0 * half)
    wrong = np.abs(measured - slopes) > 1e-3 * np.maximum(np.abs(measured), np.abs(slopes))
    if np.any(wrong):
        bad = int(np.argmax(wrong))
        raise InvalidInput(
            f"x'(s) of a mapped axis is {slopes[bad]:.6g} at s={s[bad]:.6g}, but x(s) changes there by "
            f"{measured[bad]:.6g} per unit of s; give the derivative of x(s)"
        )
