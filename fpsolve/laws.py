"""The two sides of a comparison: a density as the law it stands for, or samples, each seen from both ends.

Tails are compared on their own scale, so every law is held twice: P(X <= x), counted from below, and P(-X <= y),
counted from above.  Neither is ever formed as 1 minus the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput
from fpsolve.maps import Map
from fpsolve.values.cumulative import Cumulative
from fpsolve.values.density import Density
from fpsolve.values.exact import ExactDensity
from fpsolve.values.power_law import PowerLaw
from fpsolve.values.swarm import Swarm

Array = NDArray[np.float64]
Comparable = Density | ExactDensity | Swarm | ArrayLike
MASS_TOLERANCE = 1e-6


@dataclass(frozen=True, eq=False)
class Law:
    """A density, with ln p between its nodes (`log`: the closed form where there is one)."""

    density: Density
    log: Callable[[Array], Array]

    @property
    def ndim(self) -> int:
        """Number of coordinates."""
        return self.density.grid.ndim

    @cached_property
    def axis(self) -> Axis:
        """The axis of a one-dimensional law."""
        return self.density.only_axis("this metric")

    @cached_property
    def lower(self) -> Cumulative:
        """P(X <= x)."""
        return Cumulative(self.axis, self.density.masses, self.density.ends[0])

    @cached_property
    def upper(self) -> Cumulative:
        """P(-X <= y): the law of -X, from its own lower end."""
        low, high = self.density.ends[0]
        mirrored = [law.mirrored() if isinstance(law, PowerLaw) else law for law in (high, low)]
        return Cumulative(_mirrored(self.axis), self.density.masses[::-1], (mirrored[0], mirrored[1]))

    def exponents(self) -> list[tuple[str, float]]:
        """Each end and e in P(|X| > x) ~ x^-e there, of every marginal; inf where it falls faster or stops."""
        if self.ndim == 1:
            return [(f"{'upper' if upper else 'lower'} end", self._exponent(upper)) for upper in (False, True)]
        found = []
        for name in self.density.grid.names:
            line = self.density.marginal(name)
            found += [(f"{end} along {name}", e) for end, e in Law(line, line.curve.log).exponents()]
        return found

    def _exponent(self, upper: bool) -> float:
        beyond = self.density.ends[0][upper]
        if isinstance(beyond, PowerLaw):
            return beyond.exponent - 1.0
        side = self.upper if upper else self.lower
        bounded = self.axis.kind == "log" and upper == (self.axis.hi < 0)
        return float("inf") if bounded or self.axis.map.tail != "power" else -side.fall_low


@dataclass(frozen=True, eq=False)
class Steps:
    """The empirical law of sorted samples: `quantile(u)` is the ceil(u n)-th of them."""

    points: Array

    @property
    def faces(self) -> Array:
        """The values that P(X <= x) takes, i/n."""
        return np.arange(self.points.size + 1) / self.points.size

    def __call__(self, x: Array) -> Array:
        """P(X <= x)."""
        return np.searchsorted(self.points, x, side="right") / self.points.size

    def quantile(self, probability: Array) -> Array:
        """The smallest sample with P(X <= x) >= probability."""
        n = self.points.size
        return self.points[np.clip(np.ceil(probability * n).astype(int) - 1, 0, n - 1)]


@dataclass(frozen=True, eq=False)
class Samples:
    """Positions (n, d) of independent draws."""

    positions: Array

    @property
    def ndim(self) -> int:
        """Number of coordinates."""
        return int(self.positions.shape[1])

    @property
    def n(self) -> int:
        """Number of samples."""
        return int(self.positions.shape[0])

    @cached_property
    def lower(self) -> Steps:
        """P(X <= x)."""
        return Steps(np.sort(self.positions[:, 0]))

    @cached_property
    def upper(self) -> Steps:
        """P(-X <= y)."""
        return Steps(-self.lower.points[::-1])

    def exponents(self) -> list[tuple[str, float]]:
        """None: finitely many samples have every moment."""
        return []


Side = Law | Samples


def side_of(value: Comparable, t: float | None, label: str) -> Side:
    """A density, an exact density, a swarm (its living replicas at t) or an array of samples, checked."""
    if isinstance(value, Density):
        return Law(_checked(value, label), value.curve.log)
    if isinstance(value, ExactDensity):
        return Law(_checked(value.density, label), value.log)
    if isinstance(value, Swarm):
        when = float(value.times[-1]) if t is None else t
        return _samples(value.at(when)[value.alive(when)], label)
    return _samples(value, label)


def paired(a: Comparable, b: Comparable, t: float | None = None) -> tuple[Side, Side]:
    """Both sides, of one dimension; samples beside a periodic axis are brought into its period."""
    left, right = side_of(a, t, "a"), side_of(b, t, "b")
    if left.ndim != right.ndim:
        raise InvalidInput(f"a has {left.ndim} coordinates and b has {right.ndim}; compare marginals of one dimension")
    names = [_names(value) for value in (a, b)]
    if left.ndim > 1 and None not in names and names[0] != names[1]:
        raise InvalidInput(f"a has the coordinates {names[0]} and b {names[1]}; give both in one order")
    return _wrapped(left, right), _wrapped(right, left)


def _names(value: Comparable) -> tuple[str, ...] | None:
    if isinstance(value, (Density, ExactDensity)):
        return value.grid.names
    return value.names if isinstance(value, Swarm) else None


def _checked(p: Density, label: str) -> Density:
    if not np.all(np.isfinite(p.values)):
        bad = int((~np.isfinite(p.values)).sum())
        raise InvalidInput(f"{label} is a density with {bad} values that are not finite; solve it again")
    if abs(p.mass - 1.0) > MASS_TOLERANCE:
        raise InvalidInput(
            f"{label} is a density of mass {p.mass:.6g}; distances are between laws of mass 1: "
            "normalise it first (p.on_grid() is normalised on its grid)"
        )
    return p


def _samples(values: Any, label: str) -> Samples:
    positions = np.asarray(values)
    if positions.dtype.kind not in "biuf" or positions.ndim not in (1, 2) or positions.size == 0:
        raise InvalidInput(
            f"{label} is {type(values).__name__} of shape {positions.shape} and type {positions.dtype}; give a "
            "Density, an ExactDensity, a Swarm with living replicas, or real samples of shape (n,) or (n, d)"
        )
    positions = positions.astype(float).reshape(len(positions), -1)
    bad = np.flatnonzero(~np.isfinite(positions).all(axis=1))
    if bad.size:
        raise InvalidInput(
            f"{label} has {bad.size} samples of {len(positions)} that are not finite, the first at index {bad[0]} "
            f"({positions[bad[0]]}); find out why before comparing: leaving them out would bias the answer"
        )
    return Samples(positions)


def _wrapped(side: Side, other: Side) -> Side:
    if isinstance(side, Law) or isinstance(other, Samples):
        return side
    positions = side.positions.copy()
    for i, axis in enumerate(other.density.grid.axes):
        if axis.periodic:
            positions[:, i] = axis.lo + np.mod(positions[:, i] - axis.lo, axis.hi - axis.lo)
    return Samples(positions)


def _mirrored(axis: Axis) -> Axis:
    """The axis of -x."""
    return Axis(_MirroredMap(axis.map, axis.s_faces), -axis.stop, -axis.start, axis.cells, axis.ends[::-1])


class _MirroredMap:
    """y(s) = -x(-s)."""

    kind: ClassVar[str]
    tail: ClassVar[str]

    def __init__(self, original: Map, s_faces: Array) -> None:
        self.original, self.s_faces = original, s_faces

    def __getattr__(self, name: str) -> Any:  # kind and tail are those of the original
        return getattr(self.original, name)

    def x(self, s: Array) -> Array:
        return -self.original.x(-s)

    def dx(self, s: Array) -> Array:
        return self.original.dx(-s)

    def s(self, x: Array, s_faces: Array) -> Array:  # its own faces serve
        return -self.original.s(-x, self.s_faces)

    def gap(self, s: Array, ds: float) -> Array:
        return self.original.gap(-s - ds, ds)

    def check_refinable(self) -> None:
        self.original.check_refinable()
