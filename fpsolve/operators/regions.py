"""Regions: sets of states known by a level, positive inside and 0 on the boundary, and where they cut edges.

Along an edge from x to y that crosses the boundary the root of the level gives the share of the edge before it, so that
what is solved beside the boundary is of second order wherever it runs.  Places are counted in cells: node i of an axis
is at i, its outer faces are at -1/2 and cells - 1/2.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from fpsolve.axis import Axis
from fpsolve.grid import Grid

__all__ = ["ON_BOUNDARY", "Region", "nodes_of", "s_of"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Level = Callable[[Array], Array]
ON_BOUNDARY = 1e-9  # of a cell: a node so near a boundary lies on it
ROOT = 1e-14  # of an edge
ITERATIONS = 100


@dataclass(frozen=True, eq=False)
class Region:
    """A closed set of states on a grid.

    level: of places (ndim, points).  sharp: whether it only says inside or outside.  label: what messages call it.
    faces: outer faces (axis, upper?) on its boundary; halves: those before which it runs behind the last node.  No
    edge crosses it there.
    """

    grid: Grid
    level: Level
    sharp: bool
    label: str
    faces: tuple[tuple[int, bool], ...] = ()
    halves: tuple[tuple[int, bool], ...] = ()

    @cached_property
    def cells(self) -> Flags:
        """Whose nodes lie in the set or on its boundary (but for rounding), flat."""
        level = self.level(nodes_of(self.grid)).reshape(self.grid.shape)
        steepest = np.max([np.abs(np.gradient(level, axis=k)) for k in range(self.grid.ndim)], axis=0)
        return np.asarray(level >= -ON_BOUNDARY * steepest).ravel()

    @property
    def complement(self) -> Region:
        """The other side of the boundary, and the boundary."""
        return dataclasses.replace(self, level=_Negated(self.level))

    def share(self, start: Array, stop: Array) -> Array:
        """The share of the edges from places `start` to `stop` (ndim, edges) before the boundary.

        1 where the level has one sign along the edge: its end is then all that is known of the boundary.
        """
        before, after = self.level(start), self.level(stop)
        crossed = (before > 0) != (after > 0)
        if self.sharp:
            return np.where(crossed, 0.5, 1.0)
        shares = np.ones(before.size)
        if np.any(crossed):
            near, far = start[:, crossed], stop[:, crossed]
            shares[crossed] = _root(lambda u: self.level(near + u * (far - near)), before[crossed], after[crossed])
        return shares


@dataclass(frozen=True, eq=False)
class _Negated:
    level: Level

    def __call__(self, places: Array) -> Array:
        return -self.level(places)


def s_of(axis: Axis, place: Array) -> Array:
    """The computational coordinate of places along an axis; round the ring where it is periodic."""
    if axis.periodic:
        place = (place + 0.5) % axis.cells - 0.5
    s: Array = 0.5 * (axis.start + axis.stop) + (place + 0.5 * (1 - axis.cells)) * axis.ds
    return s


def nodes_of(grid: Grid) -> Array:
    """The places of all nodes, (ndim, cells), C order."""
    return np.indices(grid.shape, dtype=float).reshape(grid.ndim, -1)


def _root(level: Level, before: Array, after: Array) -> Array:
    """u in [0, 1] where a level is 0 that is `before` at 0 and `after`, of another sign, at 1: the Illinois method."""
    low, high, f_low, f_high = np.zeros(before.size), np.ones(before.size), before, after
    kept_high = kept_low = np.zeros(before.size, dtype=bool)
    u = np.where(before == 0.0, low, high)
    for _ in range(ITERATIONS):
        slope = np.where(f_high == f_low, 1.0, f_high - f_low)
        u = np.where(f_high == f_low, u, np.clip((low * f_high - high * f_low) / slope, low, high))
        f = level(u)
        near = (f > 0) == (before > 0)  # the root lies beyond u
        f_high = np.where(near, np.where(kept_high, 0.5 * f_high, f_high), f)  # a side kept twice counts half
        f_low = np.where(near, f, np.where(kept_low, 0.5 * f_low, f_low))
        low, high = np.where(near, u, low), np.where(near, high, u)
        kept_high, kept_low = near, ~near
        if np.all((f == 0.0) | (high - low < ROOT)):
            break
    return u
