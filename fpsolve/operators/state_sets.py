"""Sets of states as they are given: an interval, a box, a function positive inside; and what they cannot be.

A boolean function says nothing about where between two nodes its edge lies: half-way is assumed, which is of first
order, and told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fpsolve.asking import shown
from fpsolve.axis import Axis
from fpsolve.errors import InvalidInput, ResolutionWarning, warn
from fpsolve.functions import Function, Points
from fpsolve.grid import Grid
from fpsolve.operators.regions import Region, nodes_of, s_of

__all__ = ["Box", "StateSet", "region_of"]

Array = NDArray[np.float64]
StateSet = Callable[..., Any] | Sequence[Any]
ON_FACE = 1e-9  # of the axis: a bound so near an outer face lies on it


def region_of(given: StateSet, grid: Grid, label: str, *, margin: float = 0.0) -> Region:
    """The set `given` on `grid`: (lo, hi) in one dimension, one such pair (or None) per axis, or a level function.

    margin: how far beyond the last nodes a level function is asked, in cells.
    Raises InvalidInput for what is no set, and for levels that are not finite; warns ResolutionWarning where it is a
    boolean function, with the width of the cells at its edge.
    """
    region = _by_level(given, grid, label, margin) if callable(given) else _box(given, grid, label)
    if region.sharp and np.any(region.cells) and not np.all(region.cells):
        widths = ", ".join(f"{w:.3g} along {name}" for name, w in zip(grid.names, _edge_widths(region), strict=True))
        warn(
            f"{label} is a boolean function: where its edge lies within a cell ({widths}) is not known, so the answer "
            "is of first order there; give a function that is positive inside and 0 on the edge",
            ResolutionWarning,
        )
    return region


@dataclass(frozen=True, eq=False)
class _Height:
    """A user's level at places in cells; farther than `margin` beyond the last nodes as there."""

    function: Function
    grid: Grid
    margin: float
    sharp: bool = False

    def __call__(self, places: Array) -> Array:
        values = self.function.scalar(self.points(places))
        return np.where(values > 0, 1.0, -1.0) if self.sharp else values

    def points(self, places: Array) -> Points:
        """Coordinates of the places."""
        found = []
        for axis, place in zip(self.grid.axes, places, strict=True):
            inner = place if axis.periodic else np.clip(place, -self.margin, axis.cells - 1.0 + self.margin)
            found.append(axis.x(s_of(axis, inner)))
        return Points(self.grid.names, tuple(found), (("place", found[0].shape),))


def _by_level(function: Callable[..., Any], grid: Grid, label: str, margin: float) -> Region:
    given = Function(function, label)
    if given.takes_time:
        raise InvalidInput(f"{label} depends on t; a set must stay where it is: bind t first")
    height = _Height(given, grid, margin)
    raw, values = np.asarray(given(height.points(nodes_of(grid)))), height(nodes_of(grid))
    sharp = raw.dtype.kind == "b" or np.unique(values).size == 2
    return Region(grid, _Height(given, grid, margin, sharp), sharp, label)


@dataclass(frozen=True, eq=False)
class Box:
    """The level of a box: distance to the nearest side of a box, in cells, negative outside.

    sides: (axis, place, 1 for lower and -1 for upper).  arcs, round periodic axes: (axis, middle, half width).
    """

    grid: Grid
    sides: tuple[tuple[int, float, float], ...]
    arcs: tuple[tuple[int, float, float], ...]

    def __call__(self, places: Array) -> Array:
        level = np.full(places.shape[1], np.inf)
        for k, side, inward in self.sides:
            level = np.minimum(level, inward * (places[k] - side))
        for k, middle, half in self.arcs:
            cells = self.grid.axes[k].cells
            level = np.minimum(level, half - np.abs((places[k] - middle + 0.5 * cells) % cells - 0.5 * cells))
        return np.where(np.isinf(level), 1.0, level)

    def side_at(self, places: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The axis of the side nearest to each place, and whether it is the upper one."""
        near, axes = np.full(places.shape[1], np.inf), np.zeros(places.shape[1], dtype=np.int64)
        upper = np.zeros(places.shape[1], dtype=bool)
        parts = [(k, np.abs(places[k] - side), np.full(upper.size, inward < 0)) for k, side, inward in self.sides]
        for k, middle, half in self.arcs:
            cells = self.grid.axes[k].cells
            turned = (places[k] - middle + 0.5 * cells) % cells - 0.5 * cells
            parts.append((k, np.abs(half - np.abs(turned)), turned > 0))
        for k, distance, above in parts:
            nearer = distance < near
            near, axes, upper = (
                np.where(nearer, distance, near),
                np.where(nearer, k, axes),
                np.where(nearer, above, upper),
            )
        return axes, upper


def _box(given: Any, grid: Grid, label: str) -> Region:
    sides, arcs, faces, halves = [], [], [], []
    for k, (name, axis, bounds) in enumerate(zip(grid.names, grid.axes, _intervals(given, grid, label), strict=True)):
        if axis.periodic:
            arcs.extend([(k, *_arc(name, axis, *bounds, label))] if np.any(np.isfinite(bounds)) else [])
            continue
        for upper, bound in enumerate(bounds):
            end, inward = (axis.hi, -1.0) if upper else (axis.lo, 1.0)
            beyond = inward * (end - bound) / (axis.hi - axis.lo)
            if abs(beyond) <= ON_FACE and axis.ends[upper] == "open":
                faces.append((k, bool(upper)))
                sides.append((k, axis.cells - 0.5 if upper else -0.5, inward))
            elif beyond < -ON_FACE:
                sides.append((k, _place(axis, bound), inward))
                if not -ON_FACE < sides[-1][1] < axis.cells - 1.0 + ON_FACE:
                    halves.append((k, bool(upper)))
            elif np.isfinite(bound) and axis.ends[upper] == "open" and label == "inside":
                raise InvalidInput(
                    f"inside reaches to {name}={bound:g}, but the grid stops at its open end {name}={end:.6g}: widen "
                    f"the grid beyond {bound:g}, or give {'inf' if upper else '-inf'} if paths do not leave there"
                )
    return Region(grid, Box(grid, tuple(sides), tuple(arcs)), False, label, tuple(faces), tuple(halves))


def _intervals(given: Any, grid: Grid, label: str) -> list[tuple[float, float]]:
    """(lo, hi) per axis, infinite where a bound is None."""
    wanted = "give (lo, hi)" if grid.ndim == 1 else f"give one (lo, hi) per axis of {grid.names}, None for no bound"
    parts = list(given) if isinstance(given, (tuple, list, np.ndarray)) else []
    if grid.ndim == 1 and len(parts) == 2 and all(np.ndim(part) == 0 for part in parts):
        parts = [parts]
    if len(parts) != grid.ndim:
        raise InvalidInput(f"{label} is {shown(given)}; {wanted}, or a function that is positive inside")
    found = []
    for name, part in zip(grid.names, parts, strict=True):
        try:
            below, above = (None, None) if part is None else part
            lo, hi = -np.inf if below is None else float(below), np.inf if above is None else float(above)
        except (TypeError, ValueError):
            raise InvalidInput(f"{label} along {name} is {shown(part)}; {wanted}, the bounds being numbers") from None
        if not lo < hi:
            raise InvalidInput(f"{label} along {name} runs from {lo:g} to {hi:g}; the lower bound must be smaller")
        found.append((lo, hi))
    return found


def _place(axis: Axis, x: float) -> float:
    return float((axis.s(x) - axis.start) / axis.ds) - 0.5


def _arc(name: str, axis: Axis, lo: float, hi: float, label: str) -> tuple[float, float]:
    """The middle and the half width, in cells, of an interval on a ring."""
    period = axis.hi - axis.lo
    if not hi - lo < period:
        raise InvalidInput(
            f"{label} along the periodic axis {name} runs from {lo:g} to {hi:g}; give two finite bounds less than its "
            f"period {period:g} apart, or None"
        )
    start, stop = (_place(axis, axis.lo + (bound - axis.lo) % period) for bound in (lo, hi))
    stop += axis.cells if stop <= start else 0
    return 0.5 * (start + stop), 0.5 * (stop - start)


def _edge_widths(region: Region) -> list[float]:
    """The widest cell beside the boundary, along each axis."""
    grid, found = region.grid, []
    inside = region.cells.reshape(grid.shape)
    for k, axis in enumerate(grid.axes):
        changes = inside != np.roll(inside, -1, axis=k)
        changes = changes if axis.periodic else np.delete(changes, -1, axis=k)
        rows = np.flatnonzero(np.any(changes, axis=tuple(i for i in range(grid.ndim) if i != k)))
        found.append(float(axis.weights[rows].max(initial=0.0)))
    return found
